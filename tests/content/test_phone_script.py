"""What is said on the telephone is held to the same list of what no text may say."""

from __future__ import annotations

import re

import pytest

from bot.base.languages import Language
from bot.campaigns.phones.script import SPOKEN, STEPS, steps
from tests.content.texts import forbidden


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_says_nothing_that_may_not_be_said(language: Language, step: str) -> None:
    said = steps(language)[step]
    patterns = [*forbidden()["any"], *forbidden().get(language.value, [])]
    assert [pattern for pattern in patterns if re.search(pattern, said, re.IGNORECASE)] == []


@pytest.mark.parametrize("language", SPOKEN)
def test_what_is_left_on_a_machine_or_said_to_others_names_neither_clinic_nor_matter(language: Language) -> None:
    for step in ("somebody_else", "voicemail"):
        assert "clinic_name" not in steps(language)[step]
        assert "notice_page" not in steps(language)[step]


def test_every_language_fills_in_the_same() -> None:
    def blanks(language: Language, step: str) -> list[str]:
        return sorted(re.findall(r"\{\{ ([a-z_.]+) \}\}", steps(language)[step]))

    for step in STEPS:
        assert len({tuple(blanks(language, step)) for language in SPOKEN}) == 1, step
