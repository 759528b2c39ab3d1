"""`bench`: measurements, kept apart from the application in `bench/`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import typer

from bot.base.errors import Misconfigured


def bench(context: typer.Context) -> None:
    """Measure Candour on this machine, such as `bench turns --clients 16 --turns 1000 --json`."""
    if importlib.util.find_spec("bench") is None:
        raise Misconfigured("This checkout has no `bench` folder.")
    raise typer.Exit(subprocess.call([sys.executable, "-m", "bench", *context.args]))  # noqa: S603 - our own program
