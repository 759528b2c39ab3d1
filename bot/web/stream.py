"""The live transcript: one reader per process looks for new lines and hands them to every open stream.

Numbers in a thread have no gaps and are given out under the thread's lock, so "everything after
number n" is all a stream needs to know: it first catches up from the database, then joins its
thread's topic at the number it has reached, and leaves out what it has seen. A stream that does not
keep up is ended; its browser comes back with Last-Event-ID and catches up again. Nothing is queued
without a bound.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from bot.base.errors import CandourError
from bot.conversations.transcript import Line

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
"""How late a line stored by another process may be seen."""
PAGE = 200
"""Lines read at once."""
BACKLOG = 32
"""Looks (of up to a page each) that a stream may lag behind before it is ended."""
CATCHING_UP = 4
"""Streams that may read old lines at the same time."""


@dataclass(frozen=True)
class Look:
    """What the reader saw of a thread: who owns it now, and the lines that are new."""

    owner: str
    lines: Sequence[Line] = ()


Reader = Callable[[Mapping[int, int]], Mapping[int, Look]]
"""Given thread ids with the last number known of each, looks at those threads; runs in a thread."""


@dataclass(eq=False)
class Subscriber:
    """One open stream."""

    reached: int
    owner: str = ""
    queue: asyncio.Queue[Look | None] = field(default_factory=lambda: asyncio.Queue(maxsize=BACKLOG))
    dropped: bool = False

    def offer(self, look: Look | None) -> None:
        """Hand over without waiting; a full queue marks the stream as too slow."""
        try:
            self.queue.put_nowait(look)
        except asyncio.QueueFull:
            self.dropped = True


@dataclass
class Topic:
    """A thread that somebody watches, and the last of its lines that was handed out."""

    last: int
    owner: str
    subscribers: set[Subscriber] = field(default_factory=set)


class Hub:
    """Fans new lines out to the open streams of this process; lives on one event loop."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._topics: dict[int, Topic] = {}
        self._tailing = ThreadPoolExecutor(1, thread_name_prefix="tail")
        self._catching_up = ThreadPoolExecutor(CATCHING_UP, thread_name_prefix="catch-up")
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    async def start(self) -> None:
        """Begin to look; call it on the loop that will serve the streams."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._tail(), name="tail")

    def stored(self) -> None:
        """Say, from any thread, that this process stored something: the reader looks at once."""
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):  # the loop may close between the question and the call
                self._loop.call_soon_threadsafe(self._wake.set)

    def close(self) -> None:
        """End all streams politely and take no new ones; browsers come back to the next process."""
        self.closed = True
        for topic in self._topics.values():
            for subscriber in topic.subscribers:
                subscriber.dropped = True
                subscriber.offer(None)

    async def stop(self) -> None:
        """End the streams and the reader."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for pool in (self._tailing, self._catching_up):
            pool.shutdown(wait=True, cancel_futures=True)

    async def follow(self, thread_id: int, after: int) -> AsyncIterator[Look]:
        """Everything after line `after`, each line once and in order, until the stream is ended.

        Each item carries its lines and the owner at that moment; the first one comes at once, even
        without lines. Raises CandourError or SQLAlchemyError when the database cannot be read.
        """
        mine = Subscriber(reached=after)
        try:
            while not self.closed:
                look = (await self._look(self._catching_up, {thread_id: mine.reached})).get(thread_id)
                if look is None:
                    return
                yield self._passed(mine, look)
                if len(look.lines) < PAGE and self._join(thread_id, mine, look.owner):
                    break
            while not (self.closed or mine.dropped):
                news = await mine.queue.get()
                if news is None:
                    return
                yield self._passed(mine, news)
        finally:
            self._leave(thread_id, mine)

    def _passed(self, mine: Subscriber, look: Look) -> Look:
        fresh = [line for line in look.lines if line.number > mine.reached]
        if fresh:
            mine.reached = fresh[-1].number
        return Look(look.owner, fresh)

    def _join(self, thread_id: int, mine: Subscriber, owner: str) -> bool:
        # No await between look-up and entry: nothing is handed out in between.
        topic = self._topics.setdefault(thread_id, Topic(mine.reached, owner))
        if topic.last > mine.reached:
            return False
        topic.subscribers.add(mine)
        self._wake.set()
        return True

    def _leave(self, thread_id: int, mine: Subscriber) -> None:
        topic = self._topics.get(thread_id)
        if topic is not None:
            topic.subscribers.discard(mine)
            if not topic.subscribers:
                del self._topics[thread_id]

    async def _look(self, pool: ThreadPoolExecutor, known: Mapping[int, int]) -> Mapping[int, Look]:
        return await asyncio.get_running_loop().run_in_executor(pool, self._read, known)

    async def _tail(self) -> None:
        while True:
            await self._rest()
            known = {thread_id: topic.last for thread_id, topic in self._topics.items()}
            if not known:
                continue
            try:
                looks = await self._look(self._tailing, known)
            except (CandourError, SQLAlchemyError) as failed:
                # The next look tries again; streams stay open and lose nothing.
                log.warning("looking for new lines failed: %s", type(failed).__name__)
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            for thread_id, look in looks.items():
                self._hand_out(thread_id, known[thread_id], look)

    async def _rest(self) -> None:
        if not self._topics:
            await self._wake.wait()
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
        self._wake.clear()

    def _hand_out(self, thread_id: int, base: int, look: Look) -> None:
        topic = self._topics.get(thread_id)
        if topic is None or not (look.lines or look.owner != topic.owner):
            return
        if base > topic.last:
            # The topic began anew, further back, while this look was under way: the next one covers both.
            self._wake.set()
            return
        if look.lines and look.lines[-1].number > topic.last:
            topic.last = look.lines[-1].number
        topic.owner = look.owner
        for subscriber in topic.subscribers:
            subscriber.offer(look)
        if len(look.lines) >= PAGE:
            self._wake.set()
