"""The simulated time: it may run faster than the real one and may be moved forward, never back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

LONGEST_JUMP_S = 400 * 86_400.0
FASTEST = 100_000.0


class Clock:
    """Simulated seconds since 1970, `speed` of them to a real one."""

    def __init__(self, speed: float = 1.0, start: float | None = None, real: Callable[[], float] = time.monotonic) -> None:
        self._real = real
        self._anchor_real = real()
        self._anchor = time.time() if start is None else max(start, time.time())
        self._speed = speed

    @property
    def speed(self) -> float:
        """Simulated seconds in a real second."""
        return self._speed

    def now(self) -> float:
        """The simulated time in seconds since 1970."""
        return self._anchor + (self._real() - self._anchor_real) * self._speed

    def real_seconds(self, until: float) -> float:
        """How many real seconds are left until a simulated time; 0 when it is past."""
        return max(0.0, (until - self.now()) / self._speed)

    def advance(self, seconds: float) -> None:
        """Jump forward; raises ValueError for a negative, endless or absurd jump."""
        if not 0 <= seconds <= LONGEST_JUMP_S:
            raise ValueError(f"advance_s must be between 0 and {LONGEST_JUMP_S:.0f}")
        self._anchor += seconds

    def run_at(self, speed: float) -> None:
        """Change the speed from now on; raises ValueError when it is not between 0.001 and 100,000."""
        if not 0.001 <= speed <= FASTEST:
            raise ValueError(f"speed must be between 0.001 and {FASTEST:.0f}")
        self._anchor, self._anchor_real = self.now(), self._real()
        self._speed = speed


def rfc2822(seconds: float) -> str:
    """A time as Twilio prints it: `Tue, 18 Aug 2026 10:00:00 +0000`."""
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC))


def iso(seconds: float) -> str:
    """A time as `2026-08-18T10:00:00.123Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
