"""Whether work grows with its input and not faster: a ratio of processor time, never a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

TIMES_LONGER = 8
SLACK = 6
"""Quadratic work would take 64 times as long; caches, the collector and a busy machine may cost a few."""
FLOOR_S = 0.002
"""Below this the clock's own steps are measured."""


def grows_like_its_input(work: Callable[[str], Any], piece: str, times: int) -> bool:
    """Whether a text eight times as long takes about eight times the processor time, and not its square."""
    small, large = piece * times, piece * (times * TIMES_LONGER)
    return _seconds(work, large) < TIMES_LONGER * SLACK * max(_seconds(work, small), FLOOR_S)


def _seconds(work: Callable[[str], Any], text: str) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.thread_time()
        work(text)
        best = min(best, time.thread_time() - start)
    return best
