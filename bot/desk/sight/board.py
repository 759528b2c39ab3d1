"""The wallboard at a moment: how the desk stands now, and what a span of days looked like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from bot.base.clock import in_hong_kong
from bot.desk.sight import figures
from bot.desk.sight.figures import Span

MOST_SERIES = 6
"""Topics that stand apart over time; the rest are put together."""
REST = ""
"""The name of the rest."""


@dataclass(frozen=True)
class Series:
    """Counts by day: for each name as many numbers as there are days."""

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


def last_days(at: datetime, days: int) -> Span:
    """The last so many Hong Kong days, today included, up to now."""
    today = in_hong_kong(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(today - timedelta(days=days - 1), at)


def board(session: Session, span: Span, at: datetime) -> Board:
    """Every figure, of now and of the span."""
    days = _days(span)
    return Board(
        waiting=figures.waiting(session),
        oldest=figures.oldest_wait(session, at),
        overdue=figures.overdue(session, at),
        containment=figures.containment(session, span),
        fallbacks=figures.fallbacks(session, span),
        first_kept=figures.first_response_kept(session, span, at),
        topics=_series(days, figures.topics_by_day(session, span), MOST_SERIES),
        languages=_series(days, figures.languages_by_day(session, span), None),
        failures=figures.delivery_failures(session, span),
        reasons=figures.reasons(session, span),
        outcomes=figures.outcomes(session, span),
        channels=figures.threads_by_channel(session, span),
    )


def topics_over_time(session: Session, span: Span) -> Series:
    """The most frequent topics by day, the rest together under an empty name."""
    return _series(_days(span), figures.topics_by_day(session, span), MOST_SERIES)


def languages_over_time(session: Session, span: Span) -> Series:
    """Languages by day."""
    return _series(_days(span), figures.languages_by_day(session, span), None)


def _days(span: Span) -> list[date]:
    first, last = in_hong_kong(span.since).date(), in_hong_kong(span.until).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _series(days: Sequence[date], counted: Mapping[date, Mapping[str, int]], most: int | None) -> Series:
    whole: Counter[str] = Counter()
    for numbers in counted.values():
        whole.update(numbers)
    ordered = sorted(whole, key=lambda name: (-whole[name], name))
    apart = ordered[:most]
    rows = {name: [counted.get(day, {}).get(name, 0) for day in days] for name in apart}
    if len(ordered) > len(apart):
        rest = ordered[len(apart) :]
        rows[REST] = [sum(counted.get(day, {}).get(name, 0) for name in rest) for day in days]
    return Series(days, rows)
