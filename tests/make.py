"""Small makers for tests: a clock that is moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2023, 5, 9, 1, 0, tzinfo=UTC)
"""Nine in the morning in Hong Kong, the day after the incident was announced."""


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> datetime:
        """Move forward and say where to."""
        self.now += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        return self.now
