"""The application's client and the engine agree: both environments, one contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.base.errors import EngineRubbish
from bot.conversations.engine import Deed, Engine
from tests.engine.running import Running

pytestmark = pytest.mark.engine


@pytest.fixture
def client(engine: Running) -> Iterator[Engine]:
    """The application's own client at the engine's door."""
    client = Engine(engine.url, engine.token, timeout_s=8.0)
    yield client
    client.close()


def test_the_client_finds_the_engine_healthy(client: Engine) -> None:
    assert client.healthy()


def test_a_question_goes_through_both_environments(client: Engine) -> None:
    understood = client.ask("contract", "what happened to my clinic's computers?", "en")
    assert understood.say == ("what_happened",)
    assert understood.ranking[0].topic == "what_happened"


def test_an_action_goes_through_both_environments(client: Engine) -> None:
    pressed = client.press("contract-2", "self_harm", "zh-Hant")
    assert pressed.say == ("self_harm",)
    assert pressed.do == (Deed("hand_over", {"reason": "self_harm"}),)


def test_a_refusal_is_an_error_of_the_client(client: Engine) -> None:
    with pytest.raises(EngineRubbish, match="422"):
        client.press("contract-3", "no_such_topic", "en")
