"""Why a person is called, from the topic at hand and those before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.history import topic, topics_before
from actions.reasons import ASKING, BY_TOPIC, ONCE_ASKED, OTHERWISE, WORSE, reason
from bot.desk.reasons import REASONS


@dataclass
class Tracker:
    """A tracker as the action server gets it."""

    latest_message: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


def said(name: str | None, confidence: float = 1.0) -> dict[str, Any]:
    """The event of a patient's turn."""
    return {"event": "user", "parse_data": {"intent": {"name": name, "confidence": confidence}}}


def test_every_reason_is_one_the_desk_knows() -> None:
    assert {*BY_TOPIC.values(), *ONCE_ASKED.values(), *(why for _, _, why in WORSE), OTHERWISE} <= set(REASONS)


@pytest.mark.parametrize("asking", [None, *sorted(ASKING)])
def test_who_only_asks_for_a_person_is_understood_from_before(asking: str | None) -> None:
    assert reason(asking, ["what_happened", "extortion", "data_types"]) == "extortion"
    assert reason(asking, []) == ONCE_ASKED.get(asking or "", OTHERWISE)


def test_who_asked_about_medicine_and_then_for_a_person_is_not_just_anybody() -> None:
    assert reason("speak_human", ["what_happened", "prescriptions"]) == "medicine_needed"
    assert reason("prescriptions", []) == OTHERWISE


def test_the_most_pressing_of_several_topics_counts() -> None:
    assert reason("speak_human", ["complaint_clinic", "self_harm", "extortion"]) == "self_harm"


def test_a_topic_with_a_reason_of_its_own_does_not_look_back() -> None:
    assert reason("complaint_clinic", ["self_harm"]) == "complaint_clinic"


@pytest.mark.parametrize(("topic", "after", "why"), WORSE)
def test_what_lasts_or_comes_again_is_more_urgent_than_the_first_time(topic: str, after: frozenset[str], why: str) -> None:
    first = reason(topic, ["what_happened"])
    for before in after:
        assert reason(topic, ["what_happened", before]) == why
    assert REASONS[why].priority < REASONS[first].priority


@given(st.text(max_size=20) | st.none(), st.lists(st.sampled_from([*BY_TOPIC, *ONCE_ASKED, "what_happened"]), max_size=5))
def test_there_is_always_a_reason(name: str | None, before: list[str]) -> None:
    assert reason(name, before) in REASONS


def test_topics_are_read_from_a_plain_tracker() -> None:
    events = [{"event": "action"}, said("extortion"), {"event": "bot"}, said("self_harm", 0.3), said("speak_human")]
    tracker = Tracker(latest_message={"intent": {"name": "speak_human"}}, events=events)
    assert topic(tracker) == "speak_human"
    assert topics_before(tracker) == ["extortion"], "a mere guess calls nobody"


@pytest.mark.parametrize(
    "tracker",
    [
        Tracker(),
        Tracker(events=[{"event": "user"}, {"event": "user", "parse_data": None}, {}]),
        Tracker(latest_message={"intent": None}, events=[{"event": "user", "parse_data": {"intent": {}}}] * 3),
        Tracker(latest_message={"intent": {"name": ""}}, events=[said(None), said("")]),
    ],
)
def test_an_empty_tracker_has_no_topics(tracker: Tracker) -> None:
    assert topic(tracker) is None
    assert topics_before(tracker) == []
