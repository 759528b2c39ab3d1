"""Time: aware UTC inside, Hong Kong at the doors, and always handed in.

Nothing in Candour asks the system for the time except the clock made here, so that a test (or a
rehearsal of a whole incident day) can move it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Returns the present moment as an aware datetime in UTC."""

HONG_KONG = ZoneInfo("Asia/Hong_Kong")


def system_clock() -> datetime:
    """The machine's time, aware, in UTC."""
    return datetime.now(UTC)


def in_hong_kong(moment: datetime) -> datetime:
    """The same moment on a Hong Kong wall clock; a naive moment is refused with ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(HONG_KONG)
