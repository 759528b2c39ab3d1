"""Deadlines of cases told to programs: once when three quarters of their time have gone, once when they have passed.

When a clock warns is computed once for each clock and kept in this process; only what changed is computed anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.base import leases
from bot.base.clock import Clock
from bot.base.database import Database
from bot.base.errors import NotPublished
from bot.conversations.speaking.publication import Library
from bot.desk.hours.calendar import DEFAULT_HOURS, Calendar, desk_hours
from bot.desk.hours.deadlines import WARN_AT, ClockKind, ClockState, episode
from bot.desk.hours.switches import calendar
from bot.desk.integrations.events import listeners, note_for
from bot.desk.integrations.models import ClockTold
from bot.desk.models import LIVE, Case
from bot.desk.reasons import URGENT

LEASE = "desk.clocks_told"
LEASE_S = 120.0
EVERY = timedelta(seconds=30)
EVENT = {ClockState.WARNING: "case.warned", ClockState.BREACHED: "case.breached"}
Moment = tuple[Case, ClockKind, datetime, ClockState, datetime]
"""A clock of a case, when it is due, a state, and since when it is in it."""


class ClockTeller:
    """One process's round; of many processes one does it, under a lease."""

    def __init__(self, database: Database, library: Library, clock: Clock, holder: str) -> None:
        self._database, self._library, self._clock, self._holder = database, library, clock, holder
        self._next: datetime | None = None
        self._warns: dict[tuple[int, ClockKind, datetime], datetime] = {}

    def tick(self) -> int:
        """Tell what has to be told, if it is time and the lease is ours; returns how many events were laid down."""
        at = self._clock()
        if self._next is not None and self._next - EVERY <= at < self._next:
            return 0
        self._next = at + EVERY
        with self._database.reading() as session:
            since = _listened_since(session)
            if since is None:
                return 0
            moments = [one for one in self._moments(session, at) if since <= one[4] <= at]
            marks = session.execute(select(ClockTold.case_id, ClockTold.clock, ClockTold.state, ClockTold.due_at))
            told = {(mark.case_id, mark.clock, mark.state, mark.due_at) for mark in marks}
        new = [one for one in moments if (one[0].id, one[1].value, one[3].value, one[2]) not in told]
        if not new:
            return 0
        with self._database.writing() as session:
            if not leases.take(session, name=LEASE, holder=self._holder, at=at, seconds=LEASE_S):
                return 0
            _forget_ended(session)
            return sum(_tell(session, one, at) for one in new)

    def _moments(self, session: Session, at: datetime) -> Iterator[Moment]:
        try:
            hours = desk_hours(self._library.current(session, at).content)
        except NotPublished:
            hours = DEFAULT_HOURS
        known, before, self._warns = calendar(session, at, hours), self._warns, {}
        for case in session.scalars(select(Case).where(Case.status.in_([status.value for status in LIVE]))):
            for kind, begun, due in _clocks(case):
                key = (case.id, kind, due)
                warns = before.get(key) or _warns_at(case, kind, begun, due, known)
                self._warns[key] = warns
                if due <= at:
                    yield case, kind, due, ClockState.BREACHED, due
                elif warns <= at:
                    yield case, kind, due, ClockState.WARNING, warns


def _clocks(case: Case) -> Iterator[tuple[ClockKind, datetime, datetime]]:
    if case.first_responded_at is None:
        yield ClockKind.FIRST, episode(case), case.first_response_due_at
    if case.next_response_due_at is not None:
        yield ClockKind.NEXT, case.waiting_since, case.next_response_due_at
    if case.resolution_due_at is not None:
        yield ClockKind.RESOLUTION, episode(case), case.resolution_due_at
    if case.statutory_due_at is not None:
        yield ClockKind.STATUTE, episode(case), case.statutory_due_at


def _warns_at(case: Case, kind: ClockKind, begun: datetime, due: datetime, known: Calendar) -> datetime:
    if case.priority <= URGENT or kind is ClockKind.STATUTE:
        return begun + (due - begun) * WARN_AT
    return known.add(begun, known.between(begun, due) * WARN_AT)


def _listened_since(session: Session) -> datetime | None:
    """Since when anybody wants to hear of deadlines; what lies before is not told afterwards."""
    wanted = [one.made_at for name in EVENT.values() for one in listeners(session, name)]
    return min(wanted) if wanted else None


def _tell(session: Session, moment: Moment, at: datetime) -> int:
    case, kind, due, state, since = moment
    values = {"case_id": case.id, "clock": kind.value, "state": state.value, "due_at": due}
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    mark = insert(ClockTold).values(values).on_conflict_do_nothing().returning(ClockTold.case_id)
    if session.execute(mark).first() is None:
        return 0
    fresh = session.get(Case, case.id)
    wanted = [one for one in listeners(session, EVENT[state]) if one.made_at <= since]
    if fresh is None or fresh.status not in LIVE or not wanted:
        return 0
    note_for(session, wanted, EVENT[state], fresh, at, clock=kind.value, due_at=due.isoformat())
    return 1


def _forget_ended(session: Session) -> None:
    live = exists().where(Case.id == ClockTold.case_id, Case.status.in_([status.value for status in LIVE]))
    session.execute(delete(ClockTold).where(~live))
