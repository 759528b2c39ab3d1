"""Reads topics out of a tracker as the action server gets it: plain events, oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

# What was only guessed at and never answered must not call the police team later.
SURE = 0.5


class Tracker(Protocol):
    """The part of rasa_sdk's tracker that actions read."""

    latest_message: Mapping[str, Any]
    events: Iterable[Mapping[str, Any]]


def topic(tracker: Tracker) -> str | None:
    """The topic of the patient's last turn; None when it was not understood."""
    return _name(tracker.latest_message)


def topics_before(tracker: Tracker) -> list[str]:
    """The topics of the patient's earlier turns which were surely understood, oldest first."""
    turns = [event.get("parse_data") or {} for event in tracker.events if event.get("event") == "user"]
    return [name for parsed in turns[:-1] if _sure(parsed) and (name := _name(parsed))]


def _sure(parsed: Mapping[str, Any]) -> bool:
    return float((parsed.get("intent") or {}).get("confidence") or 0.0) >= SURE


def _name(parsed: Mapping[str, Any]) -> str | None:
    name = (parsed.get("intent") or {}).get("name")
    return name if isinstance(name, str) and name else None
