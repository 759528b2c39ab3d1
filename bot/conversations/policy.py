"""The policy: what to do with what the engine understood. All thresholds live here, once.

Two questions are decided apart: whether the turn speaks of danger, and what it is about. Danger is graded. *Certain* gets help
before anything else and a case; *possible* gets the answer to what was asked, with one gentle sentence and the line to call, and
a person reads it the same day. The words of data/safety.yml and the engine's detector decide together, and where nobody but the
words could be asked, the words alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.conversations.engine import Guess

ANSWER_AT = 0.80
"""At this confidence the topic is answered."""
TORN_AT = 0.65
"""Where no topic is that sure, the first two are both answered when together they reach this."""
TORN_SECOND_AT = 0.10
"""At this confidence the second one is worth its text."""
CHOICES = 3
"""How many topics are offered at most when asking back."""
OUTSIDE_AT = 0.30
"""When what is none of our matters is together this likely and no topic is sure, the turn is none of them."""
INSIDE_AT = 0.70
"""At this confidence a topic is sure enough for that."""
OFFER_AT = 0.02
"""A topic below this is not offered."""
MISSES = 2
"""Turns in a row that are not understood before a person takes over."""

CERTAIN_AT = 0.80
"""At this confidence of the detector, danger is certain."""
POSSIBLE_AT = 0.22
"""At this confidence of the detector, danger is possible."""
BELIEVED_AT = 0.20
"""Words of danger are certain unless the detector is less confident than this; then they are a possibility."""
URGENT_AT = 0.30
"""When nobody looked for danger: emergencies among the topics together reaching this are acted on, whatever leads. Where the
detector looked, only what would be answered as an emergency may be one that it missed: less costs six false alarms for each."""

URGENT = ("self_harm", "medical_urgent", "dv_safety", "extortion", "phishing_clicked")
"""Topics that are emergencies, the most urgent first."""
OUTSIDE = frozenset({"out_of_scope", "adversarial"})
"""Topics that are none of our matters."""
NEVER_OFFERED = frozenset({"out_of_scope", "adversarial", "greeting_thanks"})
"""Topics that make no sense on a button."""
NEVER_SECOND = frozenset({*URGENT, *NEVER_OFFERED, "distress"})
"""Topics that are no second question: almost everybody is worried, a person is called only for worry that stands alone."""


class Grade(StrEnum):
    """How sure it is that a turn speaks of danger."""

    NONE = "none"
    POSSIBLE = "possible"  # the answer, a gentle sentence with a line to call, a person reads today
    CERTAIN = "certain"  # help first, and a case


class Verdict(StrEnum):
    """What to do with a turn."""

    ANSWER = "answer"  # say what the engine says
    CLARIFY = "clarify"  # offer up to three topics and a person
    GIVE_OVER = "give_over"  # the second miss in a row: a person takes over


@dataclass(frozen=True)
class Alarm:
    """How sure danger is, and which (the topic of an emergency); none without a danger."""

    grade: Grade
    danger: str | None = None


@dataclass(frozen=True)
class Decision:
    """A verdict with the topics it is about; an answer to two is one to either."""

    verdict: Verdict
    topics: tuple[str, ...]


QUIET = Alarm(Grade.NONE)


def alarm(danger: Sequence[Guess], ranking: Sequence[Guess], words: Sequence[str] = ()) -> Alarm:
    """How sure it is that a turn speaks of danger: `danger` by the detector, `words` categories found by the lexicon."""
    likely = max(danger, key=lambda guess: guess.confidence, default=None)
    if words:
        doubted = likely is not None and likely.confidence < BELIEVED_AT
        return Alarm(Grade.POSSIBLE if doubted else Grade.CERTAIN, words[0])
    if likely is None:
        return _among_topics(ranking, URGENT_AT)
    if likely.confidence >= CERTAIN_AT:
        return Alarm(Grade.CERTAIN, likely.topic)
    if likely.confidence >= POSSIBLE_AT:
        return Alarm(Grade.POSSIBLE, likely.topic)
    among = _among_topics(ranking, ANSWER_AT)
    return replace(among, grade=Grade.POSSIBLE) if among.danger else QUIET


def _among_topics(ranking: Sequence[Guess], at: float) -> Alarm:
    urgent = [guess for guess in ranking if guess.topic in URGENT]
    if sum(guess.confidence for guess in urgent) < at:
        return QUIET
    return Alarm(Grade.CERTAIN, max(urgent, key=lambda guess: guess.confidence).topic)


def without_emergencies(ranking: Sequence[Guess]) -> tuple[Guess, ...]:
    """The ranking of what else a turn may ask, with the confidence that was given to emergencies shared out."""
    rest = [guess for guess in ranking if guess.topic not in URGENT]
    gone = sum(guess.confidence for guess in ranking if guess.topic in URGENT)
    share = max(1.0 - gone, sum(guess.confidence for guess in rest))
    return tuple(Guess(guess.topic, guess.confidence / share if share > 0 else 0.0) for guess in rest)


def decide(ranking: Sequence[Guess], misses: int) -> Decision:
    """What to do, from the topics considered (best first) and the misses in a row so far."""
    outside = [guess for guess in ranking if guess.topic in OUTSIDE]
    if outside and sum(guess.confidence for guess in outside) >= OUTSIDE_AT and ranking[0].confidence < INSIDE_AT:
        return Decision(Verdict.ANSWER, (outside[0].topic,))
    if ranking and ranking[0].confidence >= ANSWER_AT:
        return Decision(Verdict.ANSWER, (ranking[0].topic,))
    if _torn(ranking):
        return Decision(Verdict.ANSWER, (ranking[0].topic, ranking[1].topic))
    if misses + 1 >= MISSES:
        return Decision(Verdict.GIVE_OVER, ())
    offered = [guess.topic for guess in ranking if guess.confidence >= OFFER_AT and guess.topic not in NEVER_OFFERED]
    return Decision(Verdict.CLARIFY, tuple(offered[:CHOICES]))


def _torn(ranking: Sequence[Guess]) -> bool:
    """Whether it is one of the first two, neither of them anything that needs a sure sign."""
    first_two = ranking[:2]
    together = sum(guess.confidence for guess in first_two)
    if len(first_two) < 2 or together < TORN_AT or first_two[1].confidence < TORN_SECOND_AT:
        return False
    return not NEVER_SECOND & {guess.topic for guess in first_two}
