"""`test`: every check there is, in the order in which it is cheapest to fail."""

from __future__ import annotations

import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.base.errors import CandourError
from bot.base.settings import REPOSITORY, Settings
from bot.cli import services, training
from bot.cli.checking import Check, Result, Run
from bot.cli.supervisor import surroundings
from bot.cli.terminal import out, say, settings_now, show

SLOW = ("postgres", "engine", "browser", "chaos")
MEMORY_FOR_TWO = 6 * 2**30
"""Bytes: a training takes 3 GB, the tests beside it 1 GB, and the rest is for whatever else runs."""


class Kind(StrEnum):
    """Which checks to run."""

    ALL = "all"  # everything
    FAST = "fast"  # the static checks and the tests that need no server
    POSTGRES = "postgres"  # the tests on a real PostgreSQL
    ENGINE = "engine"  # the data, the stories and the tests on a real engine
    BROWSER = "browser"  # the tests in Chromium
    CHAOS = "chaos"  # the tests that kill and stop processes


def run_checks(
    kind: Annotated[Kind, typer.Argument(help="Which checks.")] = Kind.ALL,
    one_by_one: Annotated[
        bool, typer.Option("--one-by-one", help="Nothing side by side; what tests say is shown as it comes.")
    ] = False,
) -> None:
    """Run the checks: style, types, imports, tests on real parts. `test fast` takes some minutes."""
    settings = settings_now()
    began = time.monotonic()
    install_parts(kind)
    results: list[Result] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stop ends what was started, as Ctrl-C does

    def tell(check: Check, result: Result, seconds: float) -> None:
        results.append(result)
        out.print(f"[bold]{check.name}[/bold]: {'failed' if result.status else 'well'} ({seconds:.1f} s)")
        if result.status:
            say(f"{check.name} failed (exit status {result.status}); the checks after it were not run.")

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        together = kind is Kind.ALL and not one_by_one and has_room()
        run = Run(Path(scratch), tell, streams=not together)
        went_well = all(run.side_by_side(lanes) for lanes in stages(kind, settings, Path(scratch), together=together))
    out.print(f"checked in {time.monotonic() - began:.0f} s")
    for name in [name for result in results for name in result.unsteady]:
        say(f"Unsteady, please mend: {name} failed once and passed when it was run by itself.")
    passed = sum(result.passed for result in results)
    failed = max(sum(len(result.failures) for result in results), 0 if went_well else 1)
    out.print(f"{passed} passed, {failed} failed")
    if failed or not passed:
        raise typer.Exit(1)


def has_room() -> bool:
    """Whether two lanes of checks fit: two processors, and memory for a training beside the other tests."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        if limit.exists() and (allowed := limit.read_text().strip()).isdecimal():
            memory = min(memory, int(allowed))
    return len(os.sched_getaffinity(0)) >= 2 and memory >= MEMORY_FOR_TWO


def stages(kind: Kind, settings: Settings, scratch: Path, *, together: bool) -> list[list[Iterator[Check]]]:
    """The checks of a kind: stages in order, each of one or two lanes; the model is trained when one first needs it."""
    if kind is Kind.FAST:
        return [[_fast(scratch)]]
    if kind is Kind.ENGINE:
        return [[_engine(settings, scratch)]]
    if kind is not Kind.ALL:
        return [[iter([_tests(f"{kind} tests", kind.value, scratch)])]]
    postgres = iter([_tests("postgres tests", "postgres and not (engine or browser or chaos)", scratch)])
    browser = iter([_tests("browser tests", "browser and not chaos", scratch)])
    chaos = iter([_tests("chaos tests", "chaos", scratch)])  # alone: it stops and kills processes, and counts seconds
    if together:
        return [[_fast(scratch), _engine(settings, scratch)], [postgres, browser], [chaos]]
    return [[_fast(scratch)], [_engine(settings, scratch)], [postgres], [browser], [chaos]]


def _fast(scratch: Path) -> Iterator[Check]:
    yield from _static()
    yield _tests("fast tests", f"not ({' or '.join(SLOW)})", scratch)


def _engine(settings: Settings, scratch: Path) -> Iterator[Check]:
    yield from _data(settings, scratch)
    yield _tests("engine tests", "engine and not (browser or chaos)", scratch)


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
    folder = scratch / name.replace(" ", "-")
    folder.mkdir(exist_ok=True)
    # Its own memory of what failed: another lane would write over it.
    kept = ["--junit-xml", str(folder / "report.xml"), "-o", f"cache_dir={folder / 'cache'}"]
    command = [sys.executable, "-m", "pytest", "-q", "-m", marks, "--durations=5", *kept]
    return Check(name, command, report=folder / "report.xml")


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
