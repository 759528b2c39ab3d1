"""How checks are run: one after another or side by side, with what failed run once more."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from bot.base.settings import REPOSITORY
from bot.cli.terminal import out, say

UNSTEADY = 5
"""Failed tests of so many functions are run once more by themselves; with more of them, something is wrong."""
LAST_WORDS_S = 60
"""Seconds in which an interrupted check may tidy up."""
NEWS_S = 60
"""Seconds between two lines about what is going on while nothing else is printed."""


@dataclass(frozen=True)
class Check:
    """A command whose exit status decides."""

    name: str
    command: Sequence[str]
    report: Path | None = None  # pytest's, in JUnit's form: its totals are added up
    quiet: bool = False  # its words are shown only when it fails
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a check went; of tests, how many passed and the names of the others."""

    status: int
    passed: int = 0
    failures: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()


Tell = Callable[[Check, Result, float], None]


class Run:
    """Lanes of checks side by side; the first failure, or Ctrl-C, ends them all."""

    def __init__(self, scratch: Path, tell: Tell, *, streams: bool) -> None:
        """`tell` hears of each finished check, one at a time; `streams`: what a check says is shown as it comes."""
        self._scratch, self._tell, self._streams = scratch, tell, streams
        self._stopping = threading.Event()
        self._speaking = threading.Lock()
        self._running: dict[str, Path] = {}
        self._wrong: list[BaseException] = []

    def side_by_side(self, lanes: Sequence[Iterable[Check]]) -> bool:
        """Run the checks of each lane in order; whether all went well. What a lane raises is raised here."""
        # Daemons: a lane that trains the engine cannot be interrupted, but its training ends with this process.
        threads = [threading.Thread(target=self._lane, args=(lane,), daemon=True) for lane in lanes]
        for thread in threads:
            thread.start()
        try:
            self._wait(threads)
        except KeyboardInterrupt:
            self._stop(threads)
            raise
        if self._stopping.is_set():
            self._stop(threads)
        if self._wrong:
            raise self._wrong[0]
        return not self._stopping.is_set()

    def _wait(self, threads: Sequence[threading.Thread]) -> None:
        news = time.monotonic() + NEWS_S
        while any(thread.is_alive() for thread in threads) and not self._stopping.is_set():
            self._stopping.wait(0.2)
            if not self._streams and time.monotonic() > news:
                news = time.monotonic() + NEWS_S
                say("… " + ", ".join(f"{name}{_percent(log)}" for name, log in list(self._running.items())))

    def _stop(self, threads: Sequence[threading.Thread]) -> None:
        self._stopping.set()
        end = time.monotonic() + LAST_WORDS_S
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _lane(self, lane: Iterable[Check]) -> None:
        try:
            for check in lane:
                if self._stopping.is_set():
                    return
                began = time.monotonic()
                result = self.run(check)
                with self._speaking:
                    if self._stopping.is_set():
                        return  # it was interrupted: how it ended says nothing
                    self._show(check, result)
                    self._tell(check, result, time.monotonic() - began)
                    if result.status:
                        self._stopping.set()
                        return
        except BaseException as wrong:  # raised again by whoever waits
            self._wrong.append(wrong)
            self._stopping.set()

    def run(self, check: Check) -> Result:
        """Run a check; a few failed tests are run once more alone: what fails twice is wrong, what passes then is unsteady."""
        first = self._once(check, "wb")
        if check.report is None or not 0 < len({function(name) for name in first.failures}) <= UNSTEADY:
            return first
        say(f"{check.name}: {len(first.failures)} failed; once more by themselves …")
        again = replace(check, command=[*check.command, "--last-failed", "--last-failed-no-failures", "none"])
        second = self._once(again, "ab")
        if second.passed + len(second.failures) < len(first.failures):
            return first  # they were not run again: nothing new is known about them
        unsteady = tuple(name for name in first.failures if name not in second.failures)
        return Result(second.status, first.passed + second.passed, second.failures, unsteady)

    def _once(self, check: Check, mode: str) -> Result:
        log = self._log(check)
        with log.open(mode) as kept:
            self._running[check.name] = log
            status = self._wait_for(check, None if self._streams and not check.quiet else kept)
            self._running.pop(check.name, None)
        if check.report is None or not check.report.exists():
            return Result(status)
        result = _read(check.report, status)
        check.report.unlink()
        return result

    def _wait_for(self, check: Check, kept: IO[bytes] | None) -> int:
        joined = None if kept is None else subprocess.STDOUT
        # A session of its own: Ctrl-C reaches it once, through us, and it can tidy up.
        process = subprocess.Popen(  # noqa: S603 - our own commands
            check.command, cwd=REPOSITORY, env=check.environment or None, stdout=kept, stderr=joined, start_new_session=True
        )
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(0.2)
            if self._stopping.is_set():
                process.send_signal(signal.SIGINT)
                try:
                    return process.wait(LAST_WORDS_S - 5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    return process.wait()

    def _show(self, check: Check, result: Result) -> None:
        said = self._log(check).read_text("utf-8", "replace")
        if not check.quiet:
            out.out(said, end="")
        elif result.status:
            out.out(said[-8000:])

    def _log(self, check: Check) -> Path:
        return self._scratch / f"{check.name.replace(' ', '-')}.log"


def function(name: str) -> str:
    """The test function of a test: its variants stumble together."""
    return name.partition("[")[0]


def _percent(log: Path) -> str:
    found = re.findall(rb"\[ *(\d+)%\]", log.read_bytes()[-2000:])
    return f" {int(found[-1])} %" if found else ""


def _read(report: Path, status: int) -> Result:
    """How many tests passed, and the names of those that did not, from pytest's report in JUnit's form."""
    passed, failures = 0, []
    for _, element in ElementTree.iterparse(report):  # noqa: S314 - pytest wrote it
        if element.tag != "testcase":
            continue
        outcomes = {child.tag for child in element}
        if outcomes & {"failure", "error"}:
            failures.append(f"{element.get('classname')}::{element.get('name')}")
        elif "skipped" not in outcomes:
            passed += 1
        element.clear()
    return Result(status, passed, tuple(dict.fromkeys(failures)))
