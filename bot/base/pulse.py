"""The pulse of a process without a door: a file that is touched as long as all of its loops go round.

A process that is alive and does nothing looks well from outside: a deadlock, a stopped process, one loop out of four that hangs.
Each loop beats once a round; the file is touched while every beat is younger than the patience. Whoever watches the process looks
at the age of the file, so a stopped process is noticed too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

SHOW_EVERY_S = 2.0
"""Seconds between two touches."""
FRESH_S = 10.0
"""A file touched within so many seconds belongs to a process that is well."""
PATIENCE_S = 120.0
"""Seconds a round may take: a sweep behind a silent engine waits out its time-outs."""


class Pulse:
    """The beats of a process's loops and the file that shows them."""

    def __init__(
        self, path: Path, loops: Iterable[str], *, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._patience_s = patience_s
        self._clock = clock
        self._lock = threading.Lock()
        self._beats = dict.fromkeys(loops, clock())

    def beat(self, loop: str) -> None:
        """The loop has begun another round."""
        with self._lock:
            self._beats[loop] = self._clock()

    def late(self) -> list[str]:
        """The loops that have not gone round for longer than the patience."""
        now = self._clock()
        with self._lock:
            return [loop for loop, at in self._beats.items() if now - at > self._patience_s]

    def show(self) -> bool:
        """Touch the file if no loop is late; returns whether it was touched."""
        if self.late():
            return False
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        return True


def path_of(home: Path, process: str) -> Path:
    """Where a process of this home shows its pulse."""
    return home / "run" / f"{process}.pulse"


def is_fresh(path: Path, within_s: float = FRESH_S) -> bool:
    """Whether the pulse was shown within so many seconds; a file that is not there is not fresh."""
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return False
    return age < within_s
