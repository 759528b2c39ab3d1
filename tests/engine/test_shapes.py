"""What passes the door is checked whatever it is; texts are prepared without losing any."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.text import han as application_han
from engine import han
from engine.shapes import LONGEST_TEXT, RANKED, Refused, made_of, payload, turn
from engine.texts import LONGEST, MOST_SENTENCES, PIECE, folded, normal, pieces, plain, sentences

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


def test_what_the_door_tells_of_a_turn_names_topics_dangers_and_a_second_question() -> None:
    parsed = {
        "intent_ranking": [{"name": f"topic_{i}", "confidence": 1 / (i + 2)} for i in range(9)],
        "danger": [{"topic": "self_harm", "confidence": 0.123456}],
        "also": ["data_types"],
    }
    told = made_of(parsed)
    assert [one["topic"] for one in told["ranking"]] == [f"topic_{i}" for i in range(RANKED)]
    assert told["danger"] == [{"topic": "self_harm", "confidence": 0.1235}]
    assert told["also"] == ["data_types"]


def test_of_a_pressed_button_the_door_tells_no_danger() -> None:
    assert made_of({"intent_ranking": [{"name": "self_harm", "confidence": 1.0}]}) == {
        "ranking": [{"topic": "self_harm", "confidence": 1.0}],
        "danger": [],
        "also": [],
    }


def test_both_scripts_of_chinese_fold_to_one_as_in_the_application() -> None:
    assert folded("訂閱電郵") == folded("订阅电邮")
    assert han.TO_SIMPLIFIED == application_han.TO_SIMPLIFIED


def test_sentences_are_cut_at_their_marks_in_every_language() -> None:
    assert sentences("it costs 3.5 million. who pays? tell me!") == ["it costs 3.5 million.", "who pays?", "tell me!"]
    assert sentences("我好驚。點算好？") == ["我好驚。", "點算好？"]
    assert sentences("only one sentence here") == []


@given(st.text(max_size=3000))
def test_whatever_comes_is_cut_into_few_short_pieces(text: str) -> None:
    whole = normal(text)
    assert len(whole) <= LONGEST
    found = sentences(whole)
    assert len(found) <= MOST_SENTENCES
    assert all(len(piece) <= 2 * PIECE for piece in found)
    assert not any(unicodedata.category(char).startswith("C") for char in whole)
