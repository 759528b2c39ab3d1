"""What was counted of days that are over: kept, so that the wallboard adds up days instead of going through every turn again.

A kept day is as good as a plain count: whatever changes a row of that day afterwards marks it (triggers of migration 0025), a
marked day is counted plainly again, and the next reader's `keep` puts it right. Nobody has to remember to tell the figures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Text, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base.clock import HONG_KONG, in_hong_kong
from bot.base.database import Base, Database, Key
from bot.desk.sight import figures
from bot.desk.sight.figures import Span

LOCK = 7203
"""The class of the advisory locks of PostgreSQL, as the triggers know it."""
_EPOCH = date(2000, 1, 1)
_NUMBERS = ("topics", "languages", "reasons", "outcomes", "parts", "failed")
_THREADS = ("channels", "with_person")


class FigureDay(Base):
    """What was counted of one Hong Kong day: numbers and ids of threads, no words."""

    __tablename__ = "figure_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(Text)


class FigureMark(Base):
    """A kept day of which a row has changed since; only triggers write here."""

    __tablename__ = "figure_marks"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    day: Mapped[date] = mapped_column(index=True)


@dataclass(frozen=True)
class Counts:
    """What is counted of a span of time, in a form that adds up."""

    topics: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)  # by channel
    failed: Mapping[str, int] = field(default_factory=dict)  # of them
    replies: int = 0  # of the assistant
    missed: int = 0  # of them, those that say it did not understand
    channels: Mapping[str, frozenset[int]] = field(default_factory=dict)  # the threads with a turn
    with_person: Mapping[str, frozenset[int]] = field(default_factory=dict)  # the threads that needed a person, under one name

    @property
    def containment(self) -> float | None:
        """The part of the threads with a turn for which no person was needed; None without any turn."""
        threads = frozenset[int]().union(*self.channels.values())
        needed = frozenset[int]().union(*self.with_person.values())
        return 1 - len(threads & needed) / len(threads) if threads else None

    @property
    def fallbacks(self) -> float | None:
        """The part of the assistant's replies that say it did not understand; None without a reply."""
        return self.missed / self.replies if self.replies else None

    @property
    def failures(self) -> Mapping[str, tuple[int, int]]:
        """For each channel, how many parts failed, and of how many."""
        return {channel: (self.failed.get(channel, 0), self.parts[channel]) for channel in sorted(self.parts)}


def plainly(session: Session, span: Span) -> Counts:
    """Count a span by going through its rows."""
    sent = figures.delivery_failures(session, span)
    replies, missed = figures.replies_and_missed(session, span)
    return Counts(
        topics=figures.topics(session, span),
        languages=figures.languages(session, span),
        reasons=figures.reasons(session, span),
        outcomes=figures.outcomes(session, span),
        parts={channel: whole for channel, (_, whole) in sent.items()},
        failed={channel: failed for channel, (failed, _) in sent.items() if failed},
        replies=replies,
        missed=missed,
        channels=figures.threads_of_channels(session, span),
        with_person={"all": figures.threads_with_person(session, span)},
    )


def by_day(session: Session, span: Span) -> Mapping[date, Counts]:
    """The counts of every Hong Kong day of a span: as they are kept, plainly where they are not."""
    stretches = dict(_stretches(span))
    kept = _kept(session, [day for day, one in stretches.items() if _is_whole(day, one)])
    return {day: kept.get(day) or plainly(session, one) for day, one in stretches.items()}


def together(counts: Iterable[Counts]) -> Counts:
    """The counts of all these spans as of one."""
    every = list(counts)
    numbers: dict[str, Any] = {name: _sum(getattr(one, name) for one in every) for name in _NUMBERS}
    threads: dict[str, Any] = {name: _union(getattr(one, name) for one in every) for name in _THREADS}
    return Counts(**numbers, **threads, replies=sum(one.replies for one in every), missed=sum(one.missed for one in every))


def keep(database: Database, span: Span, at: datetime) -> int:
    """Keep the counts of the days of a span that are over by now and not kept; returns how many, 0 most of the time."""
    today = in_hong_kong(at).date()
    over = {day: one for day, one in _stretches(span) if day < today and _is_whole(day, one)}
    with database.reading() as session:
        kept = _kept_days(session, list(over))
    missing = [day for day in over if day not in kept]
    return sum(_keep_one(database, day, over[day]) for day in missing)


def _keep_one(database: Database, day: date, span: Span) -> bool:
    """One day in one transaction; False while somebody else changes or counts it."""
    with database.writing() as session:
        # Rows that are being changed have not marked the day for others to see yet. Who changes them holds this lock with others.
        alone = database.is_sqlite or session.scalar(select(func.pg_try_advisory_xact_lock(LOCK, (day - _EPOCH).days)))
        if not alone:
            return False
        session.execute(delete(FigureMark).where(FigureMark.day == day))
        session.execute(delete(FigureDay).where(FigureDay.day == day))
        session.add(FigureDay(day=day, content=_written(plainly(session, span))))
    return True


def _kept_days(session: Session, days: list[date]) -> frozenset[date]:
    marked = select(FigureMark.day)
    return frozenset(session.scalars(select(FigureDay.day).where(FigureDay.day.in_(days), FigureDay.day.not_in(marked))))


def _kept(session: Session, days: list[date]) -> Mapping[date, Counts]:
    marked = select(FigureMark.day)
    wanted = select(FigureDay.day, FigureDay.content).where(FigureDay.day.in_(days), FigureDay.day.not_in(marked))
    return {day: _read(content) for day, content in session.execute(wanted)}


def _stretches(span: Span) -> Iterator[tuple[date, Span]]:
    """The days of a span, each with the part of it that belongs to the span."""
    day = in_hong_kong(span.since).date()
    begun = span.since
    while begun < span.until:
        day += timedelta(days=1)
        ended = min(span.until, datetime.combine(day, time(), HONG_KONG))
        yield day - timedelta(days=1), Span(begun, ended)
        begun = ended


def _is_whole(day: date, span: Span) -> bool:
    midnight = datetime.combine(day, time(), HONG_KONG)
    return span.since == midnight and span.until == midnight + timedelta(days=1)


def _sum(every: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    whole: Counter[str] = Counter()
    for one in every:
        whole.update(one)
    return dict(sorted(whole.items(), key=lambda item: (-item[1], item[0])))


def _union(every: Iterable[Mapping[str, frozenset[int]]]) -> Mapping[str, frozenset[int]]:
    whole: dict[str, set[int]] = {}
    for one in every:
        for name, ids in one.items():
            whole.setdefault(name, set()).update(ids)
    return {name: frozenset(ids) for name, ids in sorted(whole.items())}


def _written(counts: Counts) -> str:
    content: dict[str, Any] = {name: dict(getattr(counts, name)) for name in _NUMBERS}
    content |= {name: {one: sorted(ids) for one, ids in getattr(counts, name).items()} for name in _THREADS}
    return json.dumps(content | {"replies": counts.replies, "missed": counts.missed}, separators=(",", ":"))


def _read(content: str) -> Counts:
    read = json.loads(content)
    return Counts(**{**read, **{name: {one: frozenset(ids) for one, ids in read[name].items()} for name in _THREADS}})
