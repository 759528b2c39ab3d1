"""How a text is cut into SMS: alphabet and number of segments.

Twilio docs: Glossary, GSM-7 Character Encoding; Glossary, UCS-2; Messaging, SMS character limit; Smart Encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
"""Each costs an escape and a character: two septets that are never parted."""

SMART = str.maketrans(
    {
        "«": '"',
        "»": '"',
        "“": '"',
        "”": '"',
        "„": '"',
        "ʺ": '"',
        "＂": '"',
        "‘": "'",
        "’": "'",
        "‚": "'",
        "‛": "'",
        "ʻ": "'",
        "`": "'",
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "−": "-",
        "…": "...",
        "\u00a0": " ",
        "\u2002": " ",
        "\u2003": " ",
        "\u2009": " ",
        "\u202f": " ",
        "\u3000": " ",
        "\u200b": "",
        "\u2060": "",
        "\ufeff": "",
        "⁄": "/",
        "•": "*",
        "′": "'",
        "″": '"',
    }
)
"""Smart Encoding: what is written typographically and has a plain twin in GSM-7."""


@dataclass(frozen=True)
class Cut:
    """The result: `gsm7` or `ucs2`, units (septets or UTF-16 units), segments (at least 1)."""

    encoding: str
    units: int
    segments: int


def cut(text: str) -> Cut:
    """Count the segments of a text: 160/153 septets or 70/67 UTF-16 units, pairs kept together."""
    if all(letter in BASIC or letter in EXTENDED for letter in text):
        return _count("gsm7", [2 if letter in EXTENDED else 1 for letter in text], 160, 153)
    return _count("ucs2", [2 if ord(letter) > 0xFFFF else 1 for letter in text], 70, 67)


def smart(text: str) -> str:
    """The text under Smart Encoding: changed only when all of it then fits GSM-7."""
    plain = text.translate(SMART)
    return plain if cut(plain).encoding == "gsm7" else text


def _count(encoding: str, widths: list[int], single: int, part: int) -> Cut:
    units = sum(widths)
    if units <= single:
        return Cut(encoding, units, 1)
    segments, room = 1, part
    for width in widths:
        if width > room:
            segments, room = segments + 1, part
        room -= width
    return Cut(encoding, units, segments)
