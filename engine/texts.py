"""What is done to a text before anything understands it; needs nothing of Rasa."""

from __future__ import annotations

import unicodedata

PIECE = 250  # characters; an encoder's cost grows with length, and a vector of a page says little


def plain(text: str) -> str:
    """The text with a leading slash widened, which Rasa would obey as a command.

    Rasa strips white space before it looks, so we do too.
    """
    text = text.strip()
    return "\N{FULLWIDTH SOLIDUS}" + text[1:] if text.startswith("/") else text


def normal(text: str) -> str:
    """The text with compatibility forms, case and white space made alike."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def pieces(text: str) -> list[str]:
    """The text cut into pieces of at most `PIECE` characters, at spaces where there are any."""
    cut = []
    while len(text) > PIECE:
        at = text.rfind(" ", PIECE // 2, PIECE)
        at = PIECE if at < 0 else at
        cut.append(text[:at])
        text = text[at:].strip()
    return [*cut, text]
