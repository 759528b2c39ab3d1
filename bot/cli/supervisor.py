"""Starts programs, watches them, starts them again, and stops them all.

One loop in the main thread; only the questions about health run in threads, so that a program which
is alive and silent cannot hold the loop up. Every program has its own process group (a Ctrl-C in the
terminal reaches the supervisor alone, which stops them in order) and a leash: it dies with the
supervisor. Nothing here knows what the programs are.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from bot.base.errors import CandourError
from bot.cli import leash, logfile

STRIPPED = ("PATH", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")


class StartFailed(CandourError):
    """A program did not come up; the text names it and quotes the end of its log."""


@dataclass(frozen=True)
class Program:
    """What is to run: its command, its surroundings, and how to tell that it is well."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path
    healthy: Callable[[], bool] | None = None  # asked in a thread; without it, being alive is being well
    after: Sequence[str] = ()  # programs that must have been well once before this one starts
    final: Sequence[int] = (2, 3, 4)  # exit statuses that trying again cannot mend, before it was ever well
    port: int | None = None
    setting: str = ""  # the setting that holds the port


@dataclass(frozen=True)
class Pace:
    """How patient the supervisor is, in seconds."""

    first_wait: float = 0.5
    longest_wait: float = 30.0
    calm: float = 60.0  # this long well, and the next crash waits `first_wait` again
    sick: float = 30.0  # alive but not well for this long: killed
    start: float = 180.0  # the same, before it was ever well
    ask_every: float = 1.0
    port: float = 3.0  # processes of an `up` that was just killed may need a moment to die
    overslept: float = 5.0  # between two looks
    stop: float = 4.0  # from SIGTERM to SIGKILL
    tries: int = 4  # crashes before it was ever well, until the start is given up


@dataclass
class Watched:
    """A program and how it does."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    due: float = 0.0
    started: float = 0.0
    asked: float = 0.0
    well_at: float = 0.0
    well_since: float | None = None
    was_well: bool = False
    crashes: int = 0
    restarts: int = 0
    log_start: int = 0
    question: Future[bool] | None = field(default=None, repr=False)


class Supervisor:
    """Runs programs from `start` to `stop`; `step` is to be called a few times a second."""

    def __init__(
        self,
        programs: Sequence[Program],
        say: Callable[[str], None],
        pace: Pace | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.pace = pace or Pace()
        self.watched = {program.name: Watched(program) for program in programs}
        self._say = say
        self._changed = changed
        self._looked = 0.0
        self._asking = ThreadPoolExecutor(max_workers=max(2, len(programs)), thread_name_prefix="health")

    def start(self, stop: Event) -> bool:
        """Start all in their order and wait until each has been well; False when told to stop meanwhile.

        Raises StartFailed; what was started is still running then, so call `stop`.
        """
        for one in self.watched.values():
            if one.program.port is not None:
                expect_free(one.program.name, one.program.port, one.program.setting, self.pace.port)
        while not stop.is_set():
            self.step()
            if all(one.was_well for one in self.watched.values()):
                return True
            stop.wait(0.1)
        return False

    def run(self, stop: Event) -> None:
        """Watch until told to stop."""
        while not stop.is_set():
            self.step()
            stop.wait(0.2)

    def pids(self) -> dict[str, int]:
        """The process id of each program that runs."""
        return {name: one.process.pid for name, one in self.watched.items() if one.process is not None}

    def step(self) -> None:
        """Look at every program once and do what is due."""
        now = time.monotonic()
        slept = now - self._looked if self._looked else 0.0
        self._looked = now
        for one in self.watched.values():
            if slept > self.pace.overslept:  # stopped or starved ourselves: nobody is to blame for not answering
                one.well_at += slept
            if one.process is None:
                if now >= one.due and all(self.watched[name].was_well for name in one.program.after):
                    self._spawn(one, now)
            elif one.process.poll() is not None:
                self._crashed(one, now)
            else:
                self._ask(one, now)
                self._judge(one, now)

    def _spawn(self, one: Watched, now: float) -> None:
        program = one.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        logfile.turn_over(program.log)
        leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *program.command]
        with program.log.open("ab") as log:
            one.log_start = log.tell()
            one.process = subprocess.Popen(  # noqa: S603 - our own programs
                leashed,
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        one.started = one.well_at = now
        one.well_since, one.question, one.asked = None, None, 0.0
        self._changed()

    def _ask(self, one: Watched, now: float) -> None:
        if one.question is not None and one.question.done():
            well = one.question.exception() is None and one.question.result()
            one.question = None
            self._heard(one, now, well=well)
        if one.question is None and now - one.asked >= (self.pace.ask_every if one.was_well else min(0.25, self.pace.ask_every)):
            one.asked = now
            healthy = one.program.healthy
            if healthy is not None:
                one.question = self._asking.submit(healthy)
            else:  # alive for a second is well
                self._heard(one, now, well=now - one.started >= min(1.0, self.pace.sick / 2))
            logfile.turn_over(one.program.log)

    def _heard(self, one: Watched, now: float, *, well: bool) -> None:
        if not well:
            one.well_since = None
            return
        one.well_at = now
        if one.well_since is None:
            one.well_since = now
            self._say(
                f"{one.program.name} is ready ({now - one.started:.1f} s)"
                if not one.was_well
                else f"{one.program.name} is well again"
            )
        one.was_well = True
        if now - one.well_since >= self.pace.calm:
            one.crashes = 0

    def _judge(self, one: Watched, now: float) -> None:
        if now - one.well_at > (self.pace.sick if one.was_well else self.pace.start):
            self._say(
                f"{one.program.name} runs but has not answered for {now - one.well_at:.0f} s: it is killed and started again"
            )
            self._signal(one, signal.SIGKILL)

    def _crashed(self, one: Watched, now: float) -> None:
        assert one.process is not None
        status = one.process.returncode
        self._signal(one, signal.SIGKILL)  # what it may have left in its group
        one.process = None
        one.crashes += 1
        one.restarts += 1
        ended = f"{one.program.name} ended ({_words(status)})"
        last = logfile.last_lines(one.program.log, one.log_start)
        if not one.was_well and (status in one.program.final or one.crashes >= self.pace.tries):
            raise StartFailed(f"{ended}. Its log {one.program.log} ends:\n{last}")
        wait = min(self.pace.longest_wait, self.pace.first_wait * 2 ** (one.crashes - 1))
        one.due = now + wait
        self._say(f"{ended}; it starts again in {wait:.1f} s. Its log ends:\n{last}")
        self._changed()

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop all, those that lean on others first: SIGTERM, and SIGKILL for who stays; returns when all are gone."""
        leaning = [one for one in self.watched.values() if one.program.after]
        for group in (leaning, [one for one in self.watched.values() if not one.program.after]):
            for one in group:
                self._signal(one, signal.SIGTERM)
            until = time.monotonic() + self.pace.stop
            while time.monotonic() < until and not hurry() and any(_alive(one) for one in group):
                time.sleep(0.05)
            for one in group:
                self._signal(one, signal.SIGKILL)
                if one.process is not None:
                    one.process.wait()
                    one.process = None
        self._asking.shutdown(wait=False, cancel_futures=True)

    def _signal(self, one: Watched, number: signal.Signals) -> None:
        if one.process is None:
            return
        try:
            os.killpg(one.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


def surroundings(extra: Mapping[str, str], *, bare: bool) -> dict[str, str]:
    """The environment of a child: ours plus `extra`; `bare` leaves out everything that could be a secret."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not bare or name in STRIPPED or name.startswith(("OPENBLAS_", "OMP_"))
    }
    return {**kept, **extra}


def expect_free(name: str, port: int, setting: str, patience: float) -> None:
    """Wait some seconds for a loopback port; raises StartFailed naming the program that needs it and its setting."""
    until = time.monotonic() + patience
    while not port_is_free(port):
        if time.monotonic() >= until:
            raise StartFailed(
                f"Port {port} ({name}) is taken by another program: stop that one, or choose another port with {setting}."
            )
        time.sleep(0.2)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _alive(one: Watched) -> bool:
    return one.process is not None and one.process.poll() is None


def _words(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return f"killed by {signal.Signals(-status).name}"
