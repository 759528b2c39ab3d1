"""What is done to a text before anything understands it; needs nothing of Rasa.

The encoders are other people's programs, one of them in C: nothing reaches them but what passed `normal` and `pieces`.
"""

from __future__ import annotations

import re
import unicodedata

from engine.han import TO_SIMPLIFIED

PIECE = 250  # characters; an encoder's cost grows with length, and a vector of a page says little
LONGEST = 1200  # characters after normalisation, which can make eighteen of one
MOST_SENTENCES = 24

# A sentence ends at its mark: a Latin one with a space behind it ("3.5" goes on), a Chinese one anywhere.
_END = re.compile(r"(?<=[.!?;…])\s+|(?<=[。！？；!?;…])(?=[^\s\W])|\s+(?:\.\.\.|-|–|—|\|)\s+|\n+")
_COMMA = re.compile(r"(?<=[,，、])")
_LONG_SENTENCE = 120


def plain(text: str) -> str:
    """The text with a leading slash widened, which Rasa would obey as a command.

    Rasa strips white space before it looks, so we do too.
    """
    text = text.strip()
    return "\N{FULLWIDTH SOLIDUS}" + text[1:] if text.startswith("/") else text


def normal(text: str) -> str:
    """The text with compatibility forms, case and white space made alike, without what cannot be seen, not too long."""
    alike = unicodedata.normalize("NFKC", text).casefold()[: LONGEST * 2]
    seen = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in alike)
    return " ".join(seen.split())[:LONGEST]


def folded(text: str) -> str:
    """A normal text with traditional characters as simplified ones; for comparing, not for showing."""
    return text.translate(TO_SIMPLIFIED)


def pieces(text: str, longest: int = PIECE) -> list[str]:
    """The text cut into pieces of at most so many characters, at spaces where there are any."""
    cut = []
    while len(text) > longest:
        at = text.rfind(" ", longest // 2, longest)
        at = longest if at < 0 else at
        cut.append(text[:at])
        text = text[at:].strip()
    return [*cut, text]


def sentences(text: str) -> list[str]:
    """The sentences of a normal text, long ones cut at their commas; [] when it is a single one."""
    found: list[str] = []
    for part in _END.split(text):
        found += _shorter(part.strip()) if len(part) > _LONG_SENTENCE else [part.strip()]
    told = [part for part in found if sum(char.isalnum() for char in part) > 1]
    return told[:MOST_SENTENCES] if len(told) > 1 else []


def _shorter(sentence: str) -> list[str]:
    """A long sentence as groups of its clauses, none of them too long."""
    groups = [""]
    for clause in _COMMA.split(sentence):
        if groups[-1] and len(groups[-1]) + len(clause) > _LONG_SENTENCE:
            groups.append("")
        groups[-1] += clause
    return [piece for group in groups for piece in pieces(group.strip(), _LONG_SENTENCE)]
