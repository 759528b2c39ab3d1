"""What one installation's processes know of each other: locks, and who runs where.

A lock is the kernel's (flock): it goes with the process that held it, however that ended. The state
file beside it is only believed while the lock is held.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TRIES = 5
"""A look at a lock holds it for a moment; an owner therefore asks a few times."""


class Busy(Exception):
    """Somebody else holds the lock."""


@contextmanager
def held(path: Path, *, wait: bool, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock for the block; when it is taken: raises Busy, or (`wait`) calls `waiting` and waits."""
    private_folder(path.parent)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _take(file)
        except Busy:
            if not wait:
                raise
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def private_folder(path: Path) -> None:
    """Make a folder, and those above it, for their owner alone; folders that exist stay as they are."""
    for folder in [*reversed(path.parents), path]:
        folder.mkdir(mode=0o700, exist_ok=True)


def _take(file: int) -> None:
    for left in reversed(range(TRIES)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise Busy from None
            time.sleep(0.05)
        else:
            return


def up_lock(home: Path) -> Path:
    """The lock that `up` holds as long as it runs."""
    return home / "run" / "up.lock"


def running(home: Path) -> Mapping[str, Any] | None:
    """What the running `up` of this home wrote about itself; None when none runs."""
    lock, state = up_lock(home), home / "run" / "up.json"
    if not lock.exists():
        return None
    file = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            found: Mapping[str, Any] = json.loads(state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # it is only just starting
        return found
    finally:
        os.close(file)
    return None


def write_state(home: Path, state: Mapping[str, Any]) -> None:
    """Replace the state file, whole or not at all."""
    path = home / "run" / "up.json"
    private_folder(path.parent)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def forget_state(home: Path) -> None:
    """Remove the state file of an `up` that ends."""
    (home / "run" / "up.json").unlink(missing_ok=True)
