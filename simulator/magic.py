"""Recipients and senders with a fixed fate, so that a test needs no seed to meet an error.

Telephone: Twilio's own test numbers (docs: IAM, Test Credentials) and our block +852 6999 00xx. E-mail: the local part, or what
follows its last `+`, names the fate: `bounce@example.test`, `wong.siu.ming+spam_report@example.test`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator import faults

BLOCK = "+852699900"


@dataclass(frozen=True)
class Fate:
    """What always happens to this recipient: a refusal at once (`code`), or a fault by name."""

    name: str
    says: str
    code: int = 0


_REFUSED = {
    "+15005550001": Fate("invalid", "refused, 21211", 21211),
    "+15005550002": Fate("unroutable", "refused, 21612", 21612),
    "+15005550003": Fate("region", "refused, 21408", 21408),
    "+15005550004": Fate("opted_out", "refused, 21610", 21610),
    "+15005550009": Fate("not_mobile", "refused, 21614", 21614),
    f"{BLOCK}01": Fate("invalid", "refused, 21211", 21211),
    f"{BLOCK}02": Fate("unroutable", "refused, 21612", 21612),
    f"{BLOCK}03": Fate("region", "refused, 21408", 21408),
    f"{BLOCK}04": Fate("opted_out", "refused, 21610", 21610),
    f"{BLOCK}05": Fate("not_mobile", "refused, 21614", 21614),
}
_NUMBERED = {
    **{f"{BLOCK}{10 + place}": name for place, name in enumerate(faults.TEXTS)},
    **{f"{BLOCK}{30 + place}": name for place, name in enumerate(faults.BOTH)},
    **{f"{BLOCK}{40 + place}": name for place, name in enumerate(faults.API)},
    **{f"{BLOCK}{50 + place}": name for place, name in enumerate(faults.CALLBACKS)},
}
NUMBERS: dict[str, Fate] = {**_REFUSED, **{number: Fate(name, faults.ALL[name]) for number, name in _NUMBERED.items()}}

SENDERS = {
    "+15005550001": 21212,
    "+15005550007": 21606,
    "+15005550008": 21611,
}
"""Senders of Twilio's test credentials: not valid, not owned, queue full (+15005550006 works)."""
WORKING_SENDER = "+15005550006"

MAIL_FATES = {**faults.MAILS, **faults.BOTH, **faults.API, **faults.CALLBACKS}


def of_number(number: str, own: Mapping[str, str | int] | None = None) -> Fate | None:
    """The fate of a telephone number, without `whatsapp:` before it; fates of one's own come first."""
    chosen = (own or {}).get(number)
    if isinstance(chosen, str):
        return Fate(chosen, faults.ALL[chosen])
    return Fate("code", f"error {chosen}", chosen) if chosen is not None else NUMBERS.get(number)


def of_mail(address: str, own: Mapping[str, str | int] | None = None) -> str | None:
    """The fate of an e-mail address, as the name of a fault; fates of one's own come first."""
    chosen = (own or {}).get(address.lower())
    local = address.rpartition("@")[0].lower()
    name = chosen if isinstance(chosen, str) else local.rpartition("+")[2].replace("-", "_")
    return name if name in MAIL_FATES else None
