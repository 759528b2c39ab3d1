"""What passes the door is checked whatever it is; texts are prepared without losing any."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shapes import LONGEST_TEXT, Refused, payload, turn
from engine.texts import PIECE, normal, pieces, plain

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "text", "lang", "topic"]), inner),
    max_leaves=8,
)


def led_to(body: bytes) -> str | int:
    """`turn`, or the status of the refusal."""
    try:
        taken = turn(body)
    except Refused as refused:
        return refused.status
    return "turn" if (taken.text is None) != (taken.topic is None) else "both"


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_turn_or_refused_by_status(body: bytes) -> None:
    assert led_to(body) in {"turn", 413, 422}


@given(st.text(min_size=1, max_size=80))
def test_a_refusal_holds_nothing_of_what_was_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        turn(json.dumps({"key": "k", "lang": "en", "text": text, "topic": text}).encode())
    assert str(refused.value) == "text or topic"


def test_the_longest_text_passes_and_one_character_more_does_not() -> None:
    body: dict[str, Any] = {"key": "k", "lang": "id", "text": "身" * LONGEST_TEXT}
    assert turn(json.dumps(body).encode()).text == body["text"]
    body["text"] += "身"
    with pytest.raises(Refused) as refused:
        turn(json.dumps(body).encode())
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("custom", "expected"),
    [
        ({"say": "what_happened"}, (["what_happened"], [])),
        ({"say": ["a", "b"]}, (["a", "b"], [])),
        ({"do": {"name": "clarify"}}, ([], [{"name": "clarify"}])),
        ({"say": [], "do": [{"name": "hand_over", "reason": "distress"}]}, ([], [{"name": "hand_over", "reason": "distress"}])),
    ],
)
def test_names_are_read_from_a_response(custom: Any, expected: Any) -> None:
    assert payload(custom) == expected


@pytest.mark.parametrize("custom", [None, {}, [], "text", {"text": "hello"}, {"say": 1}, {"do": "x"}, {"do": [{"name": 1}]}])
def test_anything_but_names_is_refused(custom: Any) -> None:
    with pytest.raises(Refused):
        payload(custom)


@given(st.text(max_size=60))
def test_no_text_begins_with_a_slash_however_it_is_stripped(text: str) -> None:
    assert not plain(text).strip().startswith("/")
    assert not plain(f"  /{text}").strip().startswith("/")


@given(st.text(max_size=1000))
def test_pieces_are_short_and_lose_nothing_but_space(text: str) -> None:
    text = normal(text)
    cut = pieces(text)
    assert all(len(piece) <= PIECE for piece in cut)
    assert "".join(cut).replace(" ", "") == text.replace(" ", "")


def test_widths_and_cases_are_read_alike() -> None:
    assert normal("ＨＫＩＤ  Ｎo.\n１２３") == normal("hkid no. 123")
