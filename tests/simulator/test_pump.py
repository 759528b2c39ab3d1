"""The background task ends when it is told to, at whatever moment."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.pump import Pump


class _Still:
    """A world in which nothing is due."""

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self.held = True
        self.clock = SimpleNamespace(now=lambda: 0.0, real_s=lambda span: span, speed=1.0)
        self.store = SimpleNamespace(all=lambda *_: [], one=lambda *_: None)


class _Idle:
    """A courier with nothing to carry."""

    def launch(self) -> bool:
        return False

    def due(self) -> None:
        return None

    async def close(self) -> None:
        return None


@pytest.mark.parametrize("later", range(6))
def test_a_bell_that_rings_at_the_moment_of_the_stop_keeps_nothing_alive(later: int) -> None:
    async def stopped() -> None:
        world: Any = _Still()
        courier: Any = _Idle()
        pump = Pump(world, {}, lambda _: False, courier)
        pump.start()
        for _ in range(10):
            await asyncio.sleep(0)
        world.bell.set()
        for _ in range(later):
            await asyncio.sleep(0)
        await asyncio.wait_for(pump.stop(), 30)

    asyncio.run(stopped())
