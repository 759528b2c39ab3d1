"""Cases: opened once per thread, gathering every further reason until a person resolves them.

A turn or a reason that comes within a week after a case was resolved opens the same case again, under its
number. A case that was merged goes on in the one it was put into.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.conversations.models import Thread
from bot.desk.hours.calendar import DEFAULT_HOURS, Hours
from bot.desk.hours.deadlines import episode, owes, set_clocks
from bot.desk.hours.switches import calendar
from bot.desk.integrations import events
from bot.desk.models import LIVE, Case, CaseReason, CaseStatus
from bot.desk.reasons import OTHERWISE, REASONS, Reason, reason
from bot.desk.staff.may import require
from bot.desk.staff.roles import Permission
from bot.desk.trail import log

CALL_BACK = "call_back"
"""The reason with which a patient asks to be called."""
REOPENS_WITHIN = timedelta(days=7)
"""A turn within this time after a case was resolved belongs to it."""


@dataclass(frozen=True)
class Opened:
    """A case with what this reason changed about it."""

    case: Case
    is_new: bool
    reason_is_new: bool
    reopened: bool = False


def open_case(
    session: Session, *, thread_id: int, reason: Reason, turn_id: int | None, at: datetime, hours: Hours = DEFAULT_HOURS
) -> Opened:
    """The thread's live case with this reason added; reopened or newly opened when there is none.

    A more urgent reason raises the priority and brings the deadlines forward; a lesser one never lowers them.
    """
    lock_thread(session, thread_id)
    case = _root(session, thread_id, lock=True)
    if case is None or (case.status == CaseStatus.RESOLVED and not _may_reopen(case, at)):
        case = _new_case(session, thread_id, reason, turn_id, at, hours)
        events.note(session, case, "opened", at)
        return Opened(case, is_new=True, reason_is_new=True)
    reopened = case.status == CaseStatus.RESOLVED
    if reopened:
        _reopen(case, at)
    elif reason.takes_over:
        _back(case, at)
    if reason.code == CALL_BACK:
        case.call_back_at = case.call_back_at or at
    reason_is_new = reopened or reason.code not in reasons_of(session, case)
    if reason_is_new:
        session.add(CaseReason(case_id=case.id, reason=reason.code, turn_id=turn_id, at=at))
        if reopened or reason.priority < case.priority:
            case.priority, case.reason, case.team = reason.priority, reason.code, reason.team
    set_clocks(session, case, calendar(session, at, hours))
    changed(case)
    if reopened or reason_is_new:
        events.note(session, case, "reopened" if reopened else "reason_added", at, reason=reason.code)
    if not reopened and reason.takes_over and turn_id is not None:
        events.note(session, case, "patient_wrote", at)
    return Opened(case, is_new=False, reason_is_new=reason_is_new, reopened=reopened)


def turn_arrived(session: Session, *, thread_id: int, turn_id: int, at: datetime, hours: Hours = DEFAULT_HOURS) -> Opened:
    """A turn of a patient whose thread belongs to the team: it waits in the thread's case from now on.

    A resolved case is open again, a snoozed one is back, and where there is none a new one is opened, so that no turn is lost.
    """
    lock_thread(session, thread_id)
    case = _root(session, thread_id, lock=True)
    if case is None or case.status == CaseStatus.RESOLVED:
        before = case.reason if case and _may_reopen(case, at) else OTHERWISE
        return open_case(session, thread_id=thread_id, reason=reason(before), turn_id=turn_id, at=at, hours=hours)
    _back(case, at)
    set_clocks(session, case, calendar(session, at, hours))
    changed(case)
    events.note(session, case, "patient_wrote", at)
    return Opened(case, is_new=False, reason_is_new=False)


def reopen(session: Session, vault: Vault, case_id: int, staff_id: int, at: datetime, hours: Hours = DEFAULT_HOURS) -> Case:
    """Open a closed case again under its number; raises BadInput after a week, or when the thread has another."""
    require(session, staff_id, Permission.WORK_CASES)
    case = locked(session, case_id)
    if case.status != CaseStatus.RESOLVED or not _may_reopen(case, at):
        raise BadInput("A case can be opened again within seven days after it was closed.")
    if unresolved_case(session, case.thread_id) is not None:
        raise BadInput("This patient has another open case: go on there.")
    _reopen(case, at)
    set_clocks(session, case, calendar(session, at, hours))
    changed(case)
    session.flush()
    log(session, vault, case, "reopened", staff_id=staff_id, at=at)
    return case


def add_reason(
    session: Session, vault: Vault, case_id: int, staff_id: int, code: str, at: datetime, hours: Hours = DEFAULT_HOURS
) -> Case:
    """Note a further reason that a responder has seen, such as a correction request; its clocks run since the case was opened.

    Raises BadInput for a word that is no reason, for a case that has ended, and without the role to work on cases.
    """
    require(session, staff_id, Permission.WORK_CASES)
    case = locked(session, case_id)
    if code not in REASONS or case.status not in LIVE:
        raise BadInput("There is no such reason, or the case has ended.")
    why = REASONS[code]
    if code not in reasons_of(session, case):
        session.add(CaseReason(case_id=case.id, reason=code, turn_id=None, at=episode(case)))
        if why.priority < case.priority:
            case.priority, case.reason, case.team = why.priority, code, why.team
        set_clocks(session, case, calendar(session, at, hours))
        changed(case)
        log(session, vault, case, "reason_added", staff_id=staff_id, at=at, reason=code)
    return case


def unresolved_case(session: Session, thread_id: int) -> Case | None:
    """The case of a thread that still needs a person, if any; for a merged one, the case it goes on in."""
    case = _root(session, thread_id)
    return case if case is not None and case.status in LIVE else None


def reasons_of(session: Session, case: Case | None) -> frozenset[str]:
    """Every reason a case has gathered since it was opened, or opened again; none for no case."""
    if case is None:
        return frozenset()
    gathered = select(CaseReason.reason).where(CaseReason.case_id == case.id, CaseReason.at >= episode(case))
    return frozenset(session.scalars(gathered))


def unresolved(session: Session, limit: int = 200) -> list[Case]:
    """Cases that need a person: the most urgent first, then the longest waiting."""
    live = select(Case).where(Case.status.in_([status.value for status in LIVE]))
    return list(session.scalars(live.order_by(Case.priority, Case.waiting_since, Case.id).limit(limit)))


def by_number(session: Session, number: str) -> Case | None:
    """The case with this number, however its digits are grouped; None for a number that is none or of no case."""
    if not is_number(number):
        return None
    digits = number.replace("-", "").replace(" ", "")
    return session.scalars(select(Case).where(Case.number == f"{digits[:4]}-{digits[4:8]}-{digits[8]}")).first()


def locked(session: Session, case_id: int) -> Case:
    """The case, locked until the transaction ends, its thread before it (the order in which turns take them).

    Raises sqlalchemy's NoResultFound for a number that is no case.
    """
    lock_thread(session, session.scalars(select(Case.thread_id).where(Case.id == case_id)).one())
    return session.scalars(
        select(Case).where(Case.id == case_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def lock_thread(session: Session, thread_id: int) -> None:
    """Make others who want this thread queue up instead of failing."""
    session.execute(update(Thread).where(Thread.id == thread_id).values(last_number=Thread.last_number))


def changed(case: Case) -> None:
    """Let every page that shows the case see that it is no longer as it was."""
    case.version += 1


def _root(session: Session, thread_id: int, *, lock: bool = False) -> Case | None:
    """The newest case of a thread, or the one it was merged into."""
    newest = select(Case).where(Case.thread_id == thread_id).order_by(Case.id.desc()).limit(1)
    case = session.scalars(newest).first()
    while case is not None and case.merged_into is not None:
        case = session.get(Case, case.merged_into)
    if case is None or not lock:
        return case
    return session.scalars(
        select(Case).where(Case.id == case.id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _may_reopen(case: Case, at: datetime) -> bool:
    return case.resolved_at is not None and at - case.resolved_at <= REOPENS_WITHIN


def _back(case: Case, at: datetime) -> None:
    """The patient waits again: whoever has the case sees it among what is to be answered."""
    owes(case, at)
    if case.status in (CaseStatus.WAITING, CaseStatus.SNOOZED):
        move(case, CaseStatus.CLAIMED)
        case.snoozed_until = None
        case.touched_at = at  # the time to answer begins now: there was nothing to answer before


def _reopen(case: Case, at: datetime) -> None:
    move(case, CaseStatus.OPEN)
    case.reopened_at, case.waiting_since = at, at
    case.first_responded_at = case.next_response_due_at = case.unclaimed_told_at = case.snoozed_until = case.call_back_at = None
    case.claimed_by = case.claimed_at = case.touched_at = None
    case.resolved_at = case.resolved_by = case.outcome = None


def _new_case(session: Session, thread_id: int, why: Reason, turn_id: int | None, at: datetime, hours: Hours) -> Case:
    case = Case(
        number=new_number(),
        thread_id=thread_id,
        reason=why.code,
        priority=why.priority,
        team=why.team,
        turn_id=turn_id,
        opened_at=at,
        waiting_since=at,
        first_response_due_at=at,
    )
    session.add(case)
    session.flush()
    session.add(CaseReason(case_id=case.id, reason=why.code, turn_id=turn_id, at=at))
    set_clocks(session, case, calendar(session, at, hours))
    return case


def new_number() -> str:
    """A case number such as `4812-0736-5`: random, so that it tells nobody how many cases there are; the
    last digit checks the others (Luhn, ISO/IEC 7812-1), so that a misread number is noticed."""
    digits = f"{secrets.randbelow(10**8):08}"
    return f"{digits[:4]}-{digits[4:]}-{_check_digit(digits)}"


def is_number(text: str) -> bool:
    """Whether a text is a well-formed case number."""
    digits = text.replace("-", "").replace(" ", "")
    return len(digits) == 9 and digits.isascii() and digits.isdecimal() and _check_digit(digits[:8]) == digits[8]


def _check_digit(digits: str) -> str:
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)
