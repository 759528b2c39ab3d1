"""The figures of the wallboard, each a plain function over rows of a span of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, case, cast, func, or_, select, text
from sqlalchemy.orm import Session

from bot.base.clock import HONG_KONG
from bot.conversations.models import Owner, Reply, Thread, Turn, TurnStatus
from bot.conversations.post.models import Part, PartStatus
from bot.desk.hours.deadlines import breaches
from bot.desk.models import Case, CaseReason, CaseStatus

NOT_UNDERSTOOD = ("not_understood", "clarify", "out_of_scope")
"""Wordings said when a turn was not understood."""


@dataclass(frozen=True)
class Span:
    """A span of time; its end does not belong to it."""

    since: datetime
    until: datetime


def waiting(session: Session) -> int:
    """Cases that nobody has taken."""
    return session.scalar(select(func.count()).select_from(Case).where(Case.status == CaseStatus.OPEN.value)) or 0


def oldest_wait(session: Session, at: datetime) -> timedelta:
    """How long the patient has waited who waits longest for an answer."""
    owed = (CaseStatus.OPEN.value, CaseStatus.CLAIMED.value)
    since = session.scalar(select(func.min(Case.waiting_since)).where(Case.status.in_(owed)))
    return max(timedelta(), at - since) if since else timedelta()


def overdue(session: Session, at: datetime) -> int:
    """Live cases past a deadline."""
    return breaches(session, at)


def threads_of_channels(session: Session, span: Span) -> Mapping[str, frozenset[int]]:
    """The threads with a turn in the span, by channel."""
    wrote = select(Turn.thread_id).where(Turn.received_at >= span.since, Turn.received_at < span.until).distinct().subquery()
    found: dict[str, set[int]] = {}
    for channel, thread_id in session.execute(select(Thread.channel, Thread.id).join(wrote, wrote.c.thread_id == Thread.id)):
        found.setdefault(str(channel), set()).add(int(thread_id))
    return {channel: frozenset(ids) for channel, ids in sorted(found.items())}


def threads_with_person(session: Session, span: Span) -> frozenset[int]:
    """The threads for which a person was needed in the span, whether or not a turn of it was theirs."""
    left = select(Turn.thread_id).where(
        Turn.received_at >= span.since, Turn.received_at < span.until, Turn.status == TurnStatus.QUEUED.value
    )
    needed = (
        select(Case.thread_id)
        .join(CaseReason, CaseReason.case_id == Case.id)
        .where(CaseReason.at >= span.since, CaseReason.at < span.until)
    )
    return frozenset(session.scalars(left.union(needed)))


def replies_and_missed(session: Session, span: Span) -> tuple[int, int]:
    """How often the assistant replied in the span, and how often it said that it did not understand."""
    said = cast(Reply.say, Text)  # a list of names as JSON: no name has a quotation mark in it
    missed = or_(*(said.contains(f'"{name}"', autoescape=True) for name in NOT_UNDERSTOOD))
    counted = select(func.count(), func.count(case((missed, 1)))).where(
        Reply.created_at >= span.since,
        Reply.created_at < span.until,
        Reply.author != Owner.STAFF.value,
        Reply.turn_id.is_not(None),
    )
    replies, not_understood = session.execute(counted).one()
    return int(replies), int(not_understood)


def topics(session: Session, span: Span) -> Mapping[str, int]:
    """How many turns of the span were about each topic, the most frequent first."""
    return _turns(session, span, Turn.topic)


def languages(session: Session, span: Span) -> Mapping[str, int]:
    """How many turns of the span came in each language, the most frequent first."""
    return _turns(session, span, Turn.language)


def languages_by_hour(session: Session, span: Span) -> Mapping[datetime, Mapping[str, int]]:
    """How many turns came in each language in each full hour of a Hong Kong clock."""
    return _by_hour(session, span, Turn.language)


def topics_by_hour(session: Session, span: Span) -> Mapping[datetime, Mapping[str, int]]:
    """How many turns came about each topic in each full hour of a Hong Kong clock."""
    return _by_hour(session, span, Turn.topic)


def delivery_failures(session: Session, span: Span) -> Mapping[str, tuple[int, int]]:
    """For each channel, how many parts laid down in the span failed, and of how many."""
    counted = (
        select(Part.channel, Part.status, func.count())
        .where(Part.created_at >= span.since, Part.created_at < span.until)
        .group_by(Part.channel, Part.status)
    )
    failed: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for channel, status, number in session.execute(counted):
        whole[channel] += number
        failed[channel] += number if status == PartStatus.FAILED.value else 0
    return {channel: (failed[channel], whole[channel]) for channel in sorted(whole)}


def reasons(session: Session, span: Span) -> Mapping[str, int]:
    """How many times each reason called for a person in the span."""
    counted = (
        select(CaseReason.reason, func.count())
        .where(CaseReason.at >= span.since, CaseReason.at < span.until)
        .group_by(CaseReason.reason)
    )
    found = {str(row[0]): int(row[1]) for row in session.execute(counted)}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def outcomes(session: Session, span: Span) -> Mapping[str, int]:
    """How many cases were closed in the span, by outcome."""
    counted = (
        select(Case.outcome, func.count())
        .where(Case.resolved_at >= span.since, Case.resolved_at < span.until, Case.outcome.is_not(None))
        .group_by(Case.outcome)
    )
    return {str(row[0]): int(row[1]) for row in session.execute(counted)}


def first_response_kept(session: Session, span: Span, at: datetime) -> float | None:
    """The part of the first answers due in the span that came in time; None when none was due."""
    in_time = Case.first_responded_at <= Case.first_response_due_at
    counted = select(func.count(), func.count(case((in_time, 1)))).where(
        Case.first_response_due_at >= span.since,
        Case.first_response_due_at < min(span.until, at),
        or_(Case.first_responded_at.is_not(None), Case.status.in_([CaseStatus.OPEN.value, CaseStatus.CLAIMED.value])),
    )
    due, kept = session.execute(counted).one()
    return kept / due if due else None


def _turns(session: Session, span: Span, column: Any) -> Mapping[str, int]:
    counted = (
        select(column, func.count())
        .where(Turn.received_at >= span.since, Turn.received_at < span.until, column.is_not(None))
        .group_by(column)
    )
    found = {str(row[0]): int(row[1]) for row in session.execute(counted)}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _by_hour(session: Session, span: Span, column: Any) -> Mapping[datetime, Mapping[str, int]]:
    form = "%Y-%m-%d %H"
    step = (
        func.to_char(func.timezone(HONG_KONG.key, Turn.received_at), "YYYY-MM-DD HH24")
        if session.get_bind().dialect.name == "postgresql"
        else func.strftime(form, Turn.received_at, "+8 hours")  # no summer time since 1979
    )
    counted = (
        select(step.label("step"), column.label("value"), func.count())
        .where(Turn.received_at >= span.since, Turn.received_at < span.until, column.is_not(None))
        .group_by(text("step"), column)
        .order_by(text("step"))
    )
    found: dict[datetime, dict[str, int]] = {}
    for at, value, number in session.execute(counted):
        found.setdefault(datetime.strptime(at, form).replace(tzinfo=HONG_KONG), {})[str(value)] = int(number)
    return found
