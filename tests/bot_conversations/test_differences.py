"""Differences: an approver sees every change, and only what changed."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.speaking.differences import Change, changes, sentences
from tests.people import small_content


def with_text(text: str, language: str = "en") -> dict[str, Any]:
    content = small_content()
    content["wordings"]["apology"]["texts"][language]["text"] = text
    return content


def test_equal_contents_have_no_changes() -> None:
    assert changes(small_content(), small_content()) == []


def test_only_the_sentences_that_change_are_shown() -> None:
    before = with_text("We are sorry. The hotline is closed. Please write to us.")
    after = with_text("We are sorry. The hotline is {{ facts.hotline }}. Please write to us.")
    assert changes(before, after) == [
        Change("wordings.apology.texts.en.text", ("The hotline is closed.",), ("The hotline is {{ facts.hotline }}.",))
    ]


def test_chinese_is_cut_into_sentences_too() -> None:
    before, after = with_text("我們深感抱歉。熱線已關閉。", "zh-Hant"), with_text("我們深感抱歉。熱線仍開放。", "zh-Hant")
    [change] = changes(before, after)
    assert (change.removed, change.added) == (("熱線已關閉。",), ("熱線仍開放。",))


def test_a_new_fact_and_a_removed_one_are_changes() -> None:
    [change] = changes(small_content(facts={"hotline": {"value": "1234 5678"}}), small_content())
    assert change == Change("facts.hotline.value", ("1234 5678",), ())
    [change] = changes(None, {"facts": {"hotline": {"value": "1234 5678"}}})
    assert change == Change("facts.hotline.value", (), ("1234 5678",))


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_change_is_ever_hidden(before: str, after: str) -> None:
    found = changes(with_text(before), with_text(after))
    assert (found == []) == (before == after)
    for change in found:
        assert change.removed or change.added


@given(st.text(max_size=200))
def test_cutting_into_sentences_loses_no_letter(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
