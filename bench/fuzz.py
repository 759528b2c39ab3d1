"""Hostile strings against the understanding, in the engine's own environment; a crash of an encoder would end it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from bot.base.settings import REPOSITORY
from bot.cli.services import engine_python

THOUSANDS = 40
"""Texts of a thousand Chinese characters whose time is told: the dearest there are."""


def run(model: Path, *, strings: int, seed: int) -> dict[str, Any]:
    """How many strings were judged, how many oddly, and how fast; raises RuntimeError when the engine broke."""
    command = [engine_python(), "-W", "ignore", "-m", "engine.fuzz", "--model", str(model)]
    before = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own program
        [*command, "--strings", str(strings), "--seed", str(seed), "--thousands", str(THOUSANDS)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The engine broke (exit status {done.returncode}): {done.stderr[-500:]}")
    took = time.perf_counter() - before
    return {**json.loads(done.stdout.splitlines()[-1]), "seconds": round(took, 1), "per_s": round(strings / took, 1)}
