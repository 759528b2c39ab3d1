"""How much one caller may ask for: the table of limits, and who counts as one caller.

Counting is in memory and per process: it keeps one rude caller from crowding out the others, and it
is no billing. A whole clinic or a mobile network may sit behind one address, so the limits per
address are wide and the limits per session are narrow.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from bot.base.errors import BadInput, Misconfigured, TooMany
from bot.base.settings import Settings


def _default(name: str) -> Any:
    return Settings.model_fields[f"limit_{name}"].default


@dataclass(frozen=True)
class Limits:
    """The table: allowances as `count per time`, several separated by semicolons, and counts of open streams."""

    session_turns: str = _default("session_turns")
    address_turns: str = _default("address_turns")
    address_sessions: str = _default("address_sessions")
    address_requests: str = _default("address_requests")
    token_requests: str = _default("token_requests")
    address_refusals: str = _default("address_refusals")
    session_streams: int = _default("session_streams")
    address_streams: int = _default("address_streams")


LIMITS = Limits()
"""What holds when the operator set nothing."""

_NO_LIMIT = "1000000 per second"
UNLIMITED = Limits(
    _NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT, session_streams=10_000, address_streams=10_000
)
"""As good as none, for measurements and tests."""


def limits_of(settings: Settings) -> Limits:
    """The table as the operator set it; raises Misconfigured naming an allowance that cannot be read."""
    table = Limits(**{field.name: getattr(settings, f"limit_{field.name}") for field in fields(Limits)})
    for name in _RATES:
        try:
            parse_many(getattr(table, name))
        except ValueError:
            raise Misconfigured(f"CANDOUR_LIMIT_{name.upper()} must read like `20 per minute; 200 per hour`.") from None
    return table


BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body; 200,000 characters fit in any of the languages."""

ROSTER_LIMIT = 64_000_000
"""Bytes of a roster: 100,000 persons have about 20 MB."""
LETTER_LIMIT = 31 * 1024 * 1024
"""Bytes of an e-mail with its attachments, which are thrown away (Inbound Parse: up to 30 MB)."""


def body_limit(path: str) -> int:
    """Bytes that a request's body may have at this path."""
    if path == "/desk/roster/judge":
        return ROSTER_LIMIT
    return LETTER_LIMIT if path.startswith("/hooks/sendgrid/inbound/") else BODY_LIMIT


class Limiter:
    """Counts what callers do against the table."""

    def __init__(self, table: Limits) -> None:
        self._table = table
        self._items = {name: parse_many(getattr(table, name)) for name in _RATES}
        self._strategy = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._streams: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def count(self, name: str, caller: str) -> None:
        """Count one use of the allowance `name`; raises TooMany with the seconds to wait, and then counts nothing."""
        items = self._items[name]
        for item in items:
            if not self._strategy.test(item, name, caller):
                raise TooMany(f"The limit {name} is reached.", retry_after_s=self._wait(item, name, caller))
        for item in items:
            self._strategy.hit(item, name, caller)

    def _wait(self, item: RateLimitItem, name: str, caller: str) -> int:
        reset, _ = self._strategy.get_window_stats(item, name, caller)
        return min(max(1, math.ceil(reset - time.time())), item.get_expiry())

    def take_stream(self, session: str, address: str) -> None:
        """Take a place for one open stream; raises TooMany when the session or the address holds too many."""
        with self._lock:
            places = ((("session", session), self._table.session_streams), (("address", address), self._table.address_streams))
            if any(self._streams[key] >= allowed for key, allowed in places):
                raise TooMany("Too many open streams.", retry_after_s=STREAM_RETRY_S)
            for key, _ in places:
                self._streams[key] += 1

    def give_stream_back(self, session: str, address: str) -> None:
        """Free the place of a stream that has ended."""
        with self._lock:
            for key in (("session", session), ("address", address)):
                self._streams[key] -= 1
                if self._streams[key] <= 0:
                    del self._streams[key]

    @contextmanager
    def stream(self, session: str, address: str) -> Iterator[None]:
        """Hold a place for one stream as long as the block runs; raises TooMany."""
        self.take_stream(session, address)
        try:
            yield
        finally:
            self.give_stream_back(session, address)


_RATES = (
    *("session_turns", "address_turns", "address_sessions", "address_requests"),
    *("token_requests", "address_refusals"),
)
STREAM_RETRY_S = 15

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def networks(setting: str) -> list[Network]:
    """The addresses and networks of a comma-separated setting; raises Misconfigured for one that is none."""
    try:
        return [ip_network(part.strip(), strict=False) for part in setting.split(",") if part.strip()]
    except ValueError:
        raise Misconfigured("CANDOUR_TRUSTED_PROXIES must be comma-separated addresses or networks.") from None


def caller(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Who is asking, as one key: an IPv4 address, or the /64 of an IPv6 address.

    `forwarded` are the X-Forwarded-For headers; they are read from the right and believed only as
    far as each next hop is a trusted proxy, because everything further left is the caller's own claim.
    """
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    at = _address(peer or "")
    while at is not None and hops and any(at in network for network in trusted):
        before = _address(hops.pop())
        if before is None:
            break
        at = before
    if at is None:
        return "local"
    return str(ip_network((at, 64), strict=False)) if isinstance(at, IPv6Address) else str(at)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.removeprefix("[").partition("]")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def number(text: str | None) -> int:
    """A line number out of `Last-Event-ID` or `after`; 0 for none, BadInput for anything that is no number."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadInput("A line number has only digits.")
    return int(text)
