"""The clocks of a case: first answer, next answer, resolution, and what the law sets.

They are computed anew from the rows whenever something changes, so that a storm that closes the desk moves
them and nothing has to be remembered. Urgent ones run at every hour, the law's on every day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from bot.desk.hours.calendar import DEFAULT_HOURS, Calendar, Hours
from bot.desk.hours.switches import calendar
from bot.desk.models import LIVE, Case, CaseReason
from bot.desk.reasons import URGENT, Reason, Statute, reason

WARN_AT = 0.75
"""From this part of its time on, a clock warns."""


class ClockKind(StrEnum):
    """What is due."""

    FIRST = "first"  # the first answer of a person
    NEXT = "next"  # the answer to the latest turns
    RESOLUTION = "resolution"  # the end of the matter
    STATUTE = "statute"  # what the law sets


class ClockState(StrEnum):
    """How a clock stands."""

    RUNNING = "running"  # there is time
    WARNING = "warning"  # three quarters of the time have gone
    BREACHED = "breached"  # the time is over


@dataclass(frozen=True)
class ClockFace:
    """One running clock of a case."""

    kind: ClockKind
    due_at: datetime
    state: ClockState


def set_clocks(session: Session, case: Case, known: Calendar) -> None:
    """Compute all clocks of a case from its reasons; what was answered stays answered."""
    session.flush()
    reasons = _reasons(session, case) or [(reason(case.reason), episode(case))]
    if case.first_responded_at is None:
        case.first_response_due_at = min(_due(why, at, why.first_response, known) for why, at in reasons)
    case.resolution_due_at = min(_due(why, at, why.resolution, known) for why, at in reasons)
    by_law = [at + timedelta(days=_days(why.statute, known)) for why, at in reasons if why.statute]
    case.statutory_due_at = min(by_law) if by_law else None
    if case.next_response_due_at is not None:
        leading = min((why for why, _ in reasons), key=lambda why: why.next_response)
        case.next_response_due_at = _due(leading, case.waiting_since, leading.next_response, known)


def is_owed(case: Case) -> bool:
    """Whether the patient waits for an answer: the first one, or one to what came after it."""
    return case.first_responded_at is None or case.next_response_due_at is not None


def answered(case: Case, at: datetime) -> None:
    """A person has answered: it is the patient's turn."""
    case.first_responded_at = case.first_responded_at or at
    case.next_response_due_at = None


def owes(case: Case, at: datetime) -> None:
    """The patient has written: unless an answer was owed already, the wait begins now; `set_clocks` says until when."""
    if not is_owed(case):
        case.waiting_since = case.next_response_due_at = at


def episode(case: Case) -> datetime:
    """When the present need began: the opening, or the last reopening."""
    return case.reopened_at or case.opened_at


def reschedule(session: Session, at: datetime, hours: Hours = DEFAULT_HOURS) -> int:
    """Compute the clocks of all live cases that keep office hours anew, after the weather or the hours changed."""
    known = calendar(session, at, hours)
    live = select(Case).where(Case.status.in_([status.value for status in LIVE]), Case.priority > URGENT).order_by(Case.id)
    cases = session.scalars(live.with_for_update(of=Case)).all()
    for case in cases:
        set_clocks(session, case, known)
    return len(cases)


def clocks(case: Case, known: Calendar, at: datetime) -> list[ClockFace]:
    """The clocks that run on a case at a moment, the nearest first; none on one that has ended."""
    if case.status not in LIVE:
        return []
    begun = episode(case)
    found = []
    if case.first_responded_at is None:
        found.append(_face(ClockKind.FIRST, begun, case.first_response_due_at, case, known, at))
    if case.next_response_due_at is not None:
        found.append(_face(ClockKind.NEXT, case.waiting_since, case.next_response_due_at, case, known, at))
    if case.resolution_due_at is not None:
        found.append(_face(ClockKind.RESOLUTION, begun, case.resolution_due_at, case, known, at))
    if case.statutory_due_at is not None:
        gone = (at - begun) / max(case.statutory_due_at - begun, timedelta(seconds=1))
        found.append(ClockFace(ClockKind.STATUTE, case.statutory_due_at, _state(gone)))
    return sorted(found, key=lambda face: face.due_at)


def breached(at: datetime) -> ColumnElement[bool]:
    """The condition that an answer or the end of a live case is overdue at a moment."""
    return and_(
        Case.status.in_([status.value for status in LIVE]),
        or_(
            and_(Case.first_responded_at.is_(None), Case.first_response_due_at < at),
            Case.next_response_due_at < at,
            Case.resolution_due_at < at,
            Case.statutory_due_at < at,
        ),
    )


def breaches(session: Session, at: datetime) -> int:
    """How many live cases are overdue at a moment."""
    return session.scalar(select(func.count()).select_from(Case).where(breached(at))) or 0


def _reasons(session: Session, case: Case) -> Sequence[tuple[Reason, datetime]]:
    own = select(Case.id).where(or_(Case.id == case.id, Case.merged_into == case.id))
    rows = session.execute(
        select(CaseReason.reason, CaseReason.at).where(
            CaseReason.case_id.in_(own), or_(CaseReason.case_id != case.id, CaseReason.at >= episode(case))
        )
    )
    return [(reason(code), at) for code, at in rows]


def _due(why: Reason, at: datetime, time_allowed: timedelta, known: Calendar) -> datetime:
    return at + time_allowed if why.is_urgent else known.add(at, time_allowed)


def _days(statute: Statute, known: Calendar) -> int:
    return (known.hours.complaint_days or statute.days) if statute.follows else statute.days


def _face(kind: ClockKind, begun: datetime, due: datetime, case: Case, known: Calendar, at: datetime) -> ClockFace:
    if due <= at:
        return ClockFace(kind, due, ClockState.BREACHED)
    if case.priority <= URGENT:
        gone, whole = at - begun, due - begun
    else:
        gone, whole = known.between(begun, at), known.between(begun, due)
    return ClockFace(kind, due, _state(gone / max(whole, timedelta(seconds=1))))


def _state(part: float) -> ClockState:
    if part >= 1:
        return ClockState.BREACHED
    return ClockState.WARNING if part >= WARN_AT else ClockState.RUNNING
