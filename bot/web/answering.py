"""Answering stored turns soon: a bounded pool of threads, and the doorbell when it is full.

The stored turn is the truth and the queue. What is dropped here (a full pool, a stop of the
process) is answered by the worker or its sweeper; nothing is lost and nobody waits at the door.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Protocol

log = logging.getLogger(__name__)

ANSWERERS = 48
"""Threads that answer. Against a stopped engine each waits out its time-out, and the words of danger that somebody
else writes meanwhile must find a free one."""
WAITING = 32
"""Turns that may wait for such a thread before the doorbell takes over."""
LONG = 20_000
"""Characters; looking for danger in a longer text takes this process's time from other patients, so the worker does it."""


class Rings(Protocol):
    """The doorbell: tells the worker to look, and never raises."""

    def ring(self, kind: str) -> None:
        """Ask the worker to look at its rows of this kind."""


class Answering:
    """Hands threads with a waiting turn to `answer`, a bounded number at a time."""

    def __init__(self, answer: Callable[[int], object], doorbell: Rings, *, answered: Callable[[], None]) -> None:
        self._answer = answer
        self._doorbell = doorbell
        self._answered = answered
        self._pool = ThreadPoolExecutor(ANSWERERS, thread_name_prefix="answer")
        self._places = BoundedSemaphore(ANSWERERS + WAITING)

    def offer(self, thread_id: int, *, characters: int = 0) -> None:
        """Have the waiting turns of this thread answered; returns at once and never raises."""
        if characters > LONG or not self._places.acquire(blocking=False):
            self._doorbell.ring("turns")
            return
        try:
            task = self._pool.submit(self._answer, thread_id)
        except RuntimeError:  # the pool is stopping
            self._places.release()
            self._doorbell.ring("turns")
            return
        task.add_done_callback(lambda done: self._done(thread_id, done))

    def _done(self, thread_id: int, task: Future[object]) -> None:
        self._places.release()
        if task.cancelled():
            self._doorbell.ring("turns")
            return
        error = task.exception()
        if error is not None:
            # The turn is still stored as waiting: the worker is asked to take it.
            log.error("answering thread %d failed: %s", thread_id, type(error).__name__, exc_info=error)
            self._doorbell.ring("turns")
        self._answered()

    def stop(self) -> None:
        """Let the answers under way end, and leave the others to the worker."""
        self._pool.shutdown(wait=True, cancel_futures=True)
