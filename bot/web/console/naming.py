"""What an approved text or a topic is called on a page: by a few words, never by its code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.base.languages import Language
from bot.desk.sight.catalogue import topic_label
from bot.web.console.words import all_words

SECTION = "said"
"""The section of words with what no button of a patient leads to."""


def named(content: Mapping[str, Any], name: str, language: Language) -> str:
    """The label of a text or topic, in the language of the page; its code in words only where nobody named it."""
    held = all_words().get(f"{SECTION}.{name}")
    return held[language] if held else topic_label(content, name, language)
