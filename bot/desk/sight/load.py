"""The load of the desk, as whoever sends notices reads it: notices go out as fast as the people answering can cope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.desk.hours.calendar import DEFAULT_HOURS, Hours
from bot.desk.hours.deadlines import breaches
from bot.desk.hours.estimates import Wait, staff_on_duty, wait_now
from bot.desk.hours.switches import calendar, is_on
from bot.desk.models import LIVE, Case, CaseStatus
from bot.desk.records import Switch

LATELY = timedelta(hours=1)


@dataclass(frozen=True)
class Load:
    """How the desk stands at a moment."""

    waiting: int  # cases that nobody has taken
    live: int  # all cases that need a person
    oldest: timedelta  # how long the longest waiting patient has waited; zero when nobody waits
    breached: int
    urgent_waiting: int
    opened_lately: int  # within the last hour
    answered_lately: int
    staff_on_duty: int
    is_open: bool
    surge: bool
    wait: Wait  # of somebody who would ask for a person now

    @property
    def per_person(self) -> float:
        """Live cases for each member of the team on duty; infinite when there are cases and nobody is on duty."""
        if self.staff_on_duty:
            return self.live / self.staff_on_duty
        return float("inf") if self.live else 0.0


def load(session: Session, at: datetime, hours: Hours = DEFAULT_HOURS) -> Load:
    """How the desk stands now."""
    live = [status.value for status in LIVE]
    waits = Case.status == CaseStatus.OPEN.value
    owed = Case.status.in_((CaseStatus.OPEN.value, CaseStatus.CLAIMED.value))
    since = session.scalar(select(func.min(Case.waiting_since)).where(owed))
    return Load(
        waiting=_count(session, waits),
        live=_count(session, Case.status.in_(live)),
        oldest=max(timedelta(), at - since) if since else timedelta(),
        breached=breaches(session, at),
        urgent_waiting=_count(session, waits, Case.priority <= 1),
        opened_lately=_count(session, func.coalesce(Case.reopened_at, Case.opened_at) > at - LATELY),
        answered_lately=_count(session, Case.first_responded_at > at - LATELY),
        staff_on_duty=staff_on_duty(session),
        is_open=calendar(session, at, hours).is_open(at),
        surge=is_on(session, Switch.SURGE),
        wait=wait_now(session, at, hours),
    )


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Case).where(*conditions)) or 0
