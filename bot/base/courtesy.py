"""Which process may go first: on SQLite the worker gives way to the doors.

SQLite lets one process write and has the others ask again ever more rarely, up to ten times a second; a
worker that writes without a pause then keeps a door waiting for seconds. A door shows by a shared lock on a
file that it wants to write, and the worker waits a moment before each of its own writes while that is shown.
The lock only says "please": whoever cannot take it goes on, and the system drops it with its process.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MOST_S = 0.05
"""The longest a worker gives way before one write: doors that never rest must not stop the answers."""
LOOK_EVERY_S = 0.001


class Courtesy:
    """One process's hold on the file; not for two threads at once."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + "-door")
        self._file: int | None = None

    @contextmanager
    def wanting(self) -> Iterator[None]:
        """Show for the duration of the block that a door wants to write."""
        shown = self._try(fcntl.LOCK_SH)
        try:
            yield
        finally:
            if shown and self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def give_way(self) -> None:
        """Wait while a door wants to write, but not for long."""
        ends = time.monotonic() + MOST_S
        while not self._try(fcntl.LOCK_EX) and self._file is not None and time.monotonic() < ends:
            time.sleep(LOOK_EVERY_S)
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _try(self, kind: int) -> bool:
        with suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # Never waiting for it: a stopped process must stop nobody else.
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            return True
        return False
