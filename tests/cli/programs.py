"""Small programs for the supervisor to watch."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from bot.cli.supervisor import Pace, Program

QUICK = Pace(first_wait=0.05, longest_wait=0.2, calm=0.5, sick=0.6, start=3.0, ask_every=0.05, port=0.1, stop=0.6, tries=3)

PATIENT = "import time\ntime.sleep(60)\n"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)\n"
CRASHING = "import sys\nprint('the last words')\nsys.exit(7)\n"
BEATING = "import pathlib, sys, time\nwhile True:\n    pathlib.Path(sys.argv[1]).touch()\n    time.sleep(0.05)\n"


def program(
    folder: Path,
    name: str,
    code: str,
    *argv: str,
    after: tuple[str, ...] = (),
    healthy: Callable[[], bool] | None = None,
    final: tuple[int, ...] = (),
    port: int | None = None,
) -> Program:
    """A program that runs some Python and writes to a log of its own."""
    return Program(
        name=name,
        command=[sys.executable, "-c", code, *argv],
        folder=folder,
        environment={"PATH": os.environ["PATH"]},
        log=folder / f"{name}.log",
        healthy=healthy,
        after=after,
        final=final,
        port=port,
        setting="CANDOUR_SOME_PORT",
    )


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
