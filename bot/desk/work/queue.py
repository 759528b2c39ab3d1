"""The queue: what waits, in which order, and how a page notices that it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from bot.conversations.models import Thread
from bot.desk.hours.deadlines import breached
from bot.desk.models import HELD, LIVE, Case, CaseStatus

_LIVE = [status.value for status in LIVE]


@dataclass(frozen=True)
class Filters:
    """What of the queue is wanted; everything that is live by default."""

    status: CaseStatus | None = None
    team: str | None = None
    priority: int | None = None
    claimed_by: int | None = None
    reason: str | None = None
    channel: str | None = None
    language: str | None = None
    only_breached: bool = False
    only_unclaimed: bool = False
    after: tuple[int, datetime, int] | None = None  # priority, since when and id of the last case of the page before


@dataclass(frozen=True)
class Row:
    """A case as the queue shows it, with what is known of its thread."""

    case: Case
    channel: str
    language: str
    owner: str


@dataclass(frozen=True)
class Counts:
    """The queue in numbers."""

    unclaimed: int
    held: int
    by_priority: dict[int, int]  # of all live cases
    by_team: dict[str, int]
    breached: int
    waiting_since: datetime | None  # of the patient who has waited longest for an answer


def page(session: Session, filters: Filters, at: datetime, *, limit: int = 100, offset: int = 0) -> list[Row]:
    """Live cases that match: the most urgent first, then those whose patient has waited longest."""
    wanted = (
        select(Case, Thread.channel, Thread.language, Thread.owner)
        .join(Thread, Thread.id == Case.thread_id)
        .where(*_conditions(filters, at))
        .order_by(Case.priority, Case.waiting_since, Case.id)
    )
    rows = session.execute(wanted.limit(limit).offset(offset)).all()
    return [Row(case, channel, language, owner) for case, channel, language, owner in rows]


def counts(session: Session, at: datetime) -> Counts:
    """How many cases wait, are held and are overdue."""
    of_status = _grouped(session, Case.status)
    owed = [CaseStatus.OPEN.value, CaseStatus.CLAIMED.value]
    return Counts(
        unclaimed=of_status.get(CaseStatus.OPEN.value, 0),
        held=sum(of_status.get(status.value, 0) for status in HELD),
        by_priority=_grouped(session, Case.priority),
        by_team=_grouped(session, Case.team),
        breached=session.scalar(select(func.count()).select_from(Case).where(breached(at))) or 0,
        waiting_since=session.scalar(select(func.min(Case.waiting_since)).where(Case.status.in_(owed))),
    )


def fingerprint(session: Session) -> str:
    """A short text that differs after any change to any live case: a page that knows it need not ask again."""
    found = session.execute(
        select(func.count(), func.coalesce(func.sum(Case.version), 0), func.coalesce(func.max(Case.id), 0)).where(
            Case.status.in_(_LIVE)
        )
    ).one()
    return "-".join(str(part) for part in found)


def urgent_unclaimed(session: Session, limit: int = 20) -> Sequence[Case]:
    """Emergencies and same-day cases that nobody has taken: what a page rings for."""
    wanted = select(Case).where(Case.status == CaseStatus.OPEN.value, Case.priority <= 1)
    return session.scalars(wanted.order_by(Case.priority, Case.waiting_since, Case.id).limit(limit)).all()


def meant_for(session: Session, staff_id: int) -> Sequence[Case]:
    """Cases that were handed to somebody who has not taken them yet."""
    wanted = select(Case).where(Case.status == CaseStatus.OPEN.value, Case.meant_for == staff_id)
    return session.scalars(wanted.order_by(Case.priority, Case.waiting_since, Case.id)).all()


def _conditions(filters: Filters, at: datetime) -> list[ColumnElement[bool]]:
    equal = {
        Case.status: filters.status.value if filters.status else None,
        Case.team: filters.team,
        Case.priority: filters.priority,
        Case.claimed_by: filters.claimed_by,
        Case.reason: filters.reason,
        Thread.channel: filters.channel,
        Thread.language: filters.language,
    }
    found = [column == value for column, value in equal.items() if value is not None]
    if filters.status is None:
        found.append(Case.status.in_(_LIVE))
    if filters.only_unclaimed:
        found.append(Case.status == CaseStatus.OPEN.value)
    if filters.only_breached:
        found.append(breached(at))
    if filters.after is not None:
        priority, since, case_id = filters.after
        later = or_(Case.waiting_since > since, and_(Case.waiting_since == since, Case.id > case_id))
        found.append(or_(Case.priority > priority, and_(Case.priority == priority, later)))
    return found


def _grouped(session: Session, column: Any) -> dict[Any, int]:
    grouped = select(column, func.count()).where(Case.status.in_(_LIVE)).group_by(column)
    return {row[0]: row[1] for row in session.execute(grouped)}
