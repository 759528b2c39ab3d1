"""How long a patient will probably wait for a person: from what the desk managed lately, or when it opens.

An estimate is a range, and where there is nothing to go by it says so; a number is never made up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.conversations.speaking.wording import spoken_moment
from bot.desk.hours.calendar import DEFAULT_HOURS, Calendar, Hours
from bot.desk.hours.switches import calendar
from bot.desk.models import Case, CaseStatus
from bot.desk.staff.models import AccountStatus, StaffAccount

LATELY = timedelta(hours=2)
ENOUGH = 5
"""Cases answered lately from which a pace can be told."""
MINUTES_A_CASE = 8
"""What one responder needs for a case while nothing is known of the pace (`desk.md`, hand-off load)."""
ROUGHLY = (0.75, 1.5)
"""The range around the middle."""
STEP = 5
"""Minutes to which the range is rounded outwards."""
MOST_MINUTES = 90
"""Above this the range is told in hours."""


class WaitKind(StrEnum):
    """How a wait is told."""

    MINUTES = "minutes"  # a range in minutes
    HOURS = "hours"  # a range in hours
    CLOSED = "closed"  # the desk is closed, or today's time is used up: when it opens
    UNKNOWN = "unknown"  # nothing to go by


@dataclass(frozen=True)
class Wait:
    """How long somebody will probably wait for a person."""

    kind: WaitKind
    low: int = 0  # minutes or hours
    high: int = 0
    opens_at: datetime | None = None


def wait_of(session: Session, case: Case, at: datetime, hours: Hours | None = DEFAULT_HOURS) -> Wait:
    """The wait of a case in the queue."""
    ahead = session.scalar(
        select(func.count())
        .select_from(Case)
        .where(Case.status == CaseStatus.OPEN.value, Case.id != case.id)
        .where(
            or_(
                Case.priority < case.priority,
                and_(Case.priority == case.priority, Case.waiting_since < case.waiting_since),
                and_(Case.priority == case.priority, Case.waiting_since == case.waiting_since, Case.id < case.id),
            )
        )
    )
    return _wait(session, ahead or 0, at, calendar(session, at, hours) if hours else None)


def wait_now(session: Session, at: datetime, hours: Hours | None = DEFAULT_HOURS) -> Wait:
    """The wait of somebody who would ask for a person now, without an emergency."""
    ahead = session.scalar(select(func.count()).select_from(Case).where(Case.status == CaseStatus.OPEN.value))
    return _wait(session, ahead or 0, at, calendar(session, at, hours) if hours else None)


def told(session: Session, case: Case | None, language: Language, at: datetime, hours: Hours | None) -> Mapping[str, str]:
    """What a reply may say of the wait of its case; without a case, or before the hours are known, no more than is known."""
    return values(Wait(WaitKind.UNKNOWN) if case is None else wait_of(session, case, at, hours), language)


def values(wait: Wait, language: Language) -> Mapping[str, str]:
    """The wait as the hand-over wordings ask for it."""
    return {
        "wait": wait.kind.value,
        "wait_low": str(wait.low),
        "wait_high": str(wait.high),
        "wait_opens": spoken_moment(wait.opens_at, language) if wait.opens_at else "",
    }


def _wait(session: Session, ahead: int, at: datetime, known: Calendar | None) -> Wait:
    opens = known.next_opening(at) if known else at
    if opens is None:
        return Wait(WaitKind.UNKNOWN)
    if opens > at:
        return Wait(WaitKind.CLOSED, opens_at=opens)
    pace = _cases_an_hour(session, at)
    if not pace:
        return Wait(WaitKind.UNKNOWN)
    middle = timedelta(hours=(ahead + 1) / pace)
    if known:
        answered = known.add(at, middle)
        if answered - at > middle:  # closing time lies between: not today
            return Wait(WaitKind.CLOSED, opens_at=known.next_opening(answered))
    return _range(middle / timedelta(minutes=1))


def _range(middle: float) -> Wait:
    low = max(STEP, math.floor(middle * ROUGHLY[0] / STEP) * STEP)
    high = max(low + STEP, math.ceil(middle * ROUGHLY[1] / STEP) * STEP)
    if high <= MOST_MINUTES:
        return Wait(WaitKind.MINUTES, low, high)
    low_hours = max(1, math.floor(low / 60))
    return Wait(WaitKind.HOURS, low_hours, max(low_hours + 1, math.ceil(high / 60)))


def _cases_an_hour(session: Session, at: datetime) -> float:
    answered = session.scalar(
        select(func.count()).select_from(Case).where(Case.first_responded_at > at - LATELY, Case.first_responded_at <= at)
    )
    if answered and answered >= ENOUGH:
        return answered / (LATELY / timedelta(hours=1))
    return staff_on_duty(session) * 60 / MINUTES_A_CASE


def staff_on_duty(session: Session) -> int:
    """How many members of the team say that they are on duty."""
    on_duty = select(func.count()).select_from(StaffAccount)
    return session.scalar(on_duty.where(StaffAccount.on_duty.is_(True), StaffAccount.status == AccountStatus.ACTIVE.value)) or 0
