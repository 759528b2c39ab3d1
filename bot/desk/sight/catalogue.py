"""The approved texts a responder may say, found by topic or word, with the help of an emergency first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.base.errors import NotPublished, Withheld
from bot.base.languages import Language
from bot.conversations.speaking import wording
from bot.desk.reasons import reason
from bot.desk.work.composing import SAMPLE

MOST = 12
"""Texts found at once."""


@dataclass(frozen=True)
class Text:
    """One approved text as a responder chooses it."""

    name: str
    label: str  # what it is about, in the responder's language
    text: str  # as the patient would read it
    is_translated: bool
    is_pinned: bool = False


def topic_label(content: Mapping[str, Any], name: str, language: Language) -> str:
    """What a topic is about, in words; its name where it has none."""
    try:
        return wording.label(content, name, language)
    except NotPublished:
        return name.replace("_", " ")


def suggested(
    content: Mapping[str, Any],
    *,
    reasons: Iterable[str],
    topics: Sequence[str],
    language: Language,
    channel: str,
    case_number: str,
    reader: Language,
) -> list[Text]:
    """What lies nearest: the help of its emergencies, pinned, then what the patient asked about lately."""
    pinned = list(dict.fromkeys(why.safety for code in reasons if (why := reason(code)).safety))
    names = dict.fromkeys([*pinned, *(name for name in reversed(topics) if is_offered(content, name))])
    made = (text_of(content, name, language, channel, case_number, reader, is_pinned=name in pinned) for name in names)
    return [text for text in made if text is not None][: MOST // 2]


def found(
    content: Mapping[str, Any], query: str, *, language: Language, channel: str, case_number: str, reader: Language
) -> list[Text]:
    """The texts in which every word of a query occurs: in the topic's name or label first, then in what is said."""
    words = query.casefold().split()
    if not words:
        return []
    ranked = sorted(
        (_rank(content, name, words, language, reader), name) for name in content["wordings"] if is_offered(content, name)
    )
    made = (text_of(content, name, language, channel, case_number, reader) for rank, name in ranked if rank < _NOT_FOUND)
    return [text for text in made if text is not None][:MOST]


def is_offered(content: Mapping[str, Any], name: str) -> bool:
    """Whether a text is one that answers a topic: the assistant's own phrases and what is for verified people are not."""
    return wording.has_label(content, name) and content["wordings"][name]["level"] == "public"


def text_of(
    content: Mapping[str, Any],
    name: str,
    language: Language,
    channel: str,
    case_number: str,
    reader: Language,
    *,
    is_pinned: bool = False,
) -> Text | None:
    """One text as the patient would read it; None when it cannot be said."""
    try:
        rendered = wording.render(content, name, language, channel, {**SAMPLE, "case_number": case_number})
    except (NotPublished, Withheld):
        return None
    is_translated = language.value in content["wordings"][name]["texts"]
    return Text(name, topic_label(content, name, reader), rendered.text, is_translated, is_pinned)


_NOT_FOUND = 9


def _rank(content: Mapping[str, Any], name: str, words: Sequence[str], language: Language, reader: Language) -> int:
    each = content["wordings"][name]
    labels = " ".join((each.get("label") or {}).values()).casefold()
    spoken = (texts["text"] for code, texts in each["texts"].items() if code in (language.value, reader.value, "en"))
    places = (f"{name.replace('_', ' ')} {name}".casefold(), labels, " ".join(spoken).casefold())
    so_far = ""
    for rank, place in enumerate(places):
        so_far += f" {place}"
        if all(word in so_far for word in words):
            return rank
    return _NOT_FOUND
