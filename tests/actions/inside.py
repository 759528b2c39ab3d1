"""The ten actions, tried in the engine's own environment, which has no pytest: `python -m unittest`."""

from __future__ import annotations

import unittest
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import yaml
from rasa_sdk.executor import ActionExecutor

DOMAIN = yaml.safe_load((Path(__file__).parents[2] / "data" / "domain.yml").read_text())


class Collecting:
    """A dispatcher which keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def utter_message(self, *, json_message: dict[str, Any]) -> None:
        self.told.append(json_message)


def tracker(*topics: str) -> Any:
    """A conversation through these topics; the last is the one at hand."""
    parsed = [{"intent": {"name": name, "confidence": 1.0}} for name in topics]
    events = [{"event": "user", "parse_data": one} for one in parsed]
    return SimpleNamespace(latest_message=parsed[-1] if parsed else {}, events=events)


class Actions(unittest.TestCase):
    executor: ClassVar[ActionExecutor]

    @classmethod
    def setUpClass(cls) -> None:
        cls.executor = ActionExecutor()
        cls.executor.register_package("actions")

    def led_to(self, action: str, *topics: str) -> dict[str, Any]:
        dispatcher = Collecting()
        run = self.executor.actions[action]
        assert run(dispatcher, tracker(*topics), {}) == []
        assert len(dispatcher.told) == 1
        return dispatcher.told[0]

    def test_the_domain_names_exactly_the_actions_there_are(self) -> None:
        assert sorted(self.executor.actions) == sorted(DOMAIN["actions"])

    def test_every_action_asks_for_its_deed_even_of_an_empty_tracker(self) -> None:
        for action in DOMAIN["actions"]:
            with self.subTest(action):
                assert self.led_to(action)["do"][0]["name"] == action.removeprefix("action_")

    def test_handing_over_gives_the_reason(self) -> None:
        assert self.led_to("action_hand_over", "self_harm")["do"] == [{"name": "hand_over", "reason": "self_harm"}]
        assert self.led_to("action_hand_over", "extortion", "speak_human")["do"][0]["reason"] == "extortion"
        assert self.led_to("action_hand_over", "speak_human")["do"][0]["reason"] == "patient_wish"

    def test_nothing_understood_is_said(self) -> None:
        assert self.led_to("action_clarify") == {"say": ["clarify"], "do": [{"name": "clarify"}]}


if __name__ == "__main__":
    unittest.main()
