"""What goes wrong, and for whom: decided by seed and by key, so that a run can be repeated exactly.

A draw depends on the seed, the fault's name, the recipient and how often that recipient was tried, never on the order in which
several recipients' requests happen to arrive.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

API: dict[str, str] = {
    "error_500": "answers 500; nothing was accepted",
    "error_500_after_accept": "answers 500 although it was accepted",
    "timeout_after_accept": "accepts, then gives no answer for `hang_s` (60) real seconds, then 504",
    "hang": "waits `hang_s` (60) real seconds, then accepts and answers as usual",
    "burst_429": "answers 429 to every request of that provider for `burst_s` (2) real seconds; nothing is accepted",
}
CALLBACKS: dict[str, str] = {
    "reorder": "the callback overtakes or is overtaken",
    "repeat": "the callback comes 2 to `repeat_most` (46) times",
    "delay": "the callback comes `delay_s` (up to 3 days) late",
    "lose": "the callback never comes",
    "early": "the first callbacks come before the create call is answered",
}
TEXTS: dict[str, str] = {
    "unreachable": "undelivered, 30003: handset off or without coverage",
    "blocked": "undelivered, 30004: blocked",
    "unknown_number": "undelivered, 30005: no such handset",
    "landline": "undelivered, 30006: a landline",
    "spam_filter": "undelivered, 30007: filtered by the carrier",
    "carrier_error": "undelivered, 30008: unknown error",
    "overflow": "failed, 30001: the service's queue overflowed",
    "expired": "failed, 30036: the validity period ran out",
    "provider_error": "failed, 30500: internal error",
    "no_whatsapp": "undelivered, 63003: the number has no WhatsApp (WhatsApp only)",
    "whatsapp_rate": "failed, 63018: rate limit of the channel (WhatsApp only)",
    "whatsapp_limit": "undelivered, 63032: WhatsApp does not allow it (WhatsApp only)",
    "whatsapp_refused": "undelivered, 63049: Meta chose not to deliver (WhatsApp only)",
}
MAILS: dict[str, str] = {
    "bounce": "hard bounce 550: no such mailbox; the address is suppressed",
    "mailbox_full": "deferred 452 three times, then blocked: mailbox full",
    "block": "blocked 554: the receiving server refuses the sender",
    "invalid": "dropped: invalid address; the address is listed as invalid",
    "defer": "deferred once, delivered ten minutes later",
    "spam_report": "delivered, then reported as spam",
    "unsubscribe": "delivered, then unsubscribed",
}
BOTH: dict[str, str] = {
    "silent": "handed to the network, no receipt ever; it did arrive",
    "late": "delivered four days later",
}
ALL = {**API, **CALLBACKS, **TEXTS, **MAILS, **BOTH}

MOST_KEYS = 200_000


class BadFaults(ValueError):
    """A fault's name or rate that cannot be."""


def parse(text: str) -> dict[str, float]:
    """Rates out of `name=rate,name=rate` or out of a JSON file's name; raises BadFaults."""
    if "=" not in text and text.strip():
        try:
            loaded = json.loads(Path(text).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise BadFaults(f"{text!r} is neither name=rate,… nor a JSON file of rates") from None
        return checked(loaded)
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return checked({name.strip(): rate.strip() for name, _, rate in pairs})


def checked(rates: object) -> dict[str, float]:
    """Rates by known name between 0 and 1; raises BadFaults naming the first wrong one."""
    if not isinstance(rates, Mapping):
        raise BadFaults("faults must be a mapping of name to rate")
    found = {}
    for name, rate in rates.items():
        if name not in ALL:
            raise BadFaults(f"there is no fault {str(name)[:40]!r}; there are {', '.join(sorted(ALL))}")
        try:
            found[name] = float(rate)
        except (TypeError, ValueError):
            raise BadFaults(f"the rate of {name} is not a number") from None
        if not 0 <= found[name] <= 1:
            raise BadFaults(f"the rate of {name} is not between 0 and 1")
    return found


class Faults:
    """The rates in force, the seed, and faults asked for by name for the next requests."""

    def __init__(self, rates: Mapping[str, float] | None = None, seed: int = 0) -> None:
        self.rates = checked(rates or {})
        self.seed = seed
        self.hang_s, self.burst_s, self.delay_s, self.repeat_most = 60.0, 2.0, 3 * 86_400.0, 46
        self._next: deque[str] = deque(maxlen=1_000)
        self._tried: OrderedDict[str, int] = OrderedDict()

    def replace(self, rates: Mapping[str, float]) -> None:
        """Put other rates in force; raises BadFaults."""
        self.rates = checked(rates)

    def ask_next(self, names: Iterable[str]) -> None:
        """Let the next API requests fail in these ways, one each, in this order; raises BadFaults."""
        wanted = list(names)
        if wrong := [name for name in wanted if name not in API and name != "none"]:
            raise BadFaults(f"{str(wrong[0])[:40]!r} is not one of {', '.join(API)} or none")
        self._next.extend(wanted)

    def forget(self) -> None:
        """Start counting anew, as a fresh run would; asked-for faults are gone too."""
        self._tried.clear()
        self._next.clear()

    def taken(self, key: str) -> str:
        """The key of this try: the recipient and how often it was tried before."""
        number = self._tried.pop(key, 0) + 1
        self._tried[key] = number
        if len(self._tried) > MOST_KEYS:
            self._tried.popitem(last=False)
        return f"{key}|{number}"

    def share(self, name: str, key: str) -> float:
        """A number from 0 up to 1, always the same for the same seed, name and key."""
        digest = blake2b(f"{self.seed}|{name}|{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def draw(self, name: str, key: str) -> bool:
        """Whether this fault happens here."""
        rate = self.rates.get(name, 0.0)
        return rate > 0 and self.share(name, key) < rate

    def first(self, names: Iterable[str], key: str) -> str | None:
        """The first of the faults that happens here, or none."""
        return next((name for name in names if self.draw(name, key)), None)

    def of_request(self, key: str, forced: Iterable[str] = ()) -> str | None:
        """How this API request goes wrong: as asked for, as its recipient wants it (the first time only), or as drawn."""
        if self._next:
            asked = self._next.popleft()
            return None if asked == "none" else asked
        fixed = next((name for name in forced if name in API), None) if key.endswith("|1") else None
        return fixed or self.first(API, key)
