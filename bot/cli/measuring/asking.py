"""Asks messages exactly as a patient's first turn is asked: same guard, words of danger, engine and policy."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.answering import MONEY_MOVING, POSSIBLE, Answer, Mind, Work, answer
from bot.cli.measuring.messages import Message
from bot.conversations.models import Owner
from bot.conversations.policy import OUTSIDE, URGENT
from bot.conversations.threads import RENEW_ENGINE_KEY_AFTER
from bot.desk.reasons import reason

AT_ONCE = {
    "opted_out": "opt_out_messages",
    "opted_in": "opt_out_messages",
    "language_chosen": "language_help",
    "attacker_claim": "adversarial",
}
"""Topics of what is answered without the engine, by what is said."""
OUT_OF_SCOPE = OUTSIDE
NOT_ANSWERED = frozenset({"clarify", "not_understood", "empty_turn"})
FAILED = frozenset({"engine_failed", "not_understood"})


class Outcome(StrEnum):
    """What the patient got."""

    RIGHT = "answered_right"
    WRONG = "answered_wrong"
    ASKED = "asked"
    HANDED_OVER = "handed_over"  # to a person, without an answer


@dataclass(frozen=True)
class Asked:
    """A message with what came of it; topics best first, that which was acted on before all."""

    message: Message
    topics: tuple[str, ...]
    confidence: float
    outcome: Outcome
    answered: tuple[str, ...]
    certain: bool
    possible: bool
    person: bool
    milliseconds: float

    @property
    def out_of_scope(self) -> bool:
        """Whether it was answered as none of our matters."""
        return bool(self.answered) and set(self.answered) <= OUT_OF_SCOPE


def ask_all(
    messages: Iterable[Message], mind: Mind, content: Mapping[str, Any], done: Callable[[], None] = lambda: None
) -> list[Asked]:
    """Every message asked one after the other, each as the first turn of a patient."""
    asked = []
    for number, message in enumerate(messages):
        if number % RENEW_ENGINE_KEY_AFTER == 0:
            key = secrets.token_hex(16)
        work = Work(
            turn_id=0,
            text=message.text,
            channel="web",
            language=message.language,
            language_chosen=False,
            owner=Owner.BOT,
            engine_key=key,
            misses=0,
            content=content,
        )
        before = time.perf_counter()
        got = answer(work, mind)
        asked.append(judged(message, got, (time.perf_counter() - before) * 1000))
        done()
    return asked


def judged(message: Message, got: Answer, milliseconds: float = 0.0) -> Asked:
    """What an answer was worth to the message."""
    certain = got.reason in (*URGENT, MONEY_MOVING)
    answered = _answered(got)
    considered = tuple(guess.topic for guess in got.ranking)
    return Asked(
        message=message,
        topics=tuple(dict.fromkeys((*(answered if certain or not considered else ()), *considered))),
        confidence=got.ranking[0].confidence if got.ranking else 1.0,
        outcome=_outcome(message, got, answered),
        answered=answered,
        certain=certain,
        possible=got.mark == POSSIBLE,
        person=got.reason is not None and reason(got.reason).takes_over and reason(got.reason).told,
        milliseconds=milliseconds,
    )


def _answered(got: Answer) -> tuple[str, ...]:
    return got.topics or tuple(AT_ONCE[name] for name in got.say if name in AT_ONCE)


def _outcome(message: Message, got: Answer, answered: tuple[str, ...]) -> Outcome:
    if got.reason in FAILED:
        return Outcome.HANDED_OVER
    if not answered or NOT_ANSWERED & set(got.say):
        return Outcome.ASKED
    return Outcome.RIGHT if message.right & set(answered) else Outcome.WRONG
