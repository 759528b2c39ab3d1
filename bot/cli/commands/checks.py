"""`test`: every check there is, in the order in which it is cheapest to fail."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer

from bot.base.errors import CandourError
from bot.base.settings import REPOSITORY, Settings
from bot.cli import services, training
from bot.cli.supervisor import surroundings
from bot.cli.terminal import out, say, settings_now, show

UNSTEADY = 3
"""So many failed tests are run once more by themselves; with more of them, something is wrong."""
SLOW = ("postgres", "engine", "browser", "chaos")


class Kind(StrEnum):
    """Which checks to run."""

    ALL = "all"  # everything
    FAST = "fast"  # the static checks and the tests that need no server
    POSTGRES = "postgres"  # the tests on a real PostgreSQL
    ENGINE = "engine"  # the data, the stories and the tests on a real engine
    BROWSER = "browser"  # the tests in Chromium
    CHAOS = "chaos"  # the tests that kill and stop processes


@dataclass(frozen=True)
class Check:
    """A command whose exit status decides."""

    name: str
    command: Sequence[str]
    counts: bool = False  # pytest: its totals are added up
    quiet: bool = False  # its words are shown only when it fails
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a check went; of tests, how many passed and the names of the others."""

    status: int
    passed: int = 0
    failures: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()


def run_checks(kind: Annotated[Kind, typer.Argument(help="Which checks.")] = Kind.ALL) -> None:
    """Run the checks: style, types, imports, tests on real parts. `test fast` takes some minutes."""
    settings = settings_now()
    began = time.monotonic()
    install_parts(kind)
    passed = failed = 0
    unsteady: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for check in checks(kind, settings, Path(scratch)):
            started = time.monotonic()
            result = run(check, Path(scratch))
            unsteady += result.unsteady
            status, passed, failed = result.status, passed + result.passed, failed + len(result.failures)
            out.print(f"[bold]{check.name}[/bold]: {'failed' if status else 'well'} ({time.monotonic() - started:.1f} s)")
            if status:
                failed = max(failed, 1)
                say(f"{check.name} failed (exit status {status}); the checks after it were not run.")
                break
    out.print(f"checked in {time.monotonic() - began:.0f} s")
    for name in unsteady:
        say(f"Unsteady, please mend: {name} failed once and passed when it was run by itself.")
    out.print(f"{passed} passed, {failed} failed")
    if failed or not passed:
        raise typer.Exit(1)


def checks(kind: Kind, settings: Settings, scratch: Path) -> Iterator[Check]:
    """The checks of a kind, in order; the model is trained when the first one that needs it is reached."""
    if kind in (Kind.ALL, Kind.FAST):
        yield from _static()
        yield _tests("fast tests", f"not ({' or '.join(SLOW)})", scratch)
    if kind in (Kind.ALL, Kind.ENGINE):
        yield from _data(settings, scratch)
    if kind is Kind.ALL:
        yield _tests("tests on real parts", " or ".join(SLOW), scratch)
    elif kind is not Kind.FAST:
        yield _tests(f"{kind} tests", kind.value, scratch)


def _static() -> Iterator[Check]:
    python = [sys.executable, "-m"]
    yield Check("ruff check", [*python, "ruff", "check", "."])
    yield Check("ruff format", [*python, "ruff", "format", "--check", "."])
    yield Check("mypy", [*python, "mypy"])
    yield Check("mypy of the launcher", [*python, "mypy", "candour"])
    # Its console script: import-linter has no module to run.
    yield Check(
        "import contract",
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-logo", "--no-cache"],
    )


def _data(settings: Settings, scratch: Path) -> Iterator[Check]:
    engine = [services.engine_python(), "-m", "engine.rasa"]
    domain, config = ["--domain", "data/"], ["--config", "config.yml"]
    bare = surroundings({"CANDOUR_ENGINE_TOKEN": "unused"}, bare=True)
    validate = ["data", "validate", "--fail-on-warnings", "--data", "data/faq", "data/flows", *domain, *config]
    yield Check("rasa data validate", [*engine, *validate], quiet=True, environment=bare)
    model = training.ensure_model(settings, say, show)
    if (REPOSITORY / "tests" / "conversations").is_dir():
        stories = ["test", "core", "--e2e", "--fail-on-prediction-errors", "-s", "tests/conversations", "-m", str(model)]
        yield Check(
            "stories", [*engine, *stories, "--endpoints", "endpoints.yml", "--out", str(scratch)], quiet=True, environment=bare
        )


def _tests(name: str, marks: str, scratch: Path) -> Check:
    report = ["--junit-xml", str(scratch / "report.xml")]
    return Check(name, [sys.executable, "-m", "pytest", "-q", "-m", marks, "--durations=5", *report], counts=True)


def run(check: Check, scratch: Path) -> Result:
    """Run a check; a few failed tests are run once more alone: what fails twice is wrong, what passes then is unsteady."""
    first = _once(check, scratch)
    if not check.counts or not 0 < len(first.failures) <= UNSTEADY:
        return first
    say(f"{len(first.failures)} failed; once more by themselves …")
    second = _once(replace(check, command=[*check.command, "--last-failed", "--last-failed-no-failures", "none"]), scratch)
    if second.passed + len(second.failures) < len(first.failures):
        return first  # they were not run again: nothing new is known about them
    unsteady = tuple(name for name in first.failures if name not in second.failures)
    return Result(second.status, first.passed + second.passed, second.failures, unsteady)


def _once(check: Check, scratch: Path) -> Result:
    kept, joined = (subprocess.PIPE, subprocess.STDOUT) if check.quiet else (None, None)
    environment = check.environment or None
    done = subprocess.run(check.command, cwd=REPOSITORY, env=environment, stdout=kept, stderr=joined, check=False)  # noqa: S603
    if done.returncode and check.quiet:
        out.out(done.stdout.decode("utf-8", "replace")[-8000:])
    report = scratch / "report.xml"
    if not check.counts or not report.exists():
        return Result(done.returncode)
    result = _read(report, done.returncode)
    report.unlink()
    return result


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


def postgres_binaries() -> Path | None:
    """The folder of PostgreSQL's server programs, wherever Debian or PATH has them."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else [Path(path) for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"))]
    return next((folder for folder in reversed(found) if (folder / "initdb").exists()), None)


def install_parts(kind: Kind) -> None:
    """Install what the tests of this kind need from Debian; raises CandourError saying what when it cannot."""
    missing = []
    if kind in (Kind.ALL, Kind.POSTGRES, Kind.CHAOS) and postgres_binaries() is None:
        missing.append("postgresql")
    if kind in (Kind.ALL, Kind.BROWSER):
        missing += ["chromium"] if shutil.which("chromium") is None else []
        missing += ["fonts-noto-cjk"] if not glob.glob("/usr/share/fonts/**/NotoSansCJK*", recursive=True) else []
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise CandourError(f"The tests need {', '.join(missing)}: install them (Debian's names), or run `./candour test fast`.")
    say(f"Installing {', '.join(missing)} …")
    environment = surroundings({"DEBIAN_FRONTEND": "noninteractive"}, bare=False)
    for command in (["apt-get", "-q", "update"], ["apt-get", "-q", "-y", "--no-install-recommends", "install", *missing]):
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # noqa: S603
        if done.returncode:
            last = done.stdout.decode("utf-8", "replace").splitlines()[-6:]
            raise CandourError("\n".join([*last, f"{' '.join(command[:2])} failed; the lines above say why."]))
