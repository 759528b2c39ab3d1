"""Shapes of what passes the engine's door, checked by hand; needs nothing of Rasa."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

LONGEST_TEXT = 1000  # characters; Rasa's cost grows faster than the length
LARGEST_BODY = 1 << 20  # bytes; beyond, the server answers 413 before reading
RANKED = 5
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2,8})?")


class Refused(Exception):
    """Input of a wrong shape: an HTTP status and a reason which holds nothing of the input."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Turn:
    """A turn as the application hands it over: a text or the topic of a pressed button."""

    key: str
    lang: str
    text: str | None
    topic: str | None


def turn(body: bytes) -> Turn:
    """The turn in a request's body; raises Refused with 413 for a long text, 422 otherwise."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(422, "shape") from None
    if not isinstance(given, dict):
        raise Refused(422, "shape")
    text, topic = given.get("text"), given.get("topic")
    if isinstance(text, str) and len(text) > LONGEST_TEXT:
        raise Refused(413, "too long")
    key, lang = given.get("key"), given.get("lang")
    if not (isinstance(key, str) and 0 < len(key) <= 200):
        raise Refused(422, "key")
    if not (isinstance(lang, str) and LANGUAGE.fullmatch(lang)):
        raise Refused(422, "lang")
    if (text is None) == (topic is None):
        raise Refused(422, "text or topic")
    if not all(part is None or (isinstance(part, str) and part.strip()) for part in (text, topic)):
        raise Refused(422, "text or topic")
    return Turn(key=key, lang=lang, text=_encodable(text), topic=topic)


def _encodable(text: str | None) -> str | None:
    """The text without lone surrogates, which JSON may carry and nothing else can."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def payload(custom: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """Names to say and things to do in one response of Rasa; raises Refused for anything else."""
    if not isinstance(custom, dict) or not custom or set(custom) - {"say", "do"}:
        raise Refused(500, "wording")
    say, do = custom.get("say") or [], custom.get("do") or []
    say = [say] if isinstance(say, str) else say
    do = [do] if isinstance(do, dict) else do
    if not (isinstance(say, list) and all(isinstance(name, str) for name in say)):
        raise Refused(500, "wording")
    if not (isinstance(do, list) and all(_deed(one) for one in do)):
        raise Refused(500, "wording")
    return say, do


def _deed(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("name"), str) and all(isinstance(value, str) for value in one.values())


def made_of(parsed: dict[str, Any]) -> dict[str, Any]:
    """What the door tells of a parsed turn: topics considered, dangers, a second question's topic; of a button only the first."""
    ranking = [{"topic": one["name"], "confidence": round(one["confidence"], 4)} for one in parsed.get("intent_ranking", [])]
    danger = [{"topic": one["topic"], "confidence": round(one["confidence"], 4)} for one in parsed.get("danger", [])]
    return {"ranking": ranking[:RANKED], "danger": danger, "also": parsed.get("also", [])}
