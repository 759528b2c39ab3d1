"""Many small writes as one: what arrives while a transaction is under way is committed with the next.

A disk that needs some milliseconds for a commit would otherwise let through a few hundred a second, and
everything else of this process would wait in the same queue.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")

MOST = 200
"""Items in one transaction: others want to write too."""


class Gathering(Generic[Item]):
    """Hands items to `write` in the order they came, as many at a time as there are."""

    def __init__(self, write: Callable[[Sequence[Item]], object]) -> None:
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[None]]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    async def put(self, item: Item) -> None:
        """Return when the item is committed; raises what the write raised."""
        done = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._stopped:
                raise RuntimeError("the process is stopping")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gathering", daemon=True)
                self._thread.start()
            self._waiting.append((item, done))
            self._changed.notify()
        await done

    def stop(self) -> None:
        """Write what is left, and take nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread:
            self._thread.join(10)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopped)
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            if not batch:
                return
            failed: Exception | None = None
            try:
                self._write([item for item, _ in batch])
            except Exception as trouble:  # whoever put an item in is told, and the next batch is tried
                failed = trouble
            for _, done in batch:
                # A loop that was closed meanwhile has nobody left to tell.
                if not done.get_loop().is_closed():
                    done.get_loop().call_soon_threadsafe(_tell, done, failed)


def _tell(done: asyncio.Future[None], failed: Exception | None) -> None:
    if done.done():  # the caller went away
        return
    if failed is None:
        done.set_result(None)
    else:
        done.set_exception(failed)
