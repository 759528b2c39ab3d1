"""Shorter ways while more patients write than the desk can answer: fewer choices, calls at set times, the delay said aloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.answering.work import Answer, Work
from bot.conversations.speaking import wording
from bot.conversations.speaking.replies import CALL_AT
from bot.desk.cases import CALL_BACK
from bot.desk.reasons import reason
from bot.desk.surge.slots import CANCEL, slot_of

TIMES, BOOKED, TAKEN, BUSY, DELAY = "call_times", "call_booked", "call_taken", "busy_now", "expected_wait"
ASSISTANT = "back_to_assistant"
CHOICES = 2
"""Choices under an answer; one more would be one more to read."""


def is_call(topic: str) -> bool:
    """Whether a choice books a call or gives it up."""
    return topic.startswith(CALL_AT) or topic == CANCEL


def call_times(work: Work) -> Answer | None:
    """The times at which we could call; None when no times are given now."""
    if not work.call_times or TIMES not in work.content["wordings"]:
        return None
    return Answer(work.language, say=(TIMES,), reason=CALL_BACK, offer=(*work.call_times, ASSISTANT))


def called(said: Answer, work: Work, book: Callable[[datetime], bool], cancel: Callable[[], bool]) -> Answer:
    """The answer to a choice about a call, after it was done or could not be."""
    if said.call == CANCEL:
        cancel()
        return replace(said, say=(CANCEL,), offer=(CALL_BACK, ASSISTANT))
    slot = slot_of(said.call)
    if not book(slot):
        times = tuple(topic for topic in work.call_times if topic != said.call)
        return replace(said, say=(TAKEN,), offer=(*times, ASSISTANT) if times else (ASSISTANT,))
    return replace(
        said, say=(BOOKED,), offer=(CANCEL, ASSISTANT), values={"call_time": wording.spoken_moment(slot, said.language)}
    )


def shortened(said: Answer, work: Work) -> Answer:
    """The answer as it is given in a surge; unchanged otherwise, and always where somebody may be in danger."""
    code = said.reason
    if not work.surge or said.call or (code and reason(code).is_urgent) or BUSY not in work.content["wordings"]:
        return said
    if code is None or code == CALL_BACK or not reason(code).told:
        return replace(said, offer=_fewer(said.offer)) if len(said.say) == 1 and not said.fix_language else said
    delay = () if any(_tells_delay(work, name) for name in said.say) else (DELAY,)
    return replace(said, say=(*said.say, *delay, BUSY), offer=tuple(dict.fromkeys((CALL_BACK, *said.offer))))


def _fewer(offer: tuple[str, ...]) -> tuple[str, ...]:
    """The first choices, and always the way to a person."""
    if any(topic.startswith(CALL_AT) or ":" in topic for topic in offer):
        return offer
    return tuple(topic for place, topic in enumerate(offer) if place < CHOICES or topic == "speak_human")


def _tells_delay(work: Work, name: str) -> bool:
    texts = work.content["wordings"].get(name, {}).get("texts", {})
    return any("wait_low" in text["text"] for text in texts.values())
