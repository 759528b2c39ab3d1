"""What changes between two contents, sentence by sentence, so that an approver reads only what is new."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

_SENTENCE_END = re.compile(r"(?<=[。！？!?])|(?<=[.])\s+|\n+")


@dataclass(frozen=True)
class Change:
    """One place that changes, such as `wordings.apology.texts.en.text`, with the sentences that go and come."""

    place: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Change]:
    """Every place at which two contents differ, in alphabetical order."""
    old, new = dict(_flat(before or {})), dict(_flat(after))
    places = sorted({*old, *new})
    return [
        _change(place, old.get(place, ""), new.get(place, "")) for place in places if old.get(place, "") != new.get(place, "")
    ]


def sentences(text: str) -> list[str]:
    """A text in sentences and lines, in any of the five languages; facts in braces count as words."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


def _change(place: str, old: str, new: str) -> Change:
    before, after = sentences(old), sentences(new)
    removed: list[str] = []
    added: list[str] = []
    for kind, first, end, begin, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            removed += before[first:end]
            added += after[begin:last]
    # White space alone may change too: then the whole text is shown, so that no change is without a sentence.
    return Change(place, tuple(removed), tuple(added)) if removed or added else Change(place, (old,), (new,))


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{place}.{key}" if place else str(key))
    elif value is not None:
        yield place, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
