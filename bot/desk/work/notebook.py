"""What a responder keeps for themselves and their colleagues: notes, calls, reminders, drafts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.upserts import put
from bot.base.vault import Vault
from bot.desk.cases import changed
from bot.desk.models import Case
from bot.desk.records import (
    CALL,
    DRAFT,
    NOTE,
    CallResult,
    CaseCall,
    CaseDraft,
    CaseNote,
    CaseReminder,
    Why,
)
from bot.desk.staff.may import require
from bot.desk.staff.roles import Permission
from bot.desk.trail import log

MOST_TEXT = 4000
"""Characters of a note, a call's remark or a draft."""


@dataclass(frozen=True, repr=False)
class Note:
    """A private note, opened."""

    id: int
    staff_id: int
    text: str
    at: datetime


@dataclass(frozen=True, repr=False)
class Call:
    """An entry of the call log, opened."""

    id: int
    staff_id: int
    result: CallResult
    minutes: int
    text: str
    at: datetime


@dataclass(frozen=True, repr=False)
class Draft:
    """What somebody has written and not sent."""

    names: tuple[str, ...]
    text: str
    saved_at: datetime


def add_note(session: Session, vault: Vault, case_id: int, staff_id: int, at: datetime, *, text: str) -> CaseNote:
    """Keep a private note; anybody on the team may add one, whoever has the case. Raises BadInput when empty or too long."""
    require(session, staff_id, Permission.WORK_CASES)
    note = CaseNote(case_id=case_id, staff_id=staff_id, sealed_text=vault.seal(_checked(text), NOTE), at=at)
    session.add(note)
    _noted(session, vault, case_id, staff_id, "note_added", at)
    return note


def notes(session: Session, vault: Vault, case_id: int) -> list[Note]:
    """The notes of a case in order."""
    rows = session.scalars(select(CaseNote).where(CaseNote.case_id == case_id).order_by(CaseNote.id))
    return [Note(row.id, row.staff_id, vault.open(row.sealed_text, NOTE), row.at) for row in rows]


def log_call(
    session: Session,
    vault: Vault,
    case_id: int,
    staff_id: int,
    at: datetime,
    *,
    result: CallResult,
    minutes: int = 0,
    text: str = "",
) -> CaseCall:
    """Keep that the patient was called, or called; raises BadInput for a remark that is too long or a length below zero."""
    require(session, staff_id, Permission.WORK_CASES)
    if not 0 <= minutes <= 600:
        raise BadInput("A call lasts between 0 and 600 minutes.")
    sealed = vault.seal(_checked(text), CALL) if text.strip() else None
    call = CaseCall(case_id=case_id, staff_id=staff_id, result=result.value, minutes=minutes, sealed_text=sealed, at=at)
    session.add(call)
    _noted(session, vault, case_id, staff_id, "called", at, result=result.value, minutes=minutes)
    return call


def calls(session: Session, vault: Vault, case_id: int) -> list[Call]:
    """The call log of a case in order."""
    rows = session.scalars(select(CaseCall).where(CaseCall.case_id == case_id).order_by(CaseCall.id))
    return [
        Call(
            row.id,
            row.staff_id,
            CallResult(row.result),
            row.minutes,
            vault.open(row.sealed_text, CALL) if row.sealed_text else "",
            row.at,
        )
        for row in rows
    ]


def remind(session: Session, case_id: int, staff_id: int, at: datetime, *, due_at: datetime) -> CaseReminder:
    """Remind somebody of a case at a time; raises BadInput for a time in the past."""
    if due_at <= at:
        raise BadInput("A reminder is for a later time.")
    reminder = CaseReminder(case_id=case_id, staff_id=staff_id, why=Why.ASKED.value, due_at=due_at, made_at=at)
    session.add(reminder)
    session.flush()
    return reminder


def due_reminders(session: Session, staff_id: int, at: datetime) -> Sequence[CaseReminder]:
    """What somebody is to be reminded of now: their own reminders, and cases that were taken from them."""
    due = select(CaseReminder).where(CaseReminder.staff_id == staff_id, CaseReminder.due_at <= at, CaseReminder.done_at.is_(None))
    return session.scalars(due.order_by(CaseReminder.due_at, CaseReminder.id)).all()


def reminders_of(session: Session, case_id: int) -> Sequence[CaseReminder]:
    """The reminders on a case that are still to come or to be seen."""
    wanted = select(CaseReminder).where(CaseReminder.case_id == case_id, CaseReminder.done_at.is_(None))
    return session.scalars(wanted.order_by(CaseReminder.due_at)).all()


def reminder_seen(session: Session, reminder_id: int, staff_id: int, at: datetime) -> bool:
    """Put a reminder away; False unless it is theirs and still there."""
    reminder = session.get(CaseReminder, reminder_id)
    if reminder is None or reminder.staff_id != staff_id or reminder.done_at is not None:
        return False
    reminder.done_at = at
    return True


def save_draft(
    session: Session, vault: Vault, case_id: int, staff_id: int, at: datetime, *, names: Sequence[str] = (), text: str = ""
) -> None:
    """Keep what somebody has written so far, instead of what they had; an empty draft is dropped."""
    if not names and not text:
        session.execute(delete(CaseDraft).where(CaseDraft.case_id == case_id, CaseDraft.staff_id == staff_id))
        return
    if len(text) > MOST_TEXT:
        raise BadInput(f"A draft holds {MOST_TEXT} characters at most.")
    values = {"names": list(names), "sealed_text": vault.seal(text, DRAFT), "saved_at": at}
    put(session, CaseDraft, {"case_id": case_id, "staff_id": staff_id}, values)


def draft_of(session: Session, vault: Vault, case_id: int, staff_id: int) -> Draft | None:
    """What somebody has written and not sent."""
    row = session.get(CaseDraft, (case_id, staff_id))
    return None if row is None else Draft(tuple(row.names), vault.open(row.sealed_text, DRAFT), row.saved_at)


def put_back(
    session: Session, vault: Vault, case_id: int, staff_id: int, at: datetime, *, names: Sequence[str], text: str
) -> None:
    """Make the words of a reply that was not sent the draft again, before what was begun since: nothing written is lost."""
    begun = draft_of(session, vault, case_id, staff_id)
    if begun is not None:
        names = [*names, *(name for name in begun.names if name not in names)]
        text = "\n\n".join(part for part in (text, begun.text) if part)[:MOST_TEXT]
    save_draft(session, vault, case_id, staff_id, at, names=names, text=text)


def drafts_of(session: Session, vault: Vault, case_id: int) -> dict[int, Draft]:
    """What everybody has written on a case and not sent: whoever takes it finds what the one before had begun."""
    rows = session.scalars(select(CaseDraft).where(CaseDraft.case_id == case_id).order_by(CaseDraft.staff_id))
    return {row.staff_id: Draft(tuple(row.names), vault.open(row.sealed_text, DRAFT), row.saved_at) for row in rows}


def _checked(text: str) -> str:
    stripped = text.strip()
    if not stripped or len(stripped) > MOST_TEXT:
        raise BadInput(f"Write between 1 and {MOST_TEXT} characters.")
    return stripped


def _noted(session: Session, vault: Vault, case_id: int, staff_id: int, kind: str, at: datetime, **content: object) -> None:
    case = session.get_one(Case, case_id)
    if case.claimed_by == staff_id:
        case.touched_at = at
    changed(case)
    session.flush()
    log(session, vault, case, kind, staff_id=staff_id, at=at, **content)
