"""The log files of the processes: turned over when they grow, and quoted from when a process ends."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LIMIT_BYTES = 5_000_000
KEPT = 3
LAST_LINES = 6


def turn_over(log: Path) -> None:
    """Set a log that has grown too large aside and empty it; the oldest one goes."""
    # The program keeps the file open for appending, so the file is copied away and emptied.
    if not log.exists() or log.stat().st_size < LIMIT_BYTES:
        return
    for number in range(KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    newest = log.with_name(f"{log.name}.1")
    try:
        shutil.copyfile(log, newest)
    except OSError:  # the disk is full: what watches the processes must not end for the sake of a log
        newest.unlink(missing_ok=True)
    os.truncate(log, 0)


def last_lines(log: Path, start: int) -> str:
    """The end of a log, indented; nothing from before byte `start`."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start if start <= size else 0, size - 8000))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:  # somebody removed it
        lines = []
    return "\n".join(f"    {line}" for line in lines[-LAST_LINES:]) or "    (nothing)"
