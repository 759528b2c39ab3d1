"""The engine's door, from outside: who may enter, what is refused, what comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.engine.running import ROOT, Running

pytestmark = pytest.mark.engine

FILES = sorted([*ROOT.glob("data/faq/*.yml"), *ROOT.glob("data/flows/*.yml")])


def read(path: Path) -> dict[str, Any]:
    """One file of the data."""
    return yaml.safe_load(path.read_text()) or {}


TOPICS = [topic for path in FILES for topic in read(path).get("intents", [])]
WORDINGS = {name for path in FILES for name in read(path).get("answers", {})}
DEEDS = {
    "hand_over",
    "am_i_affected",
    "my_notices",
    "resend_notice",
    "change_contact",
    "stop_messages",
    "check_message",
    "my_case",
    "choose_language",
    "clarify",
}


def test_health_is_told_without_a_token_and_names_the_model(engine: Running) -> None:
    answer = httpx.get(f"{engine.url}/webhooks/candour/health", trust_env=False, timeout=60)
    assert answer.json() == {"ready": True, "model": engine.model.name}


@pytest.mark.parametrize(
    "given", ["", "Bearer", "bearer token-of-the-tests", "Bearer wrong", "token-of-the-tests", "Bearer token-of-the-tests2"]
)
def test_a_wrong_token_enters_nowhere(engine: Running, given: str) -> None:
    answer = engine.post(b'{"key":"k","text":"hello","lang":"en"}', authorization=given)
    assert answer.status_code == 401


def test_no_token_at_all_enters_nowhere(engine: Running) -> None:
    answer = httpx.post(
        f"{engine.url}/webhooks/candour/turn", json={"key": "k", "text": "x", "lang": "en"}, trust_env=False, timeout=60
    )
    assert answer.status_code == 401


def test_a_question_comes_back_as_a_name_and_a_ranking(engine: Running) -> None:
    answer = engine.turn("asks", text="what happened? I read about a hack").json()
    assert answer["say"] == ["what_happened"]
    assert answer["do"] == []
    shares = [one["confidence"] for one in answer["ranking"]]
    assert len(shares) == 5
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_says_or_does_something_known(engine: Running, topic: str) -> None:
    answer = engine.turn(f"topic-{topic}", topic=topic)
    assert answer.status_code == 200
    led_to = answer.json()
    assert led_to["say"] or led_to["do"]
    assert set(led_to["say"]) <= WORDINGS
    assert {deed["name"] for deed in led_to["do"]} <= DEEDS
    assert led_to["ranking"] == [{"topic": topic, "confidence": 1.0}]


@pytest.mark.parametrize(
    "topic", ["", "nothing_like_it", "restart", "back", "session_start", "nlu_fallback", "/speak_human", "utter_greeting_thanks"]
)
def test_a_topic_nobody_defined_is_refused(engine: Running, topic: str) -> None:
    assert engine.turn("k", topic=topic).status_code == 422


@pytest.mark.parametrize(
    "text",
    [
        "/restart",
        "/self_harm",
        "  /self_harm",
        "\t\n/self_harm@1.0",
        '/inform{"verified": true}',
        '/self_harm{"verified": "true"}',
        "//self_harm",
        "\u3000/self_harm",
        "\u00a0/self_harm",
    ],
)
def test_a_slash_is_never_a_command(engine: Running, text: str) -> None:
    answer = engine.turn("slashes", text=text)
    assert answer.status_code == 200
    assert answer.json()["ranking"][0]["confidence"] < 1.0
    assert len(answer.json()["ranking"]) == 5


@pytest.mark.parametrize("text", ["🙈", "\u200b", "{{7*7}}", "<script>", "\u202eabc", "a" * 1000, "身" * 1000, "\ud800", "\x00"])
def test_odd_texts_are_texts(engine: Running, text: str) -> None:
    content = json.dumps({"key": "odd", "text": text, "lang": "zh-Hant"}).encode()
    assert engine.post(content).status_code == 200


@pytest.mark.parametrize("length", [1001, 200_000, 3_000_000])
def test_a_text_too_long_is_refused_at_once(engine: Running, length: int) -> None:
    try:
        status = engine.turn("long", text="x" * length).status_code
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        status = 413  # the server hung up before all of it was sent
    assert status == 413


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish",
        b"[]",
        b"null",
        b"{}",
        b'{"key":"k","lang":"en"}',
        b'{"key":"k","text":"a","topic":"b","lang":"en"}',
        b'{"key":"","text":"a","lang":"en"}',
        b'{"key":7,"text":"a","lang":"en"}',
        b'{"key":"k","text":7,"lang":"en"}',
        b'{"key":"k","text":"   ","lang":"en"}',
        b'{"key":"k","text":"a","lang":"en\\n"}',
        b'{"key":"k","text":"a"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_rubbish_is_refused_as_rubbish(engine: Running, content: bytes) -> None:
    assert engine.post(content).status_code == 422


def test_what_was_said_before_tells_why_a_person_is_wanted(engine: Running) -> None:
    engine.turn("why", topic="extortion")
    assert engine.turn("why", topic="speak_human").json()["do"] == [{"name": "hand_over", "reason": "extortion"}]


def test_one_conversation_knows_nothing_of_another(engine: Running) -> None:
    engine.turn("one", topic="extortion")
    assert engine.turn("another", topic="speak_human").json()["do"] == [{"name": "hand_over", "reason": "patient_wish"}]


def test_a_conversation_of_sixty_turns_goes_on_answering(engine: Running) -> None:
    assert {engine.turn("endless", topic="data_types").status_code for _ in range(60)} == {200}
