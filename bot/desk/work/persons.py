"""Whom on file a case concerns, and putting two cases of one person together.

A telephone number or an address proves nothing: cases are merged only when both are known, by a code or by a call
to a contact on file, to be the same person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.conversations.models import Thread
from bot.desk.cases import changed, lock_thread
from bot.desk.hours.calendar import DEFAULT_HOURS, Hours
from bot.desk.hours.deadlines import set_clocks
from bot.desk.hours.switches import calendar
from bot.desk.models import HELD, LIVE, Case, CaseReason, CaseStatus
from bot.desk.reasons import reason
from bot.desk.records import CallResult, CaseCall, CaseMerge, CasePerson, Known
from bot.desk.staff.may import require
from bot.desk.staff.roles import Permission
from bot.desk.trail import log

PROVEN = (Known.VERIFIED.value, Known.CONFIRMED.value)


def link(
    session: Session, vault: Vault, case_id: int, person_id: int, known: Known, *, staff_id: int | None, at: datetime
) -> CasePerson:
    """Note that a case concerns a person on file; a stronger way of knowing replaces a weaker one, never the other way round."""
    if staff_id is not None:
        require(session, staff_id, Permission.WORK_CASES)
        if known is Known.VERIFIED:
            raise BadInput("Only a one-time code proves that somebody is verified.")
        if known is Known.CONFIRMED and not _spoken_with(session, case_id):
            raise BadInput("Confirmed is only whom you spoke with: log the call first.")
    case = session.get_one(Case, case_id)
    row = session.get(CasePerson, (case_id, person_id), with_for_update=True)
    order = list(Known)
    if row is not None and order.index(known) >= order.index(Known(row.known)):
        return row
    if row is None:
        by = f"staff:{staff_id}" if staff_id is not None else "assistant"
        row = CasePerson(case_id=case_id, person_id=person_id, known=known.value, by=by, at=at)
        session.add(row)
    else:
        row.known, row.at = known.value, at
    changed(case)
    log(session, vault, case, "person_linked", staff_id=staff_id, at=at, person=person_id, known=known.value)
    return row


def unlink(session: Session, vault: Vault, case_id: int, person_id: int, *, staff_id: int, at: datetime) -> None:
    """Take a person off a case."""
    require(session, staff_id, Permission.WORK_CASES)
    row = session.get(CasePerson, (case_id, person_id))
    if row is not None:
        session.delete(row)
        case = session.get_one(Case, case_id)
        changed(case)
        log(session, vault, case, "person_unlinked", staff_id=staff_id, at=at, person=person_id)


def persons_of(session: Session, case_id: int) -> Sequence[CasePerson]:
    """The persons on file whom a case concerns, those proven first."""
    rows = session.scalars(select(CasePerson).where(CasePerson.case_id == case_id)).all()
    return sorted(rows, key=lambda row: (list(Known).index(Known(row.known)), row.person_id))


def others_of(session: Session, case_id: int) -> Sequence[Case]:
    """Live cases of the same proven persons: those that could be merged with this one."""
    mine = select(CasePerson.person_id).where(CasePerson.case_id == case_id, CasePerson.known.in_(PROVEN))
    theirs = select(CasePerson.case_id).where(CasePerson.person_id.in_(mine), CasePerson.known.in_(PROVEN))
    live = [status.value for status in LIVE]
    return session.scalars(
        select(Case).where(Case.id.in_(theirs), Case.id != case_id, Case.status.in_(live)).order_by(Case.id)
    ).all()


def merge(
    session: Session,
    vault: Vault,
    case_id: int,
    into_id: int,
    *,
    staff_id: int,
    at: datetime,
    hours: Hours = DEFAULT_HOURS,
) -> Case:
    """Put a case into another of the same person; what comes on either thread then waits in the second.

    Raises BadInput when they are one and the same, when either has ended, when a colleague has one of them, or when it
    is not proven that they are one person's.
    """
    require(session, staff_id, Permission.MERGE_CASES)
    case, into = _both(session, case_id, into_id)
    if case.status not in LIVE or into.status not in LIVE:
        raise BadInput("One of the two cases has ended or was merged already.")
    for one in (case, into):
        if one.status in HELD and one.claimed_by != staff_id:
            raise BadInput("A colleague has one of the two cases: take it over first, or ask them.")
    if not _proven(session, case_id) & _proven(session, into_id):
        raise BadInput("It is not proven that both cases are the same person's: a number or an address is not enough.")
    move(case, CaseStatus.MERGED)
    case.merged_into, case.claimed_by, case.claimed_at, case.touched_at = into.id, None, None, None
    # What was merged into the first goes along: a thread is one step away from its case.
    session.execute(update(Case).where(Case.merged_into == case.id).values(merged_into=into.id))
    session.add(CaseMerge(case_id=case.id, into_id=into.id, staff_id=staff_id, at=at))
    into.waiting_since = min(into.waiting_since, case.waiting_since)
    _as_urgent_as_its_reasons(session, into)
    _changed(session, (case, into), at, hours)
    log(session, vault, case, "merged", staff_id=staff_id, at=at, into=into.number)
    log(session, vault, into, "merged_from", staff_id=staff_id, at=at, other=case.number)
    return into


def undo_merge(
    session: Session, vault: Vault, case_id: int, *, staff_id: int, at: datetime, hours: Hours = DEFAULT_HOURS
) -> Case:
    """Take a merged case out again: it is in the queue under its own number. Raises BadInput when it is not merged."""
    require(session, staff_id, Permission.MERGE_CASES)
    case = session.get(Case, case_id)
    if case is None or case.merged_into is None:
        raise BadInput("This case is not merged.")
    case, into = _both(session, case_id, case.merged_into)
    if case.status != CaseStatus.MERGED or case.merged_into != into.id:
        raise BadInput("This case is not merged.")
    move(case, CaseStatus.OPEN)
    case.merged_into = None
    newest = select(CaseMerge).where(CaseMerge.case_id == case_id, CaseMerge.undone_at.is_(None)).order_by(CaseMerge.id.desc())
    record = session.scalars(newest.limit(1)).first()
    if record is not None:
        record.undone_at = at
    _as_urgent_as_its_reasons(session, into)
    _changed(session, (case, into), at, hours)
    log(session, vault, case, "merge_undone", staff_id=staff_id, at=at, other=into.number)
    log(session, vault, into, "merge_undone", staff_id=staff_id, at=at, other=case.number)
    return case


def merged_into(session: Session, case_id: int) -> Sequence[Case]:
    """The cases that go on within this one."""
    return session.scalars(select(Case).where(Case.merged_into == case_id).order_by(Case.id)).all()


def threads_of(session: Session, case: Case) -> Sequence[Thread]:
    """The threads on which a case's patient writes: its own first, then those of what was merged into it."""
    ids = select(Case.thread_id).where(or_(Case.id == case.id, Case.merged_into == case.id))
    found = session.scalars(select(Thread).where(Thread.id.in_(ids))).all()
    return sorted(found, key=lambda thread: (thread.id != case.thread_id, thread.id))


def _both(session: Session, one: int, other: int) -> tuple[Case, Case]:
    """Both cases, locked in one order whatever the direction: two who merge crosswise queue up."""
    if one == other:
        raise BadInput("A case cannot be merged into itself.")
    for thread_id in sorted(session.scalars(select(Case.thread_id).where(Case.id.in_((one, other))))):
        lock_thread(session, thread_id)
    both = select(Case).where(Case.id.in_((one, other))).order_by(Case.id).with_for_update()
    found = {case.id: case for case in session.scalars(both.execution_options(populate_existing=True))}
    if len(found) != 2:
        raise BadInput("One of the two cases does not exist.")
    return found[one], found[other]


def _proven(session: Session, case_id: int) -> set[int]:
    rows = select(CasePerson.person_id).where(CasePerson.case_id == case_id, CasePerson.known.in_(PROVEN))
    return set(session.scalars(rows))


def _spoken_with(session: Session, case_id: int) -> bool:
    reached = select(CaseCall.id).where(CaseCall.case_id == case_id, CaseCall.result == CallResult.REACHED.value)
    return session.scalar(reached.limit(1)) is not None


def _as_urgent_as_its_reasons(session: Session, case: Case) -> None:
    session.flush()
    own = select(Case.id).where(or_(Case.id == case.id, Case.merged_into == case.id))
    codes = session.scalars(select(CaseReason.reason).where(CaseReason.case_id.in_(own))).all()
    leading = min((reason(code) for code in codes), key=lambda why: why.priority)
    if leading.priority != case.priority:
        case.priority, case.reason = leading.priority, leading.code


def _changed(session: Session, cases: tuple[Case, ...], at: datetime, hours: Hours) -> None:
    known = calendar(session, at, hours)
    for case in cases:
        set_clocks(session, case, known)
        changed(case)
