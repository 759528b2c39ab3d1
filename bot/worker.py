"""The worker: answers turns that web left behind, reads and sends for patients, campaigns and programs, seals the log.

Huey rings (`look`), the rows are the truth: whatever the doorbell loses, the sweeper finds within
seconds. Periodic work takes a lease, so that several hosts do it once. A loop that fails is logged
and goes on; what it was working on stays in its row.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

from bot.assembly import Application, office_for, open_application
from bot.base import audit, leases
from bot.base.errors import CandourError
from bot.base.pulse import SHOW_EVERY_S, Pulse, path_of
from bot.base.settings import load_settings
from bot.campaigns.office import Office
from bot.campaigns.paper.keeping import LetterKeeping
from bot.campaigns.planning import errands
from bot.campaigns.sending.room import NoticeRoom
from bot.coderoom import CodeRoom
from bot.conversations import threads
from bot.desk.alarm.watch import Watch
from bot.desk.hours.switches import is_on
from bot.desk.integrations.addresses import reach_of
from bot.desk.integrations.clocks import ClockTeller
from bot.desk.integrations.delivering import WebhookRoom
from bot.desk.keeping import Keeping
from bot.desk.records import Switch
from bot.identity import state
from bot.identity.models import Ending
from bot.postroom import PostRoom

log = logging.getLogger(__name__)

LEFT_BEHIND_AFTER = timedelta(seconds=3)
"""The web process answers at once; a turn older than this was left behind."""
SWEEP_EVERY_S = 1.0
SWEEP_LIMIT = 50
SWEEPERS = 8
SEAL_EVERY_S = 1.0
DESK_EVERY_S = 1.0
ERRANDS_EVERY_S = 0.5
LEASE = timedelta(seconds=10)
NICENESS = 10
"""Added to the process's own: where all share a few cores, whoever waits at a door goes first."""

Beat = Callable[[], None]
"""Called by a loop at each round."""
Round = tuple[float, Callable[[], object]]
"""How often something is looked at, in seconds, and by what."""


def sweep(application: Application, left_behind_after: timedelta = LEFT_BEHIND_AFTER) -> int:
    """Answer turns that nobody is answering; returns how many were answered."""
    now = application.clock()
    with application.database.reading() as session:
        waiting = threads.waiting_threads(session, older_than=now - left_behind_after, at=now, limit=SWEEP_LIMIT)
    if not waiting:
        return 0
    # Several at a time: behind an engine that does not answer, a word of danger must not wait for its turn.
    with ThreadPoolExecutor(min(len(waiting), SWEEPERS), thread_name_prefix="sweep") as pool:
        return sum(pool.map(lambda thread_id: _answered(application, thread_id), waiting))


def _answered(application: Application, thread_id: int) -> int:
    try:
        return application.inbox.answer(thread_id)
    except Exception as failed:  # one broken thread must not keep the others waiting
        log.error("thread %s could not be swept: %s", thread_id, type(failed).__name__)
        return 0


class Sealer:
    """Chains the evidence once a second, in one process of all; the others stand by."""

    def __init__(self, application: Application, holder: str) -> None:
        self._application = application
        self._holder = holder
        self._renew_at: datetime | None = None

    def tick(self) -> int:
        """Seal what is not sealed yet, if the lease is ours; returns how many entries."""
        application, now = self._application, self._application.clock()
        if not self._is_ours(now):
            return 0
        sealed = audit.seal(application.database, application.settings.secret("audit_keys"), now)
        audit.export_head(application.database, application.settings.home / "evidence", now)
        return sealed

    def _is_ours(self, now: datetime) -> bool:
        # Renewed at half time only: an idle second should not cost a write.
        if self._renew_at and now < self._renew_at:
            return True
        with self._application.database.writing() as session:
            taken = leases.take(session, name="sealer", holder=self._holder, at=now, seconds=LEASE.total_seconds())
        self._renew_at = now + LEASE / 2 if taken else None
        return taken


def desk_round(application: Application, holder: str, woken: Callable[[], None] = lambda: None) -> Watch:
    """The desk's round; where a person answers, whoever was verified is so no longer: somebody else reads along."""
    own = {channel: (application.settings.own_addresses(channel) or ("",))[0] for channel in application.channels}
    return Watch(
        application.database,
        application.vault,
        application.library,
        application.channels,
        own,
        application.clock,
        holder,
        woken,
        lambda session, thread_id, at: state.end(session, application.vault, thread_id, Ending.STAFF, at),
        state.verified_person,
    )


def telling(application: Application, holder: str) -> Callable[[], None]:
    """One round of telling other programs, under these settings: deadlines are laid down, and what is laid down is posted."""
    settings = application.settings
    base = settings.public_url or f"http://127.0.0.1:{settings.web_port}"
    reach = reach_of(settings.public_url, settings.webhook_networks)
    clocks = ClockTeller(application.database, application.library, application.clock, holder)
    room = WebhookRoom(application.database, application.vault, application.clock, holder, base=base, reach=reach)

    def tell() -> None:
        clocks.tick()
        room.tick()

    return tell


def rounds_of(application: Application, holder: str, office: Office, woken: Callable[[], None]) -> dict[str, Round]:
    """What is looked at again and again: how often, in seconds, and by what."""
    settings, clock = application.settings, application.clock
    kept = timedelta(days=settings.transcripts_kept_days)
    return {
        "sweeper": (SWEEP_EVERY_S, lambda: sweep(application)),
        "sealer": (SEAL_EVERY_S, Sealer(application, holder).tick),
        "desk": (DESK_EVERY_S, desk_round(application, holder, woken).tick),
        "keeping": (DESK_EVERY_S, Keeping(application.database, application.vault, kept, clock, holder).tick),
        "letters": (DESK_EVERY_S, LetterKeeping(office, settings.home, partial(is_on, switch=Switch.LEGAL_HOLD)).tick),
        "telling": (DESK_EVERY_S, telling(application, holder)),
    }


def run(application: Application, stop: threading.Event) -> None:
    """Work until told to stop."""
    holder = f"{socket.gethostname()}:{secrets.token_hex(4)}"
    room, codes = PostRoom(application, holder), CodeRoom(application)
    office = office_for(application, holder)
    notices = NoticeRoom(office)

    def rung(kind: str) -> None:
        # Whoever rings for turns has one that nobody works on: no need to wait until it counts as left behind.
        if kind == "turns":
            sweep(application, timedelta(0))
        room.wake()
        notices.wake()

    work: dict[str, Callable[[Beat], None]] = {
        name: partial(_repeat, stop, every_s, tick)
        for name, (every_s, tick) in rounds_of(application, holder, office, room.wake).items()
    }
    work |= {
        "post room": lambda beat: room.run(stop, beat),
        "code room": lambda beat: codes.run(stop, beat),
        "notice room": lambda beat: notices.run(stop, beat),
        "errands": lambda beat: _repeat(stop, ERRANDS_EVERY_S, lambda: errands.work(office, beat, stop.is_set), beat),
    }
    pulse = Pulse(path_of(application.settings.home, "worker"), work)
    loops = [threading.Thread(target=loop, args=(partial(pulse.beat, name),), name=name) for name, loop in work.items()]
    loops.append(threading.Thread(target=application.doorbell.listen, args=(stop, rung), name="listener"))
    for loop in loops:
        loop.start()
    log.info("worker ready")
    _show(pulse, stop)
    room.wake()
    for loop in loops:
        loop.join()


def _show(pulse: Pulse, stop: threading.Event) -> None:
    hanging: list[str] = []
    while True:
        late = [] if pulse.show() else pulse.late()
        if late and late != hanging:
            log.error("no longer going round: %s", ", ".join(late))
        hanging = late
        if stop.wait(SHOW_EVERY_S):
            return


def _repeat(stop: threading.Event, every_s: float, work: Callable[[], object], beat: Beat) -> None:
    while not stop.wait(every_s):
        beat()
        _guarded(work)


def _guarded(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as failed:
        log.error("%s failed: %s", threading.current_thread().name, type(failed).__name__)


def main() -> int:
    """Run as a process: `python -m bot.worker`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        application = open_application(load_settings())
        os.nice(NICENESS)
        application.database.gives_way = True  # patients and providers wait at the doors, nobody waits for the worker
    except CandourError as wrong:
        log.error("%s", wrong)
        return 1
    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    run(application, stop)
    application.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
