"""Erasing a person: what they said and how they are reached goes for good, the proof of what was done stays.

Rows keep their numbers, times and codes, so that figures, deadlines and the sealed log still hold; every name, address and
text in them is gone, not only unlinked. It is done in one transaction, after two people agreed. A later roster that still has
the person brings them back: they have to be taken out of that file too. What stays besides: codes and ids, wordings by name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.campaigns.models import FINAL, Obligation, ObligationStatus
from bot.conversations.models import PatientSession, Reply, Thread, Turn
from bot.conversations.post.arrivals import ADDRESS
from bot.conversations.post.hooks import CONTENT
from bot.conversations.post.models import HookDelivery, Part
from bot.conversations.post.outbox import TEXT as PART_TEXT
from bot.conversations.post.retention import DONE
from bot.conversations.transcript import REPLY_TEXT
from bot.desk.hours.switches import switched_on
from bot.desk.models import LIVE, Case
from bot.desk.records import CALL, NOTE, CaseCall, CaseDraft, CaseNote, CasePerson, StaffReply, Switch
from bot.desk.staff.models import DETAILS, Approval
from bot.desk.work.persons import PROVEN
from bot.identity.models import Check, CodeDispatch
from bot.patients.disclosure import PersonHold, PersonWish
from bot.patients.finding import address_of
from bot.patients.models import CONTACT, RECORD, ContactPoint, NameToken, Person, PersonLink, PersonReference, Retirement

NOTHING = ""
APART = {"synchronize_session": False}
"""For changes through a subquery: no row of them is held by the session."""
SETTLED = frozenset({*FINAL, ObligationStatus.CANCELLED})


@dataclass(frozen=True)
class Erased:
    """How much was erased, in numbers."""

    threads: int
    contacts: int
    entries: int


def erase(session: Session, vault: Vault, person_id: int, *, by: str, at: datetime) -> Erased:
    """Erase a person on file; raises BadInput while a case of theirs is open, a notice is owed to them, or a legal hold is on."""
    if Switch.LEGAL_HOLD in switched_on(session):
        raise BadInput("A legal hold is on: nothing may be removed until the privacy officer ends it.")
    person = session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise BadInput("There is no such person.")
    points = session.scalars(select(ContactPoint).where(ContactPoint.person_id == person_id)).all()
    threads = threads_of(session, vault, person_id, points)
    _refuse_unfinished(session, person_id, threads)
    _hooks(session, vault, [address_of(point, vault) for point in points if point.entry != _gone(point.id)], at)
    _conversations(session, vault, threads)
    _desk(session, vault, threads, f"person:{person_id}")
    _identity(session, person_id, threads, points)
    _person(session, vault, person, points, at)
    subjects = [f"person:{person_id}", *(f"thread:{one}" for one in threads)]
    entries = sum(audit.erase(session, subject, at=at, actor=by, vault=vault) for subject in subjects)
    content = {"person": person_id, "threads": len(threads), "contacts": len(points)}
    audit.record(session, at=at, actor=by, kind="person.erased", subject=subjects[0], content=content, vault=vault)
    return Erased(len(threads), len(points), entries)


def threads_of(session: Session, vault: Vault, person_id: int, points: Sequence[ContactPoint]) -> list[int]:
    """The threads that are this person's: proven to be, or at an address that nobody else has; never one proven another's."""
    proven = _proven(session, [person_id])
    others = _proven(session, None) - proven
    mine = [point for point in points if point.retired_at is None or point.retired_because != Retirement.WRONG_PERSON]
    entries = {point.entry for point in mine}
    shared = select(ContactPoint.entry).where(ContactPoint.entry.in_(entries), ContactPoint.person_id != person_id)
    alone = {address_of(point, vault) for point in mine if point.entry not in set(session.scalars(shared))}
    at_address = set()
    for thread in session.scalars(select(Thread).where(Thread.sealed_address.is_not(None))) if alone else ():
        if vault.open(thread.sealed_address or "", ADDRESS) in alone:
            at_address.add(thread.id)
    return sorted(proven | (at_address - others))


def proven_threads(session: Session, person_id: int) -> list[int]:
    """The threads of which a code, or a call of the team, showed that they are this person's and of nobody else."""
    mine = _proven(session, [person_id])
    shared = select(Check.thread_id).where(Check.verified_at.is_not(None), Check.person_id != person_id)
    linked = select(Case.thread_id).join(CasePerson, CasePerson.case_id == Case.id)
    others = linked.where(CasePerson.known.in_(PROVEN), CasePerson.person_id != person_id)
    return sorted(mine - {*session.scalars(shared), *session.scalars(others)})


def _proven(session: Session, persons: Sequence[int] | None) -> set[int]:
    """Threads of which a code, or a call of the team, showed whose they are: of these persons, or of anybody."""
    checked = select(Check.thread_id).where(Check.verified_at.is_not(None), Check.person_id.is_not(None))
    linked = select(Case.thread_id).join(CasePerson, CasePerson.case_id == Case.id).where(CasePerson.known.in_(PROVEN))
    if persons is not None:
        checked = checked.where(Check.person_id.in_(persons))
        linked = linked.where(CasePerson.person_id.in_(persons))
    return {*session.scalars(checked), *session.scalars(linked)}


def _refuse_unfinished(session: Session, person_id: int, threads: Sequence[int]) -> None:
    linked = select(CasePerson.case_id).where(CasePerson.person_id == person_id)
    about = or_(Case.thread_id.in_(threads), Case.id.in_(linked))
    live = select(Case.id).where(about, Case.status.in_([one.value for one in LIVE]))
    if session.scalar(live.limit(1)) is not None:
        raise BadInput("A case of this person is still open: close it first.")
    settled = [one.value for one in SETTLED]
    owed = select(Obligation.id).where(Obligation.person_id == person_id, Obligation.status.not_in(settled))
    if session.scalar(owed.limit(1)) is not None:
        raise BadInput("A notice is still owed to this person: settle that first.")


def _hooks(session: Session, vault: Vault, addresses: Sequence[str], at: datetime) -> None:
    """Empty what providers posted from or about these addresses."""
    marks = [address.casefold().lstrip("+") for address in addresses]
    kept = select(HookDelivery).where(HookDelivery.emptied_at.is_(None), HookDelivery.status.in_(DONE))
    for hook in session.scalars(kept.execution_options(yield_per=500)) if marks else ():
        content = vault.open(hook.sealed_content, CONTENT).casefold()
        if any(mark in content for mark in marks):
            hook.sealed_content, hook.domain_index, hook.emptied_at = NOTHING, None, at


def _conversations(session: Session, vault: Vault, threads: Sequence[int]) -> None:
    turns = update(Turn).where(Turn.thread_id.in_(threads))
    session.execute(turns.values(sealed_text=None, sealed_letter=None, ranking=None, choice=None))
    replies = update(Reply).where(Reply.thread_id.in_(threads))
    session.execute(replies.values(sealed_text=vault.seal(NOTHING, REPLY_TEXT), choices=[]))
    parts = update(Part).where(Part.thread_id.in_(threads))
    session.execute(parts.values(sealed_text=vault.seal(NOTHING, PART_TEXT), sealed_letter=None, provider_id=None))
    session.execute(update(PatientSession).where(PatientSession.thread_id.in_(threads)).values(network=None))
    for thread in session.scalars(select(Thread).where(Thread.id.in_(threads))):
        thread.sealed_address, thread.address_index = None, _gone(thread.id)


def _desk(session: Session, vault: Vault, threads: Sequence[int], subject: str) -> None:
    cases = select(Case.id).where(Case.thread_id.in_(threads))
    session.execute(
        update(CaseNote).where(CaseNote.case_id.in_(cases)).values(sealed_text=vault.seal(NOTHING, NOTE)),
        execution_options=APART,
    )
    session.execute(
        update(CaseCall)
        .where(CaseCall.case_id.in_(cases), CaseCall.sealed_text.is_not(None))
        .values(sealed_text=vault.seal(NOTHING, CALL)),
        execution_options=APART,
    )
    session.execute(delete(CaseDraft).where(CaseDraft.case_id.in_(cases)), execution_options=APART)
    session.execute(update(StaffReply).where(StaffReply.thread_id.in_(threads)).values(sealed_free=None))
    for request in session.scalars(select(Approval).where(Approval.subject == subject)):
        emptied = {"person": int(subject.partition(":")[2]), "value": "", "replaces": None, "reason": ""}
        request.sealed_details = vault.seal(json.dumps(emptied), DETAILS)


def _identity(session: Session, person_id: int, threads: Sequence[int], points: Sequence[ContactPoint]) -> None:
    mine = or_(Check.person_id == person_id, Check.thread_id.in_(threads))
    session.execute(update(Check).where(mine).values(subject=[], network=None, code_entry=None, contact_point_id=None))
    ids = [point.id for point in points]
    sent = or_(CodeDispatch.thread_id.in_(threads), CodeDispatch.contact_point_id.in_(ids))
    session.execute(delete(CodeDispatch).where(sent, CodeDispatch.settled_at.is_not(None)))


def _person(session: Session, vault: Vault, person: Person, points: Sequence[ContactPoint], at: datetime) -> None:
    for table in (NameToken, PersonReference, PersonWish, PersonHold):
        session.execute(delete(table).where(table.person_id == person.id))
    session.execute(delete(PersonLink).where(or_(PersonLink.person_id == person.id, PersonLink.other_id == person.id)))
    session.execute(update(Obligation).where(Obligation.person_id == person.id).values(sealed_reference=None))
    for point in points:
        point.entry, point.sealed_value, point.safe = _gone(point.id), vault.seal(NOTHING, CONTACT), False
        point.retired_at, point.retired_because = at, Retirement.ERASED.value
    record = {"key": NOTHING, "name": NOTHING, "name_zh": NOTHING, "categories": []}
    person.key_entry, person.sealed_record = _gone(person.id), vault.seal(json.dumps(record), RECORD)
    person.household_entry, person.missing_since, person.not_by = None, at, ""


def _gone(number: int) -> str:
    """What stands in the place of a keyed hash: it is unique and finds nobody."""
    return f"erased:{number}"
