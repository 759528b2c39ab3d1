"""How often something may be tried: counted in rows, so that it holds over processes and restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.base.errors import TooMany
from bot.desk.staff.models import StaffAttempt

KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """So many tries within a time."""

    kind: str
    most: int
    within: timedelta


SIGN_IN_PERSON = Limit("sign_in_who", 5, timedelta(minutes=15))
SIGN_IN_ADDRESS = Limit("sign_in_where", 30, timedelta(minutes=15))
SEARCH = Limit("search", 60, timedelta(hours=1))
REVEAL = Limit("reveal", 120, timedelta(hours=1))


def check(session: Session, limit: Limit, entry: str, at: datetime) -> None:
    """Raise TooMany, with the time until it may be tried again, when the tries are used up."""
    _one_at_a_time(session, limit, entry)
    recent = select(func.count(), func.min(StaffAttempt.at)).where(
        StaffAttempt.kind == limit.kind, StaffAttempt.entry == entry, StaffAttempt.at > at - limit.within
    )
    number, first = session.execute(recent).one()
    if number >= limit.most:
        left = first + limit.within - at
        raise TooMany("Tried too often: wait a while.", retry_after_s=max(1, int(left.total_seconds())))


def count(session: Session, limit: Limit, entry: str, at: datetime) -> None:
    """Count a try."""
    session.add(StaffAttempt(kind=limit.kind, entry=entry, at=at))


def forget(session: Session, limit: Limit, entry: str) -> None:
    """Begin anew, after success."""
    session.execute(delete(StaffAttempt).where(StaffAttempt.kind == limit.kind, StaffAttempt.entry == entry))


def _one_at_a_time(session: Session, limit: Limit, entry: str) -> None:
    # SQLite has one writer; on PostgreSQL a hundred tries at once would each see none of the others.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{limit.kind} {entry}", 0))))


def sweep(session: Session, at: datetime) -> None:
    """Drop what counts no more."""
    session.execute(delete(StaffAttempt).where(StaffAttempt.at < at - KEPT))
