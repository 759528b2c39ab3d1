"""Everything the doors share: clock, store, faults, configuration, and the bell that wakes the pump and the page."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from simulator.clock import Clock
from simulator.configuration import Configuration, merged
from simulator.faults import Faults
from simulator.options import Options, with_addresses
from simulator.signatures import Signer
from simulator.store import Store


class World:
    """One running simulator."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.credentials = options.credentials
        self.store = Store(options.data, options.keep)
        self.clock = Clock(options.speed, start=self.store.kept("clock"))
        self.faults = Faults(options.rates, options.seed)
        self.signer = Signer(options.credentials.signing_key, options.credentials.twilio_auth_token)
        self.configuration = self._initial()
        self.held = False
        self.bell = asyncio.Event()
        self.changes = 0
        self.origin = f"http://127.0.0.1:{options.port}"
        self._burst: dict[str, float] = {}
        self._running: dict[str, int] = {}

    def _initial(self) -> Configuration:
        kept = self.store.kept("configuration")
        configuration = self.options.configuration or (Configuration.model_validate(kept) if kept else Configuration())
        return with_addresses(configuration, self.options.addresses)

    def configure(self, change: dict[str, Any]) -> None:
        """Change the configuration and keep it; raises pydantic's ValidationError."""
        self.configuration = merged(self.configuration, change)
        self.store.keep("configuration", self.configuration.model_dump())

    def reset(self, *, configuration: bool) -> None:
        """Forget all that was sent and received; the configuration too when asked."""
        self.store.reset()
        self.faults.forget()
        self.faults.replace(self.options.rates)
        self._burst.clear()
        self.held = False
        if configuration:
            self.store.run("DELETE FROM meta WHERE name = 'configuration'")
            self.configuration = self._initial()
        self.changed()

    def changed(self) -> None:
        """Something happened: wake the pump and the page."""
        self.changes += 1
        self.bell.set()

    def close(self) -> None:
        """Keep the clock and close the store."""
        self.store.keep("clock", self.clock.now())
        self.store.close()

    # ------------------------------------------------------------ bursts and crowds

    def start_burst(self, provider: str) -> None:
        """From now on this provider answers 429 for a while."""
        self._burst[provider] = time.monotonic() + self.faults.burst_s

    def burst_left_s(self, provider: str) -> float:
        """Real seconds for which this provider still answers 429."""
        return max(0.0, self._burst.get(provider, 0.0) - time.monotonic())

    def enter(self, provider: str) -> int:
        """Count a request in; returns how many of this provider run now."""
        self._running[provider] = self._running.get(provider, 0) + 1
        return self._running[provider]

    def leave(self, provider: str) -> None:
        """Count a request out."""
        self._running[provider] -= 1


def new_sid(prefix: str) -> str:
    """A fresh Twilio identifier: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)
