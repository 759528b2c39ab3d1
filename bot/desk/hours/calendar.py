"""The Hong Kong business calendar: opening hours, general holidays, and times when everything is closed.

Opening hours are written `Mon-Fri 09:00-18:00; Sat 09:00-13:00`, on a Hong Kong wall clock. Holidays are
those of `gazette.py`. A closure (typhoon signal 8, black rainstorm) stops the clock while it lasts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from bot.base.clock import HONG_KONG, in_hong_kong
from bot.base.errors import BadInput
from bot.desk.hours.gazette import general_holidays

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FACT = "desk_opening"
"""The fact that holds the opening hours."""
COMPLAINT_FACT = "complaint_reply_days"
"""The fact that holds within how many days a complaint is answered in writing."""
HORIZON = timedelta(days=400)
"""How far ahead is looked for an open hour."""
_LINE = re.compile(r"(?P<first>[A-Z][a-z]{2})(-(?P<last>[A-Z][a-z]{2}))? (?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)")

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Hours:
    """When the desk is open in an ordinary week: for each day from Monday its spans of opening and closing time."""

    week: tuple[tuple[tuple[time, time], ...], ...]
    complaint_days: int | None = None  # what patients were told of the answer to a complaint, as the other promise of the desk


def parse_hours(text: str) -> Hours:
    """Read opening hours; raises BadInput saying which part is wrong."""
    week: list[list[tuple[time, time]]] = [[] for _ in DAYS]
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        found = _LINE.fullmatch(part)
        first, last = (found["first"], found["last"] or found["first"]) if found else ("", "")
        if not found or first not in DAYS or last not in DAYS or DAYS.index(first) > DAYS.index(last):
            raise BadInput(f"Opening hours are written like `Mon-Fri 09:00-18:00; Sat 09:00-13:00`, not `{part}`.")
        try:
            opens, closes = time.fromisoformat(found["opens"]), time.fromisoformat(found["closes"])
        except ValueError:
            raise BadInput(f"`{part}` names no time of day.") from None
        if opens >= closes:
            raise BadInput(f"`{part}` closes before it opens.")
        for day in week[DAYS.index(first) : DAYS.index(last) + 1]:
            if any(opens < other_closes and closes > other_opens for other_opens, other_closes in day):
                raise BadInput(f"`{part}` overlaps with another part.")
            day.append((opens, closes))
    if not any(week):
        raise BadInput("The opening hours name no open hour.")
    return Hours(tuple(tuple(sorted(day)) for day in week))


DEFAULT_HOURS = parse_hours("Mon-Fri 09:00-18:00; Sat 09:00-13:00")


def published_hours(content: Mapping[str, Any]) -> Hours | None:
    """The opening hours among published facts; None when they are not known, or not written as they must be."""
    fact = content["facts"].get(FACT) or {}
    try:
        return replace(parse_hours(str(fact["value"])), complaint_days=_days(content)) if fact.get("value") else None
    except BadInput:
        return None


def desk_hours(content: Mapping[str, Any]) -> Hours:
    """By what the desk counts its time: the published hours, or usual ones until they are known, and the published promises."""
    return published_hours(content) or replace(DEFAULT_HOURS, complaint_days=_days(content))


def _days(content: Mapping[str, Any]) -> int | None:
    value = str((content["facts"].get(COMPLAINT_FACT) or {}).get("value") or "")
    return int(value) if re.fullmatch(r"[1-9][0-9]{0,2}", value) else None


@dataclass(frozen=True)
class Calendar:
    """Opening hours with the closures known at some moment."""

    hours: Hours = DEFAULT_HOURS
    closures: Sequence[Span] = ()

    def is_open(self, at: datetime) -> bool:
        """Whether the desk is open at a moment."""
        opens, closes = next(self._spans(at), (at, at))
        return opens <= at < closes

    def next_opening(self, at: datetime) -> datetime | None:
        """The moment itself when it is open, else when it opens next; None when it does not within a year."""
        opens, _ = next(self._spans(at), (None, None))
        return None if opens is None else max(opens, at)

    def add(self, at: datetime, open_time: timedelta) -> datetime:
        """The moment at which so much open time has passed; closing time itself counts as reached."""
        left = open_time
        for opens, closes in self._spans(at):
            start = max(opens, at)
            if closes - start >= left:
                return start + left
            left -= closes - start
        return at + HORIZON

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much open time lies between two moments; none when the end comes first."""
        total = timedelta()
        for opens, closes in self._spans(start):
            if opens >= end:
                break
            total += max(timedelta(), min(closes, end) - max(opens, start))
        return total

    def _spans(self, at: datetime) -> Iterator[Span]:
        """The open spans that end after a moment, in order."""
        day = in_hong_kong(at).date()
        last = day + HORIZON
        while day <= last:
            for span in self._of_day(day):
                if span[1] > at:
                    yield span
            day += timedelta(days=1)

    def _of_day(self, day: date) -> list[Span]:
        if day in general_holidays(day.year):
            return []
        start = midnight(day)
        spans = [
            (start + _since_midnight(opens), start + _since_midnight(closes)) for opens, closes in self.hours.week[day.weekday()]
        ]
        for closure in self.closures:
            spans = [piece for span in spans for piece in _without(span, closure)]
        return spans


def midnight(day: date) -> datetime:
    """The beginning of a day in Hong Kong, in UTC; the city has no summer time."""
    return datetime.combine(day, time(), HONG_KONG).astimezone(UTC)


def _since_midnight(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute)


def _without(span: Span, closure: Span) -> list[Span]:
    opens, closes = span
    since, until = closure
    pieces = [(opens, min(closes, since)), (max(opens, until), closes)]
    return [(start, end) for start, end in pieces if start < end]
