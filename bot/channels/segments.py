"""How an SMS is cut and charged: segments, as carriers count them.

A text of the GSM 7-bit alphabet (3GPP TS 23.038, with its extension table) fits 160 places, or 153
per part when it takes several; any other text is sent as UCS-2 and fits 70 code units, or 67 per
part. A character outside the Basic Multilingual Plane takes two units, one of the extension table
two places, and neither is cut in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class Segments:
    """What a text costs as an SMS."""

    count: int
    encoding: str  # "GSM-7" or "UCS-2"
    units: int  # septets or UTF-16 code units in all


def segments(text: str) -> Segments:
    """How many segments a text takes; an empty one takes one."""
    if _BASIC.union(_EXTENSION).issuperset(text):
        return _count([2 if character in _EXTENSION else 1 for character in text], "GSM-7", single=160, part=153)
    return _count([2 if ord(character) > 0xFFFF else 1 for character in text], "UCS-2", single=70, part=67)


def _count(widths: list[int], encoding: str, *, single: int, part: int) -> Segments:
    units = sum(widths)
    if units <= single:
        return Segments(1, encoding, units)
    count, used = 1, 0
    for width in widths:
        if used + width > part:
            count, used = count + 1, 0
        used += width
    return Segments(count, encoding, units)
