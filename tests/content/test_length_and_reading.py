"""How long and how hard a text is: SMS segments, sentence length, reading grade."""

from __future__ import annotations

import re

import pytest

from bot.base.languages import Language
from bot.channels.segments import segments
from tests.content import texts
from tests.content.texts import Text

SEGMENTS = 2
SEGMENTS_UNFILLED = 3
"""A text full of `not known yet` may run over; a clinic fills its facts."""
WORDS_IN_A_SENTENCE = 24
GRADE = 8.0

SHORT = [text for text in texts.texts() if text.kind == "short"]
ENGLISH = [text for text in texts.texts(Language.EN) if text.kind == "text"]


@pytest.mark.parametrize("text", SHORT, ids=str)
def test_a_short_text_fits_two_sms_segments(text: Text) -> None:
    said = texts.rendered(text, texts.with_all_facts())
    assert segments(said).count <= SEGMENTS, len(said)


@pytest.mark.parametrize("text", SHORT, ids=str)
def test_a_short_text_without_facts_stays_short(text: Text) -> None:
    assert segments(texts.rendered(text, texts.with_no_facts())).count <= SEGMENTS_UNFILLED


@pytest.mark.parametrize("text", [text for text in SHORT if text.language in {Language.EN, Language.TL, Language.ID}], ids=str)
def test_a_short_text_in_latin_letters_needs_no_unicode_sms(text: Text) -> None:
    for published in (texts.with_all_facts(), texts.with_no_facts()):
        assert segments(texts.rendered(text, published)).encoding == "GSM-7"


def sentences(said: str) -> list[str]:
    """The sentences of a text; a line's end ends one, and so does a colon."""
    return [part for part in re.split(r"(?<=[.!?:])\s+|\n+", said) if re.search(r"[A-Za-z]", part)]


def words(said: str) -> list[str]:
    """The words of a text."""
    return re.findall(r"[A-Za-z][A-Za-z'-]*|\d[\d ,.:-]*\d|\d", said)


def syllables(word: str) -> int:
    """An estimate: groups of vowels, a silent final e taken away."""
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$", word.lower()) is not None
    return max(1, groups - silent)


def grade(said: str) -> float:
    """The Flesch-Kincaid grade of an English text."""
    spoken = [word for word in words(said) if word[0].isalpha()]
    return 0.39 * len(spoken) / len(sentences(said)) + 11.8 * sum(map(syllables, spoken)) / len(spoken) - 15.59


@pytest.mark.parametrize("text", texts.texts(Language.EN), ids=str)
def test_an_english_sentence_has_fewer_than_25_words(text: Text) -> None:
    said = texts.rendered(text, texts.with_all_facts())
    assert [sentence for sentence in sentences(said) if len(words(sentence)) > WORDS_IN_A_SENTENCE] == []


@pytest.mark.parametrize("text", ENGLISH, ids=str)
def test_an_english_text_reads_at_grade_8_or_below(text: Text) -> None:
    said = texts.rendered(text, texts.with_all_facts())
    if len(words(said)) >= 20:
        assert grade(said) <= GRADE
