"""How a reply looks on a channel: choices as numbered lines, and parts that fit, sentences kept whole.

A text is never altered: parts joined again are the text, but for white space at the cuts. Only where choices follow, the numbers
before its steps become dashes: one "1." alone stands there, and a sentence says what it is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.base.languages import Language
from bot.channels.segments import segments

TWILIO_MOST = 1600
"""Characters of one message; more is refused with 21617 (Messages resource)."""
SMS_SEGMENTS = 4
"""Beyond this a handset may show the segments out of order, and Twilio advises against it."""

REPLY_WITH = {
    Language.EN: "Reply with a number:",
    Language.ZH_HANT: "請回覆數字：",
    Language.ZH_HANS: "请回复数字：",
    Language.TL: "Mag-reply ng numero:",
    Language.ID: "Balas dengan angka:",
}
"""What stands above numbered choices, so that nobody has to guess what the numbers are for."""
_STEP = re.compile(r"^([ \t]*)\d{1,2}[.)、．）][ \t]*(?=\S)", re.MULTILINE)
_DASH = "- "  # in every alphabet of SMS, and a list on WhatsApp

_PARAGRAPH = re.compile(r"(?<=\n)(?=[^\n])")
# Not after a number: "1. First" stays together.
_SENTENCE = re.compile(r"(?<=[.!?…])(?<!\d\.)(?=\s)|(?<=[。！？；])")
_WORD = re.compile(r"(?<=\s)(?=\S)|(?<=[，、,;:：])")
_JOINERS = "\u200d\ufe0f\ufe0e"

Fits = Callable[[str], bool]


def fits_sms(text: str) -> bool:
    """Whether one SMS should carry this."""
    return len(text) <= TWILIO_MOST and segments(text).count <= SMS_SEGMENTS


def fits_whatsapp(text: str) -> bool:
    """Whether one WhatsApp text can carry this."""
    return len(text) <= TWILIO_MOST


LIMITS: dict[str, Fits | None] = {"sms": fits_sms, "whatsapp": fits_whatsapp, "email": None}
"""Per channel whether a text fits one part; None is no limit."""


def shape(channel: str, text: str, labels: Sequence[str], language: Language = Language.EN) -> list[str]:
    """The parts in which a reply leaves on a channel, in order."""
    whole = f"{_STEP.sub(_dashed, text.strip())}\n\n{numbered(labels, language)}" if labels else text.strip()
    fits = LIMITS[channel]
    return split(whole, fits) if fits else [whole]


def numbered(labels: Sequence[str], language: Language = Language.EN) -> str:
    """Choices as lines that can be answered with their number, beneath a line that says so."""
    return "\n".join([REPLY_WITH[language], *(f"{place}. {label}" for place, label in enumerate(labels, start=1))])


def _dashed(step: re.Match[str]) -> str:
    return f"{step[1]}{_DASH}"


def split(text: str, fits: Fits) -> list[str]:
    """Cut a text into parts that fit: between paragraphs, else sentences, else words, else characters."""
    parts: list[str] = []
    current = ""
    for piece in _pieces(text, fits):
        if fits((current + piece).strip()):
            current += piece
            continue
        parts.append(current.strip())
        current = piece
    parts.append(current.strip())
    return [part for part in parts if part]


def _pieces(text: str, fits: Fits) -> list[str]:
    """Pieces that each fit and together are the text; cut as coarsely as they allow."""
    found = [text]
    for boundary in (_PARAGRAPH, _SENTENCE, _WORD):
        found = [smaller for piece in found for smaller in ([piece] if fits(piece.strip()) else boundary.split(piece))]
    # Sentences are kept together with their neighbours only as far as a part goes, so they are pieces of their own.
    found = [smaller for piece in found for smaller in (_SENTENCE.split(piece) if fits(piece.strip()) else [piece])]
    return [smaller for piece in found for smaller in ([piece] if fits(piece.strip()) else _characters(piece, fits))]


def _characters(text: str, fits: Fits) -> list[str]:
    pieces, start = [], 0
    while start < len(text):
        end = _furthest(text, start, fits)
        # A sign that changes the one before it (a joined emoji) is not parted from it where that can be helped.
        back = end
        while back > start + 1 and back < len(text) and (text[back] in _JOINERS or text[back - 1] == "\u200d"):
            back -= 1
        end = back if back > start + 1 else end
        pieces.append(text[start:end])
        start = end
    return pieces


def _furthest(text: str, start: int, fits: Fits) -> int:
    low, high = start + 1, min(len(text), start + TWILIO_MOST)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[start:middle]) else (low, middle - 1)
    return low
