"""The policy: what to do with what the engine understood. All thresholds live here, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.conversations.engine import Guess

ANSWER_AT = 0.55
"""At this confidence the topic is answered."""
LEAD = 0.15
"""A best topic below twice this lead over the second is asked back when it is not very sure."""
SURE_AT = 0.75
"""At this confidence no lead is asked for."""
URGENT_AT = 0.30
"""Emergencies together reaching this are acted on, whatever leads: when unsure between a danger and
another topic, act on the danger."""
CHOICES = 3
"""How many topics are offered at most when asking back."""
OFFER_AT = 0.05
"""A topic below this is not offered."""
MISSES = 2
"""Turns in a row that are not understood before a person takes over."""

URGENT = ("self_harm", "medical_urgent", "dv_safety", "extortion", "phishing_clicked")
"""Topics that are emergencies, the most urgent first."""
NEVER_OFFERED = frozenset({"out_of_scope", "adversarial", "greeting_thanks"})
"""Topics that make no sense on a button."""


class Verdict(StrEnum):
    """What to do with a turn."""

    ANSWER = "answer"  # say what the engine says
    URGENT = "urgent"  # help first: an emergency is likely enough
    CLARIFY = "clarify"  # offer up to three topics and a person
    GIVE_OVER = "give_over"  # the second miss in a row: a person takes over


@dataclass(frozen=True)
class Decision:
    """A verdict with the topics it is about."""

    verdict: Verdict
    topics: tuple[str, ...]


def decide(ranking: Sequence[Guess], misses: int) -> Decision:
    """What to do, from the topics considered (best first) and the misses in a row so far."""
    urgent = [guess for guess in ranking if guess.topic in URGENT]
    if urgent and sum(guess.confidence for guess in urgent) >= URGENT_AT:
        return Decision(Verdict.URGENT, (max(urgent, key=lambda guess: guess.confidence).topic,))
    if ranking and _clear(ranking):
        return Decision(Verdict.ANSWER, (ranking[0].topic,))
    if misses + 1 >= MISSES:
        return Decision(Verdict.GIVE_OVER, ())
    offered = [guess.topic for guess in ranking if guess.confidence >= OFFER_AT and guess.topic not in NEVER_OFFERED]
    return Decision(Verdict.CLARIFY, tuple(offered[:CHOICES]))


def _clear(ranking: Sequence[Guess]) -> bool:
    first = ranking[0].confidence
    second = ranking[1].confidence if len(ranking) > 1 else 0.0
    return first >= SURE_AT or (first >= ANSWER_AT and first - second >= LEAD)
