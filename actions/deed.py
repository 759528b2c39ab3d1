"""The common shape of an action: it asks the application for one deed and may say a wording."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

from rasa_sdk import Action

from actions.history import Tracker


class Dispatcher(Protocol):
    """The part of rasa_sdk's dispatcher that actions use."""

    def utter_message(self, *, json_message: dict[str, Any]) -> None:
        """Collect one answer."""


class Deed(Action, ABC):  # type: ignore[misc]  # rasa_sdk has no types in the application's environment
    """Asks for `deed`; its name inside Rasa is `action_` and the deed."""

    says: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def deed(self) -> str:
        """What is asked of the application; a plain class attribute in every action."""

    def name(self) -> str:
        """The name in `domain.yml` and in rules."""
        return f"action_{self.deed}"

    def parameters(self, tracker: Tracker) -> dict[str, str]:
        """What the application has to know beside the name; nothing, unless an action says so."""
        return {}

    def run(self, dispatcher: Dispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """Answer with names; changes nothing in the conversation."""
        asked = {"name": self.deed, **self.parameters(tracker)}
        dispatcher.utter_message(json_message={"say": list(self.says), "do": [asked]})
        return []
