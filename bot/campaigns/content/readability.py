"""How hard an English text is to read: sentence by sentence, and its Flesch-Kincaid grade."""

from __future__ import annotations

import re

GRADE_MOST = 8.0
WORDS_MOST = 24
"""Words in one sentence."""


def sentences(text: str) -> list[str]:
    """The sentences of a text; the end of a line ends one, and so does a colon."""
    return [part for part in re.split(r"(?<=[.!?:])\s+|\n+", text) if re.search(r"[A-Za-z]", part)]


def words(text: str) -> list[str]:
    """The words of a text; a number is one."""
    return re.findall(r"[A-Za-z][A-Za-z'-]*|\d[\d ,.:-]*\d|\d", text)


def grade(text: str) -> float:
    """The years at school that a text asks for; 0 for one without words."""
    spoken = [word for word in words(text) if word[0].isalpha()]
    if not spoken:
        return 0.0
    return 0.39 * len(spoken) / len(sentences(text)) + 11.8 * sum(map(_syllables, spoken)) / len(spoken) - 15.59


def _syllables(word: str) -> int:
    # An estimate: groups of vowels, without a silent e at the end.
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$", word.lower()) is not None
    return max(1, groups - silent)
