"""Choices: which typed text means which button, and which buttons are dead."""

from __future__ import annotations

import pytest

from bot.base.database import Database
from bot.conversations import choices
from tests.make import FakeClock

OFFERED = choices.issue(
    3, [("What happened?", "what_happened"), ("我有冇受影響？", "am_i_affected"), ("A person", "speak_human")]
)


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("1", "what_happened"),
        (" 2. ", "am_i_affected"),
        ("２", "am_i_affected"),
        ("三", "speak_human"),
        ("3)", "speak_human"),
        ("what HAPPENED?", "what_happened"),
        ("我有冇受影響？", "am_i_affected"),
    ],
)
def test_a_digit_a_numeral_or_the_label_takes_a_choice(said: str, topic: str) -> None:
    assert choices.typed(said, OFFERED) == topic


@pytest.mark.parametrize("said", ["", "0", "4", "12", "一百", "²", "①x", "what", "I have 1 question"])
def test_anything_else_is_not_a_choice(said: str) -> None:
    assert choices.typed(said, OFFERED) is None


def test_ids_are_unguessable_and_different_each_time() -> None:
    again = choices.issue(3, [("What happened?", "what_happened")])
    assert again[0]["id"] != OFFERED[0]["id"]
    assert len(again[0]["id"]) >= 14
    assert "what_happened" not in again[0]["id"]


@pytest.mark.parametrize("forged", ["", "3", "3-", "-", "x-y", "²-abc", "99999999999999999999-a", "3-" + "é" * 30, "1-\x00"])
def test_a_forged_id_leads_nowhere(database: Database, clock: FakeClock, forged: str) -> None:
    with database.reading() as session:
        assert choices.label_of(session, 1, forged) is None
