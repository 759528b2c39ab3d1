"""What may enter the engine: a patient's text without private numbers, invisible tricks or commands, and not too long.

`clean` is the only way from a turn to the engine (and from an example to the training data); `mask` hides the same details for
staff. Linear in the length of the text, never raises, idempotent; keeps nothing.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.base.text import plain
from bot.conversations.reading.private import hide

ENGINE_LIMIT = 1000  # characters the engine accepts
HEAD, TAIL = 580, 380  # of a longer text: how it begins, and how it ends (where people say what they are afraid of)
GAP = " ... "
ROUNDS = 4  # readings of a whole text; hiding one number can, rarely, bring another to light

# Rasa takes a text that begins with "/" for an intent or a command. Look-alikes go too: nobody begins a question with one.
_COMMAND = re.compile(r"^[\s/\\⁄∕⧸╱⟋]+")
_ENTITY = re.compile(r"\](?=[({])")  # [text](entity) and [text]{"entity": …} mean something in training data
_WORD_END = re.compile(r"[\s。！？!?，,;；]")


@dataclass(frozen=True)
class Guarded:
    """A text the engine may see, and what was done to it."""

    text: str
    hidden: tuple[str, ...]  # kinds of private detail that were replaced, each once, in the order found
    empty: bool  # no letter and no digit: nothing to understand
    cut: bool  # longer than the engine may see


@lru_cache(maxsize=4)
def _digits_only(official: frozenset[str]) -> frozenset[str]:
    """The official numbers as digits, with and without Hong Kong's country code."""
    numbers = {re.sub(r"\D", "", number) for number in official} - {""}
    return frozenset(numbers | {"852" + number for number in numbers} | {number.removeprefix("852") for number in numbers})


def _inert(text: str) -> str:
    return _ENTITY.sub("] ", _COMMAND.sub("", text))


def _shorten(text: str) -> str:
    """The beginning and the end of a text longer than the engine may see, cut between words where there is one near."""
    if len(text) <= ENGINE_LIMIT:
        return text
    head, tail = text[:HEAD], text[-TAIL:]
    ends = [match.end() for match in _WORD_END.finditer(head, HEAD * 3 // 4)]
    start = _WORD_END.search(tail, 0, TAIL // 4)
    return head[: ends[-1] if ends else HEAD].rstrip() + GAP + tail[start.end() if start else 0 :].lstrip()


def mask(text: str, *, official: frozenset[str] = frozenset()) -> str:
    """The whole text with its private details hidden, for staff to read."""
    numbers = _digits_only(official)
    shown = plain(text)
    for _ in range(ROUNDS):
        shown, before = hide(shown, numbers)[0], shown
        if shown == before:
            break
    return shown


def clean(text: str, *, official: frozenset[str] = frozenset()) -> Guarded:
    """The text as the engine may see it; `official` telephone numbers stay readable, written in any way."""
    numbers = _digits_only(official)
    whole, hidden = hide(_inert(plain(text)), numbers)
    kept = _shorten(whole)
    while True:  # cutting brings pieces together; each round leaves fewer digits, so this ends, and 1,000 characters are cheap
        again, more = hide(_shorten(_inert(plain(kept))), numbers)
        hidden += more
        if again == kept:
            break
        kept = again
    empty = not any(char.isalnum() for char in kept)
    return Guarded(kept, tuple(dict.fromkeys(hidden)), empty, len(whole) > ENGINE_LIMIT)
