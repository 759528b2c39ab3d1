"""Cases that nobody takes: the patient hears from us and may choose a call; claims that nobody touches go back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.conversations import threads
from bot.conversations.models import Owner, Thread
from bot.conversations.speaking.publication import Published
from bot.conversations.speaking.replies import Said, write_reply
from bot.desk.cases import changed, locked, reasons_of
from bot.desk.hours.calendar import Calendar, Hours, published_hours
from bot.desk.hours.estimates import told
from bot.desk.models import Case, CaseStatus
from bot.desk.reasons import URGENT, reason
from bot.desk.records import CaseReminder, Why
from bot.desk.staff.models import StaffAccount
from bot.desk.trail import log

STILL_WAITING = "still_waiting"
STILL_WAITING_URGENT = "still_waiting_urgent"
CALL_BACK = "call_back"
ASSISTANT = "back_to_assistant"
PATIENCE = (timedelta(minutes=3), timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=30))
"""How long a case of each priority may lie unclaimed: at every hour when urgent, else while the desk is open."""
IDLE = timedelta(minutes=10)
"""A responder who touched nothing for so long has gone, and so do the claims they have not answered."""


def unclaimed(session: Session, known: Calendar, at: datetime) -> list[Case]:
    """Cases that have lain unclaimed for too long, the most urgent first."""
    soonest = at - min(PATIENCE)
    waiting = select(Case).where(Case.status == CaseStatus.OPEN.value, Case.waiting_since <= soonest)
    cases = session.scalars(waiting.order_by(Case.priority, Case.waiting_since, Case.id))
    return [case for case in cases if waited(case, known, at) >= PATIENCE[case.priority]]


def waited(case: Case, known: Calendar, at: datetime) -> timedelta:
    """How long a case has waited: at every hour when it is urgent, else while the desk was open."""
    return at - case.waiting_since if case.priority <= URGENT else known.between(case.waiting_since, at)


def tell_patients(session: Session, vault: Vault, published: Published, cases: Sequence[Case], at: datetime) -> int:
    """Tell the patients of unclaimed cases, once each, that they are not forgotten; returns how many heard it."""
    heard = 0
    hours = published_hours(published.content)
    for case_id in [case.id for case in cases if case.unclaimed_told_at is None]:
        case = locked(session, case_id)
        thread = session.get_one(Thread, case.thread_id, populate_existing=True)
        if case.status != CaseStatus.OPEN or case.unclaimed_told_at is not None:
            continue
        case.unclaimed_told_at = at
        # Who never heard of a case, or is back with the assistant, does not hear of it now.
        if thread.owner == Owner.STAFF.value and any(reason(code).told for code in reasons_of(session, case)):
            _tell(session, vault, published, case, thread, at, hours)
            heard += 1
    return heard


def take_back(session: Session, vault: Vault, at: datetime) -> int:
    """Put claims back into the queue whose responder has gone without an answer; returns how many."""
    idle = (
        select(Case.id)
        .join(StaffAccount, StaffAccount.id == Case.claimed_by)
        .where(Case.status == CaseStatus.CLAIMED.value, Case.touched_at <= at - IDLE)
        .where(or_(StaffAccount.seen_at.is_(None), StaffAccount.seen_at <= at - IDLE))
        .order_by(Case.thread_id)
    )
    taken = 0
    for case_id in session.scalars(idle).all():
        case = locked(session, case_id)
        if case.status != CaseStatus.CLAIMED or case.touched_at is None or case.touched_at > at - IDLE:
            continue
        gone = case.claimed_by
        move(case, CaseStatus.OPEN)
        case.claimed_by = case.claimed_at = case.touched_at = None
        changed(case)
        if gone is not None:
            session.add(CaseReminder(case_id=case.id, staff_id=gone, why=Why.RETURNED.value, due_at=at, made_at=at))
        log(session, vault, case, "taken_back", staff_id=None, at=at, before=gone)
        taken += 1
    return taken


def _tell(
    session: Session, vault: Vault, published: Published, case: Case, thread: Thread, at: datetime, hours: Hours | None
) -> None:
    language = Language(thread.language)
    urgent = case.priority <= URGENT
    values = {**told(session, case, language, at, hours), "case_number": case.number}
    latest = threads.latest_session(session, thread.id)
    name = STILL_WAITING_URGENT if urgent else STILL_WAITING
    offer = () if case.call_back_at else (CALL_BACK, ASSISTANT)
    said = Said((name,), language, thread.channel, offer, values, despite_opt_out=case.priority == 0)
    session_id = latest.id if latest else None
    write_reply(session, vault, published, said, thread_id=thread.id, session_id=session_id, turn_id=None, at=at)
    log(session, vault, case, "unclaimed_told", staff_id=None, at=at)
