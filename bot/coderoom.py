"""The code room: sends what identity checks have laid down, in the worker and never while a patient waits for an answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from bot.assembly import Application
from bot.base.errors import ChannelError, OutcomeUnknown, TemporaryFailure, Unconfigured
from bot.channels.base import Outgoing, Sent
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Published
from bot.identity import dispatches
from bot.identity.models import DispatchStatus

log = logging.getLogger(__name__)

PLACES = 16
"""Calls to providers at a time."""
EVERY_S = 0.5
FORGET_EVERY = timedelta(hours=1)


class CodeRoom:
    """Takes up dispatches and sends them; any number of workers may have one, and any of them may be killed."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._senders = ThreadPoolExecutor(PLACES, thread_name_prefix="code-send")
        self._free = threading.BoundedSemaphore(PLACES)
        self._forgot_at: datetime | None = None

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Work until told to stop, calling `beat` at each round; what is under way ends first."""
        while not stop.wait(EVERY_S):
            beat()
            try:
                self.look()
            except Exception as failed:  # the rows are the truth: the next round finds them
                log.error("the code room stumbled: %s", type(failed).__name__)
        self._senders.shutdown(wait=True, cancel_futures=True)

    def look(self) -> int:
        """Hand what is due to the senders; returns how many."""
        application, now = self._application, self._application.clock()
        self._forget(now)
        with application.database.reading() as session:
            if not dispatches.waiting(session, now):
                return 0
        places = 0
        while places < PLACES and self._free.acquire(blocking=False):
            places += 1
        jobs: list[dispatches.Job] = []
        try:
            with application.database.writing() as session:
                dispatches.bury(session, application.vault, now)
                jobs = dispatches.take(session, application.vault, limit=places, at=now) if places else []
        finally:
            for _ in range(places - len(jobs)):
                self._free.release()
        for job in jobs:
            self._senders.submit(self._deliver, job)
        return len(jobs)

    def _deliver(self, job: dispatches.Job) -> None:
        try:
            deliver(self._application, job)
        except Exception as failed:  # the row says submitting; its lease runs out and it becomes unknown
            log.error("dispatch %d could not be concluded: %s", job.dispatch_id, type(failed).__name__)
        finally:
            self._free.release()

    def _forget(self, now: datetime) -> None:
        if self._forgot_at is None or now >= self._forgot_at + FORGET_EVERY:
            self._forgot_at = now
            with self._application.database.writing() as session:
                dispatches.forget(session, now)


def deliver(application: Application, job: dispatches.Job) -> DispatchStatus:
    """Render and send one code or note, with no transaction open, and write down what came of it."""
    result: Sent | ChannelError
    try:
        result = application.channels[job.channel].send(_outgoing(application, job))
    except ChannelError as known:
        result = known
    except _NoWords:
        result = TemporaryFailure("there is no wording for it")
    except Exception as unexpected:  # it may have been sent: the safe reading of any surprise
        log.error("dispatch %d broke off: %s", job.dispatch_id, type(unexpected).__name__)
        result = OutcomeUnknown("the call broke off", code=type(unexpected).__name__)
    with application.database.writing() as session:
        return dispatches.conclude(session, application.vault, job, result, application.clock())


class _NoWords(Exception):
    """Nothing is published to say it with."""


def _outgoing(application: Application, job: dispatches.Job) -> Outgoing:
    own = application.settings.own_addresses(job.channel)
    if not own:
        raise Unconfigured(f"no own address for {job.channel}")
    try:
        with application.database.reading() as session:
            published: Published = application.library.current(session, application.clock())
        text = wording.render(published.content, job.wording, job.language, job.channel, job.values).text
        letter = _letter(published, job)
    except Exception as missing:
        log.error("dispatch %d has no words: %s", job.dispatch_id, type(missing).__name__)
        raise _NoWords from None
    return Outgoing(own=own[0], their=job.their, text=text, reference=job.reference, letter=letter)


def _letter(published: Published, job: dispatches.Job) -> dict[str, str]:
    """The subject line of an e-mail, in the reader's language and without the code: it shows on locked screens."""
    name = f"{job.wording}_subject"
    if job.channel != "email" or name not in published.content["wordings"]:
        return {}
    return {"title": wording.render(published.content, name, job.language, job.channel, {}).text}
