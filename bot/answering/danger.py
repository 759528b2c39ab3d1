"""What a patient's own words tell of danger, before anything else is understood."""

from __future__ import annotations

import re

from bot.conversations.reading.safety import Hit, Lexicon
from bot.patients import references

_ADDRESS = re.compile(r"(?<![A-Za-z0-9._%+'\-])[A-Za-z0-9._%+'\-]++@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{2,63}){1,6}")


def emergencies(lexicon: Lexicon, text: str) -> tuple[Hit, ...]:
    """The emergencies a text speaks of, most urgent first.

    A reference is no word, whatever its letters spell, nor is an e-mail address: "kms.lee@…" holds somebody's initials.
    """
    return lexicon.scan(_ADDRESS.sub(" ", references.hidden(text)))
