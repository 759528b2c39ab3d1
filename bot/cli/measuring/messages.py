"""Messages whose topic a person has written down: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.base.errors import BadInput
from bot.base.languages import Language

ANSWERED_AS = {"attacker_claim": "adversarial"}
"""Names of what is answered without the engine, and the topic which they count as."""


@dataclass(frozen=True)
class Message:
    """A text with the topic it is about, topics that would be right as well, and how it was written."""

    text: str
    topic: str
    also: tuple[str, ...]
    language: Language
    kind: str
    urgent: bool

    @property
    def right(self) -> frozenset[str]:
        """The topics of which any is right."""
        return frozenset((self.topic, *self.also))


def topics_of(data: Path) -> frozenset[str]:
    """All topics that `data/` has examples of."""
    found: set[str] = set()
    for path in sorted([*(data / "faq").glob("*.yml"), *(data / "flows").glob("*.yml")]):
        read = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        found |= set((read or {}).get("intents") or ())
    return frozenset(found)


def read(paths: Sequence[Path], topics: frozenset[str]) -> list[Message]:
    """The messages of some files; BadInput names file and line of the first that is wrong."""
    messages = [message for path in paths for message in _of(path, topics)]
    if not messages:
        raise BadInput("There are no messages in the files.")
    return messages


def _of(path: Path, topics: frozenset[str]) -> Iterator[Message]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"{path.name} cannot be read.") from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            place = f"{path.name}, line {number}"
            try:
                found = json.loads(line)
            except ValueError:
                raise BadInput(f"{place}: this is not JSON.") from None
            yield _message(found, topics, place)


def _message(found: Any, topics: frozenset[str], place: str) -> Message:
    if not isinstance(found, dict):
        raise BadInput(f"{place}: a message is an object with text, topic and lang.")
    for key in ("text", "topic", "lang"):
        if not isinstance(found.get(key), str) or not found[key].strip():
            raise BadInput(f"{place}: '{key}' is missing or is no text.")
    also, kind, urgent = found.get("also", []), found.get("kind", "plain"), found.get("urgent", False)
    if not isinstance(also, list) or not isinstance(kind, str) or not isinstance(urgent, bool):
        raise BadInput(f"{place}: 'also' is a list, 'kind' a text, 'urgent' true or false.")
    named = [ANSWERED_AS.get(str(name), str(name)) for name in (found["topic"], *also)]
    for topic in named:
        if topic not in topics:
            raise BadInput(f"{place}: there is no topic '{topic}'.")
    if found["lang"] not in set(Language):
        raise BadInput(f"{place}: '{found['lang']}' is not one of {', '.join(Language)}.")
    return Message(found["text"], named[0], tuple(named[1:]), Language(found["lang"]), kind, urgent)
