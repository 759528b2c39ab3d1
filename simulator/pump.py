"""Lets the simulated time pass: takes the steps that are due, gathers events, hands posts to the courier."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping

from simulator.courier import Courier
from simulator.world import World

log = logging.getLogger(__name__)

Step = Callable[[World, sqlite3.Row], None]
AT_ONCE = 500
IDLE_S = 0.5


class Pump:
    """The one background task."""

    def __init__(self, world: World, steps: Mapping[str, Step], gather: Callable[[World], bool], courier: Courier) -> None:
        self._world = world
        self._steps = steps
        self._gather = gather
        self.courier = courier
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, and give up what is on its way."""
        # Cancelling alone may be lost: before Python 3.12, `wait_for` swallows it when the bell rings at the same moment.
        self._is_stopped = True
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.courier.close()

    async def _run(self) -> None:
        while not self._is_stopped:
            self._world.bell.clear()
            moved = self._advance()
            moved = (not self._world.held and self._gather(self._world)) or moved
            moved = self.courier.launch() or moved
            if moved:
                await asyncio.sleep(0)
                continue
            try:
                await asyncio.wait_for(self._world.bell.wait(), self._pause())
            except TimeoutError:
                continue

    def _advance(self) -> bool:
        store = self._world.store
        statement = "SELECT * FROM steps WHERE due <= ? ORDER BY due, n LIMIT ?"
        rows = store.all(statement, [self._world.clock.now(), AT_ONCE])
        if not rows:
            return False
        with store.transaction():
            store.db.executemany("DELETE FROM steps WHERE n = ?", [[row["n"]] for row in rows])
            for row in rows:
                try:
                    self._steps[row["kind"]](self._world, row)
                except Exception:
                    # One broken step must not stop the time for all others.
                    log.exception("step %s of %s failed", row["kind"], row["subject"])
        store.prune(len(rows))
        self._world.changes += 1
        return True

    def _pause(self) -> float:
        dues = [self._due("steps")]
        if not self._world.held:
            dues.append(self._due("events"))
            if not self.courier.flying:
                dues.append(self._due("posts"))
        known = [due for due in dues if due is not None]
        if not known:
            return IDLE_S
        return min(IDLE_S, max(0.002, self._world.clock.real_seconds(min(known))))

    def _due(self, table: str) -> float | None:
        row = self._world.store.one(f"SELECT min(due) AS due FROM {table}")  # noqa: S608 - names of our own tables
        return row["due"] if row else None

    def waiting(self) -> dict[str, int]:
        """How much is still to happen."""
        found = {table: self._world.store.count(table) for table in ("steps", "events", "posts")}
        return {**found, "flying": self.courier.flying}
