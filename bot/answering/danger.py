"""What a patient's own words tell of danger, before anything else is understood."""

from __future__ import annotations

from bot.conversations.reading.safety import Hit, Lexicon
from bot.patients import references


def emergencies(lexicon: Lexicon, text: str) -> tuple[Hit, ...]:
    """The emergencies a text speaks of, most urgent first; a reference is no word, whatever its letters spell."""
    return lexicon.scan(references.hidden(text))
