"""How a responder's part ends: putting off, closing with an outcome, giving the thread back to the assistant.

The thread of a closed case stays with the team for a week, since what comes then belongs to the same case; after
that, or when the patient wants it, the assistant answers again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.conversations import threads
from bot.conversations.models import Owner, Reply, Thread
from bot.conversations.speaking.publication import Published
from bot.conversations.speaking.replies import Said, write_reply
from bot.desk.cases import REOPENS_WITHIN, changed, lock_thread, locked, reasons_of
from bot.desk.models import Case, CaseStatus, Outcome
from bot.desk.reasons import reason
from bot.desk.trail import log
from bot.desk.work.claims import mine

CLOSED = "case_closed"
HANDED_BACK = "assistant_again"
ASSISTANT = "back_to_assistant"
"""The topic of the button that gives the thread to the assistant."""


def snooze(session: Session, vault: Vault, case_id: int, staff_id: int, at: datetime, *, until: datetime) -> Case:
    """Put a case off until a time; a turn of the patient ends that earlier. Raises BadInput for a time in the past."""
    if until <= at:
        raise BadInput("A case can be put off until a later time only.")
    case = mine(session, case_id, staff_id)
    if case.status != CaseStatus.SNOOZED:
        move(case, CaseStatus.SNOOZED)
    case.snoozed_until, case.touched_at = until, at
    changed(case)
    log(session, vault, case, "snoozed", staff_id=staff_id, at=at, until=until.isoformat())
    return case


def wake(session: Session, vault: Vault, at: datetime) -> int:
    """Give their responders back the cases whose time has come."""
    due = select(Case.id).where(Case.status == CaseStatus.SNOOZED.value, Case.snoozed_until <= at).order_by(Case.thread_id)
    woken = 0
    for case_id in session.scalars(due).all():
        case = locked(session, case_id)
        if case.status == CaseStatus.SNOOZED and case.snoozed_until is not None and case.snoozed_until <= at:
            move(case, CaseStatus.CLAIMED)
            case.snoozed_until, case.touched_at = None, at
            changed(case)
            log(session, vault, case, "woken", staff_id=None, at=at)
            woken += 1
    return woken


def resolve(
    session: Session, vault: Vault, published: Published, case_id: int, staff_id: int, at: datetime, *, outcome: Outcome
) -> Case:
    """Close a case with an outcome; the patient hears it if they ever heard of it. Raises BadInput unless it is theirs."""
    return close(session, vault, published, mine(session, case_id, staff_id), staff_id, at, outcome=outcome)


def close(
    session: Session, vault: Vault, published: Published, case: Case, staff_id: int, at: datetime, *, outcome: Outcome
) -> Case:
    """Close a locked, live case, whoever has it; raises IllegalMove when it has ended."""
    told = any(reason(code).told for code in reasons_of(session, case))
    move(case, CaseStatus.RESOLVED)
    case.resolved_at, case.resolved_by, case.outcome = at, staff_id, outcome.value
    case.snoozed_until = case.meant_for = case.next_response_due_at = None
    changed(case)
    log(session, vault, case, "resolved", staff_id=staff_id, at=at, outcome=outcome.value)
    for thread in _threads(session, case):
        if told and thread.owner == Owner.STAFF.value:
            _say(session, vault, published, thread, CLOSED, case, at, offer=(ASSISTANT,))
    return case


def hand_back(session: Session, vault: Vault, published: Published, case_id: int, staff_id: int, at: datetime) -> Case:
    """Let the assistant answer again, from a clean beginning, and tell the patient; the case stays as it is.

    Raises BadInput unless the case is theirs.
    """
    case = mine(session, case_id, staff_id)
    for thread in _threads(session, case):
        if thread.owner == Owner.STAFF.value:
            thread.owner = Owner.BOT.value
            _begin_clean(session, thread.id)
            _say(session, vault, published, thread, HANDED_BACK, case, at)
    case.touched_at = at
    changed(case)
    log(session, vault, case, "handed_back", staff_id=staff_id, at=at)
    return case


def return_threads(session: Session, vault: Vault, at: datetime, limit: int = 200) -> int:
    """Give threads back to the assistant whose case ended more than a week ago, as the closing words said."""
    ended = (
        select(Case.thread_id)
        .join(Thread, Thread.id == Case.thread_id)
        .where(Thread.owner == Owner.STAFF.value, Case.status == CaseStatus.RESOLVED.value)
        .where(Case.resolved_at < at - REOPENS_WITHIN)
        .order_by(Case.thread_id)
        .distinct()
        .limit(limit)
    )
    returned = 0
    for thread_id in session.scalars(ended).all():
        lock_thread(session, thread_id)
        newest = session.scalars(select(Case).where(Case.thread_id == thread_id).order_by(Case.id.desc()).limit(1)).one()
        thread = session.get_one(Thread, thread_id, populate_existing=True)
        is_over = newest.status == CaseStatus.RESOLVED and newest.resolved_at and newest.resolved_at < at - REOPENS_WITHIN
        if thread.owner == Owner.STAFF.value and is_over:
            thread.owner = Owner.BOT.value
            _begin_clean(session, thread_id)
            log(session, vault, newest, "thread_returned", staff_id=None, at=at)
            returned += 1
    return returned


def _threads(session: Session, case: Case) -> list[Thread]:
    """The thread of a case and those of the cases that were merged into it."""
    ids = select(Case.thread_id).where(or_(Case.id == case.id, Case.merged_into == case.id))
    return list(session.scalars(select(Thread).where(Thread.id.in_(ids)).order_by(Thread.id).with_for_update()))


def _begin_clean(session: Session, thread_id: int) -> None:
    latest = threads.latest_session(session, thread_id)
    if latest is not None:
        latest.engine_key, latest.engine_turns, latest.misses = threads.new_engine_key(), 0, 0


def _say(
    session: Session,
    vault: Vault,
    published: Published,
    thread: Thread,
    name: str,
    case: Case,
    at: datetime,
    offer: tuple[str, ...] = (),
) -> Reply:
    said = Said((name,), Language(thread.language), thread.channel, offer, {"case_number": case.number})
    latest = threads.latest_session(session, thread.id)
    session_id = latest.id if latest else None
    return write_reply(session, vault, published, said, thread_id=thread.id, session_id=session_id, turn_id=None, at=at)
