"""What a page says once after something was done: carried over the redirect in a cookie, as a word and what fills it.

The cookie holds no sentence, so that nobody can put one there; what fills the blanks is short and nothing of a patient.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Response

from bot.base.languages import Language
from bot.web.console.door import Visitor, give_cookie
from bot.web.console.words import ANSWERS, all_words, answer, word
from bot.web.door import Door

LASTS_S = 60
MOST = 4
LONGEST = 80


@dataclass(frozen=True)
class Notice:
    """One thing to say; `key` is a word of the console."""

    key: str
    is_bad: bool = False
    values: dict[str, str] = field(default_factory=dict)


def said(key: str, **values: object) -> Notice:
    """Something that was done."""
    return Notice(key, False, {name: str(value)[:LONGEST] for name, value in values.items()})


def refused(key: str, **values: object) -> Notice:
    """Something that was not done."""
    return Notice(key, True, {name: str(value)[:LONGEST] for name, value in values.items()})


def not_done(sentence: str) -> Notice:
    """A refusal of the desk, by its English sentence; one that no translation is known of is told in general."""
    known = answer(Language.EN, sentence) == sentence and answer(Language.ZH_HANT, sentence) != sentence
    return Notice(ANSWERS, True, {"sentence": sentence[:400]}) if known else Notice("base.not_done", True)


def cookie(door: Door) -> str:
    """The name of the cookie in which notices wait for the next page."""
    return "__Secure-candour-desk-notice" if door.is_https else "candour-desk-notice"


def leave_notices(door: Door, response: Response, notices: Sequence[Notice]) -> None:
    """Have the next page say these."""
    held = [[one.key, one.is_bad, one.values] for one in notices[:MOST]]
    packed = base64.urlsafe_b64encode(json.dumps(held).encode()).decode()
    give_cookie(door, response, cookie(door), packed, seconds=LASTS_S)


def take_notices(visitor: Visitor) -> list[tuple[str, bool]]:
    """The sentences that wait, and whether each is a refusal; whatever cannot be read is left out."""
    packed = visitor.request.cookies.get(cookie(visitor.door), "")
    try:
        held = json.loads(base64.urlsafe_b64decode(packed)) if packed else []
        return [_spoken(visitor, Notice(str(key), bool(is_bad), dict(values))) for key, is_bad, values in held[:MOST]]
    except (binascii.Error, ValueError, TypeError, KeyError, IndexError):
        return []


def _spoken(visitor: Visitor, notice: Notice) -> tuple[str, bool]:
    if notice.key == ANSWERS:
        sentence = str(notice.values["sentence"])
        known = not_done(sentence)
        text = answer(visitor.language, sentence) if known.key == ANSWERS else word(visitor.language, known.key)
        return text, True
    values: dict[str, Any] = {name: str(value)[:LONGEST] for name, value in notice.values.items()}
    return (word(visitor.language, notice.key, **values), notice.is_bad) if notice.key in all_words() else ("", False)
