"""The post room: stored hooks become turns, turns get their answers, replies leave through the outbox.

Everything works from rows and under leases, so any number of workers may have a post room and any of them
may be killed. A provider that hangs holds up its own channel's places for as long as its time-out, and
nobody on another channel.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property, partial

from bot.aftercare import TOO_MANY, Aftercare, tell
from bot.answering.danger import emergencies
from bot.assembly import Application, office_for
from bot.base import leases
from bot.base.errors import ChannelError, OutcomeUnknown
from bot.campaigns import events
from bot.channels.base import Sent
from bot.conversations.post import floods, hooks, outbox
from bot.conversations.reading.safety import Lexicon
from bot.identity import dispatches

log = logging.getLogger(__name__)

ANSWERERS = 16
"""Threads that answer; against a silent engine each waits out its time-out."""
PLACES = 16
"""Calls to a provider at a time, per channel."""
LEASE = "post.hooks"
LEASE_S = 10.0
EVERY_S = 1.0
BATCHES = 8
"""Batches of hooks read in one round."""


class PostRoom:
    """Reads hooks, has turns answered and sends parts; `look` does one round of each."""

    def __init__(self, application: Application, holder: str) -> None:
        self._application = application
        self._holder = holder
        self._templates = application.settings.templates
        office = office_for(application, holder)
        self._desk = hooks.Desk(
            application.channels,
            application.vault,
            application.index,
            self._templates,
            floods.Limits.of(application.settings),
            lambda text: bool(emergencies(self._lexicon, text)),
            notices=partial(events.apply_in, office),
            many=partial(events.apply_all, office),
            mark=events.MARK,
            heard=lambda session, event, channel, at: dispatches.heard(session, application.vault, event, channel, at),
        )
        self._care = Aftercare(application, holder)
        self._answerers = ThreadPoolExecutor(ANSWERERS, thread_name_prefix="post-answer")
        self._senders = ThreadPoolExecutor(PLACES * max(1, len(application.channels)), thread_name_prefix="post-send")
        self._lock = threading.Lock()
        self._answering: set[int] = set()
        self._again: set[int] = set()
        self._sending: Counter[str] = Counter()
        self._woken = threading.Event()
        self._reads = True  # until another post room turns out to do it

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon.load(self._application.settings.data / "safety.yml")

    def wake(self) -> None:
        """There is something to do: do not wait for the next second."""
        self._woken.set()

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Work until told to stop, calling `beat` at each round; what is under way ends first."""
        while not stop.is_set():
            beat()
            for work in (self.read, self.send, self._care.look):
                _guarded(work)
            self._woken.wait(EVERY_S)
            self._woken.clear()
        self._answerers.shutdown(wait=True, cancel_futures=True)
        self._senders.shutdown(wait=True, cancel_futures=True)

    # ------------------------------------------------------------ in

    def read(self) -> int:
        """Apply stored hooks, as many as one round may take, and hand their turns to the answerers; returns how many hooks."""
        application, read = self._application, 0
        for _ in range(BATCHES):
            with application.database.reading() as session:
                if not hooks.waiting(session):
                    return read
                seen = hooks.look(session, self._desk) if self._reads else {}
            with application.database.writing() as session:
                now = application.clock()
                # One post room at a time reads: turns of one patient stay in the order they came.
                self._reads = leases.take(session, name=LEASE, holder=self._holder, at=now, seconds=LEASE_S)
                if not self._reads:
                    return read
                applied = hooks.apply(session, self._desk, now, seen)
                for thread_id in applied.overrun:
                    tell(session, application.vault, thread_id, None, TOO_MANY, now)
            read += applied.number
            for thread_id in sorted(applied.touched):
                self._answer(thread_id)
            if applied.number < hooks.BATCH:
                return read
        self.wake()  # there may be more; but sending, the beat and a stop must not wait for a wave to end
        return read

    def _answer(self, thread_id: int) -> None:
        with self._lock:
            if thread_id in self._answering:
                self._again.add(thread_id)
                return
            self._answering.add(thread_id)
        task = self._answerers.submit(self._application.inbox.answer, thread_id)
        task.add_done_callback(lambda done: self._answered(thread_id, done))

    def _answered(self, thread_id: int, task: Future[int]) -> None:
        with self._lock:
            self._answering.discard(thread_id)
            again = thread_id in self._again
            self._again.discard(thread_id)
        if task.cancelled():
            return
        failed = task.exception()
        if failed is not None:  # the turn is still stored; the sweeper takes it
            log.error("thread %d could not be answered: %s", thread_id, type(failed).__name__)
        elif again:
            self._answer(thread_id)
        self.wake()

    # ------------------------------------------------------------ out

    def send(self) -> int:
        """Take up what may be sent now and hand it to the senders; returns how many parts."""
        application = self._application
        now = application.clock()
        with application.database.reading() as session:
            if not outbox.waiting(session, at=now):
                return 0
        taken: list[outbox.Taken] = []
        with application.database.writing() as session:
            lost = outbox.bury(session, now)
            for channel in application.channels:
                with self._lock:
                    free = PLACES - self._sending[channel]
                if free > 0:
                    taken += outbox.take(
                        session, application.vault, channel=channel, limit=free, at=now, templates=self._templates
                    )
        if lost:
            log.warning("%d parts are unknown: whoever sent them stopped in the middle", len(lost))
        for part in taken:
            with self._lock:
                self._sending[part.channel] += 1
            self._senders.submit(self._deliver, part)
        return len(taken)

    def _deliver(self, taken: outbox.Taken) -> None:
        try:
            deliver(self._application, taken)
        except Exception as failed:  # the row says submitting; its lease runs out and it becomes unknown
            log.error("part %d could not be concluded: %s", taken.part_id, type(failed).__name__)
        finally:
            with self._lock:
                self._sending[taken.channel] -= 1
            self.wake()


def deliver(application: Application, taken: outbox.Taken) -> None:
    """Call the provider for one part, with no transaction open, and write down what came of it."""
    result: Sent | ChannelError
    try:
        result = application.channels[taken.channel].send(taken.outgoing)
    except ChannelError as known:
        result = known
    except Exception as unexpected:  # it may have been sent: the safe reading of any surprise
        log.error("part %d broke off: %s", taken.part_id, type(unexpected).__name__)
        result = OutcomeUnknown("the call broke off", code=type(unexpected).__name__)
    with application.database.writing() as session:
        outbox.conclude(session, application.vault, taken, result, application.clock(), application.settings.templates)


def _guarded(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as failed:  # the rows are the truth: the next round finds them
        log.error("the post room stumbled: %s", type(failed).__name__)
