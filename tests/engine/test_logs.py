"""Whatever happens, at whatever level, no log of the engine holds what a patient wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.engine.running import Running, running_engine

pytestmark = pytest.mark.engine

MARKER = "Xylophon77Quarz"


@pytest.fixture(scope="module")
def watched(model: Path) -> Iterator[Running]:
    """An engine of its own, because one test takes its action server away."""
    with running_engine(model, options=("--level", "DEBUG")) as running:
        yield running


def logs(engine: Running) -> str:
    """Everything both processes have written."""
    return engine.log("engine").read_text() + engine.log("actions").read_text()


@pytest.mark.parametrize(
    "text",
    [
        f"my name is {MARKER} and I want a person",
        f"/{MARKER}",
        f'/self_harm{{"{MARKER}": "{MARKER}"}}',
        f"I want to kill myself, {MARKER}",
        f"{{{MARKER}}} {{{{ {MARKER} }}}}",
        f"{MARKER}\ud800",
        MARKER * 60,
    ],
)
def test_a_text_that_is_answered_is_not_logged(watched: Running, text: str) -> None:
    content = json.dumps({"key": "watched", "text": text, "lang": "en"}).encode()
    assert watched.post(content).status_code == 200
    assert MARKER not in logs(watched)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"key": "k", "text": MARKER * 100, "lang": "en"}),
        json.dumps({"key": "k", "topic": MARKER, "lang": "en"}),
        json.dumps({"key": "k", "text": MARKER, "lang": MARKER}),
        json.dumps({"key": MARKER * 50, "text": MARKER, "lang": "en"}),
        f'{{"text": "{MARKER}"',
    ],
)
def test_a_turn_that_is_refused_is_not_logged(watched: Running, content: str) -> None:
    assert watched.post(content.encode()).status_code in {413, 422}
    assert MARKER not in logs(watched)


@pytest.mark.parametrize(
    "content",
    [
        f'{{"next_action": "action_hand_over", "sender_id": "{MARKER}", "tracker": {{"{MARKER}": []}}}}',
        f'{{"next_action": "{MARKER}", "sender_id": "k", "tracker": {{}}}}',
        f'{{"next_action": "action_hand_over", "tracker": "{MARKER}"}}',
        f"{MARKER}",
    ],
)
def test_an_action_server_that_fails_logs_no_text(watched: Running, content: str) -> None:
    answer = httpx.post(f"{watched.actions_url}/webhook", content=content, trust_env=False, timeout=60)
    assert answer.status_code >= 400
    assert MARKER not in logs(watched)


def test_a_turn_whose_action_is_lost_is_not_logged(watched: Running) -> None:
    watched.kill("actions")
    try:
        assert watched.turn("lost", text=f"I want to kill myself, says {MARKER}").status_code == 500
    finally:
        watched.start_actions()
    assert MARKER not in logs(watched)
    assert "rasa.core.processor" in watched.log("engine").read_text(), "the failure itself has to be in the log"
