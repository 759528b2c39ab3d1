"""What is live on the pages: topics, each with a short state that differs after any change.

A page names the topics it shows and the state in which it was made. The stream tells every other state, at once
after it was opened and from then on: so a page that slept, or lost the line for minutes, is complete after it came back,
whatever happened meanwhile. What changed is fetched as a page; nothing of a patient goes through the stream.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.assembly import Application
from bot.base.errors import CandourError, NotAuthentic
from bot.desk.staff import approvals, sessions
from bot.desk.staff.roles import Permission
from bot.desk.staff.sessions import SessionState
from bot.desk.work import queue

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
CHECK_EVERY_S = 5.0
"""How long a stream may outlive its session."""
MOST_STREAMS = 12
"""Open streams of one session."""
MOST_TOPICS = 24
"""Topics of one stream: of every page of a browser, of which one holds the line for all."""


@dataclass(frozen=True)
class Topic:
    """Something that is shown live: its state, and who may follow it."""

    name: str
    permission: Permission
    state: Callable[[Session, int, datetime], str]
    """Of a session, a number (0 where the topic has none) and a moment: a text that differs after any change."""


TOPICS: dict[str, Topic] = {}


def topic(name: str, permission: Permission, state: Callable[[Session, int, datetime], str]) -> Topic:
    """Make a topic known, when a page's module is loaded; it is followed as `name` or `name:number`."""
    TOPICS[name] = Topic(name, permission, state)
    return TOPICS[name]


def _queue(session: Session, _number: int, _at: datetime) -> str:
    urgent = ".".join(f"{case.id}p{case.priority}" for case in queue.urgent_unclaimed(session))
    return f"{queue.fingerprint(session)}/{urgent}"


topic("queue", Permission.SEE_QUEUE, _queue)
topic("approvals", Permission.DECIDE, lambda session, _number, at: approvals.fingerprint(session, at))


@dataclass(eq=False)
class Stream:
    """One open page."""

    token: str
    session_id: int
    topics: tuple[str, ...]
    known: dict[str, str]
    queue: asyncio.Queue[tuple[str, str] | None] = field(default_factory=lambda: asyncio.Queue(maxsize=64))
    is_over: bool = False

    def offer(self, event: tuple[str, str] | None) -> None:
        """Hand something over; a page that takes nothing is ended, and is complete when it comes back."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.is_over = True


class Live:
    """Looks at the topics that somebody follows, once for all pages of this process; lives on one event loop."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._streams: set[Stream] = set()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="console-live")
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._checked = 0.0
        self.closed = False

    def close(self) -> None:
        """End all streams and take no new ones."""
        self.closed = True
        for stream in self._streams:
            stream.is_over = True
            stream.offer(None)

    async def stop(self) -> None:
        """End the streams and the looking."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._pool.shutdown(wait=True, cancel_futures=True)

    def has_room(self, session_id: int) -> bool:
        """Whether a session may open one more stream."""
        return not self.closed and sum(one.session_id == session_id for one in self._streams) < MOST_STREAMS

    async def follow(self, stream: Stream) -> AsyncIterator[tuple[str, str]]:
        """What changes, as (kind, data), until the session ends, locks or the process stops."""
        self._streams.add(stream)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look_for_ever(), name="console-live")
        self._wake.set()
        try:
            yield "hello", "{}"
            while not (self.closed or stream.is_over):
                event = await stream.queue.get()
                if event is None:
                    return
                yield event
                if event[0] == "over":
                    return
        finally:
            self._streams.discard(stream)

    async def _look_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S if self._streams else None):
                    await self._wake.wait()
            self._wake.clear()
            wanted = {name for stream in self._streams for name in stream.topics}
            tokens = {}
            if loop.time() - self._checked >= CHECK_EVERY_S:
                self._checked, tokens = loop.time(), {stream.token: None for stream in self._streams}
            if not wanted:
                continue
            try:
                states, ended = await loop.run_in_executor(self._pool, self._look, wanted, tokens)
            except (CandourError, SQLAlchemyError) as failed:
                log.warning("looking at the desk failed: %s", type(failed).__name__)
                continue
            for stream in list(self._streams):
                self._tell(stream, states, ended)

    def _tell(self, stream: Stream, states: Mapping[str, str], ended: Mapping[str, str]) -> None:
        for name in stream.topics:
            state = states.get(name)
            if state is not None and stream.known.get(name) != state:
                stream.known[name] = state
                stream.offer(("change", json.dumps({"topic": name, "state": state})))
        if stream.token in ended:
            stream.offer(("over", json.dumps({"why": ended[stream.token]})))

    def _look(self, wanted: Iterable[str], tokens: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
        at = self._application.clock()
        ended: dict[str, str] = {}
        with self._application.database.reading() as session:
            for token in tokens:
                try:
                    if sessions.present(session, token, at).state is SessionState.LOCKED:
                        ended[token] = "locked"
                except NotAuthentic:
                    ended[token] = "signed_out"
            return {name: state_of(session, name, at) for name in wanted}, ended


def state_of(session: Session, name: str, at: datetime) -> str:
    """The present state of a topic, as the page keeps it."""
    kind, _, number = name.partition(":")
    return TOPICS[kind].state(session, int(number or 0), at)
