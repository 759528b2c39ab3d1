"""The wallboard at a moment: how the desk stands now, and what a span of days looked like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.base.clock import in_hong_kong
from bot.desk.sight import days, figures
from bot.desk.sight.figures import Span

MOST_SERIES = 6
"""Topics that stand apart over time; the rest are put together."""
REST = ""
"""The name of the rest."""


@dataclass(frozen=True)
class Series:
    """Counts over time: for each name as many numbers as there are steps, days or the hours of one day."""

    days: Sequence[date]
    rows: Mapping[str, Sequence[int]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return not any(any(row) for row in self.rows.values())


@dataclass(frozen=True)
class Board:
    """All figures of the wallboard; parts of a whole are None where there is no whole."""

    waiting: int
    oldest: timedelta
    overdue: int
    containment: float | None
    fallbacks: float | None
    first_kept: float | None
    topics: Series
    languages: Series
    failures: Mapping[str, tuple[int, int]]
    reasons: Mapping[str, int]
    outcomes: Mapping[str, int]
    channels: Mapping[str, int]


def last_days(at: datetime, number: int) -> Span:
    """The last so many Hong Kong days, today included, up to now."""
    today = in_hong_kong(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(today - timedelta(days=number - 1), at)


def board(session: Session, span: Span, at: datetime) -> Board:
    """Every figure, of now and of the span."""
    each = days.by_day(session, span)
    counts = days.together(each.values())
    return Board(
        waiting=figures.waiting(session),
        oldest=figures.oldest_wait(session, at),
        overdue=figures.overdue(session, at),
        containment=counts.containment,
        fallbacks=counts.fallbacks,
        first_kept=figures.first_response_kept(session, span, at),
        topics=_topics(session, span, each),
        languages=_languages(session, span, each),
        failures=counts.failures,
        reasons=counts.reasons,
        outcomes=counts.outcomes,
        channels={channel: len(threads) for channel, threads in counts.channels.items()},
    )


def counts_of(session: Session, span: Span) -> days.Counts:
    """What is counted of the span alone."""
    return days.together(days.by_day(session, span).values())


def topics_over_time(session: Session, span: Span) -> Series:
    """The most frequent topics by day, or by hour within one day, the rest together under an empty name."""
    return _topics(session, span, {} if _is_one_day(span) else days.by_day(session, span))


def languages_over_time(session: Session, span: Span) -> Series:
    """Languages by day, or by hour within one day."""
    return _languages(session, span, {} if _is_one_day(span) else days.by_day(session, span))


def _topics(session: Session, span: Span, each: Mapping[date, days.Counts]) -> Series:
    counted: Mapping[Any, Mapping[str, int]]
    counted = figures.topics_by_hour(session, span) if _is_one_day(span) else {day: one.topics for day, one in each.items()}
    return _series(_steps(span), counted, MOST_SERIES)


def _languages(session: Session, span: Span, each: Mapping[date, days.Counts]) -> Series:
    counted: Mapping[Any, Mapping[str, int]]
    counted = figures.languages_by_hour(session, span) if _is_one_day(span) else {day: one.languages for day, one in each.items()}
    return _series(_steps(span), counted, None)


def _is_one_day(span: Span) -> bool:
    return span.until - span.since <= timedelta(days=1)


def _steps(span: Span) -> list[date]:
    first, last = in_hong_kong(span.since), in_hong_kong(span.until)
    if _is_one_day(span):
        begun = first.replace(minute=0, second=0, microsecond=0)
        return [begun + timedelta(hours=number) for number in range(int((last - begun) / timedelta(hours=1)) + 1)]
    return [first.date() + timedelta(days=number) for number in range((last.date() - first.date()).days + 1)]


def _series(steps: Sequence[date], counted: Mapping[Any, Mapping[str, int]], most: int | None) -> Series:
    whole: Counter[str] = Counter()
    for numbers in counted.values():
        whole.update(numbers)
    ordered = sorted(whole, key=lambda name: (-whole[name], name))
    apart = ordered[:most]
    rows = {name: [counted.get(step, {}).get(name, 0) for step in steps] for name in apart}
    if len(ordered) > len(apart):
        rest = ordered[len(apart) :]
        rows[REST] = [sum(counted.get(step, {}).get(name, 0) for name in rest) for step in steps]
    return Series(steps, rows)
