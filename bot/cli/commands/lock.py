"""`lock`: the application's lock files, made anew from requirements/*.in without changing a version that still fits."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bot.base.errors import CandourError
from bot.base.settings import REPOSITORY
from bot.cli.supervisor import surroundings
from bot.cli.terminal import out, say

OPTIONS = (
    "--generate-hashes",
    "--strip-extras",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--quiet",
)
Upgrade = Annotated[bool, typer.Option("--upgrade", help="Take the newest versions instead of keeping those that fit.")]


def lock(upgrade: Upgrade = False) -> None:
    """Rewrite requirements/app.txt and test.txt; for developers, needs the package registry."""
    environment = surroundings({"CUSTOM_COMPILE_COMMAND": "./candour lock"}, bare=False)
    with tempfile.TemporaryDirectory() as folder:
        # pip-tools lives for this command only: it is no part of the application or of its tests.
        python = str(Path(folder) / "bin" / "python")
        say("Fetching pip-tools …")
        _run([sys.executable, "-m", "venv", folder], environment)
        _run([python, "-m", "pip", "install", "--quiet", "pip-tools"], environment)
        for name in ("app", "test"):
            say(f"Resolving {name}.in …")
            extra = ["--upgrade"] if upgrade else []
            command = [python, "-m", "piptools", "compile", *OPTIONS, *extra, "-o", f"requirements/{name}.txt"]
            _run([*command, f"requirements/{name}.in"], environment)
    out.print("requirements/app.txt and requirements/test.txt are up to date.")


def _run(command: list[str], environment: dict[str, str]) -> None:
    if subprocess.call(command, cwd=os.fspath(REPOSITORY), env=environment):  # noqa: S603 - our own commands
        raise CandourError("The lock files could not be made; the lines above say why.")
