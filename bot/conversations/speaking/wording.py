"""Wordings: one approved text by name, language and channel, rendered from dated facts.

Nothing is generated: a text is what was published, with facts and a few given values filled in.
Rendering is sandboxed and strict; a name or variable that does not exist is an error, never a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from bot.base.clock import in_hong_kong
from bot.base.errors import NotPublished, Withheld
from bot.base.languages import Language
from bot.conversations.speaking import saying
from bot.conversations.speaking.levels import Level

SHORT_CHANNELS = frozenset({"sms"})
"""Channels that take the `short` text of a wording where there is one."""

NOTE_FOR_ENGLISH = "english_only_note"
"""Stands before an English text that is given to a reader of another language."""

FOR_ANOTHER = "about_ward"
"""Whose label a choice has that asks for another person."""

GIVEN = {
    "own_case": "0000-0000-0",
    "case_number": "0000-0000-0",
    "code": "000000",
    "minutes": "10",
    "whom": "you",
    "place": "1",
    "categories": "contact details",
    "notices": "1 May 2023: first notice, by e-mail",
    "wards": "1. Chan Siu Man",
    "wait": "minutes",
    "wait_low": "20",
    "wait_high": "40",
    "wait_opens": "09:00",
    "call_time": "1 May, 09:00",
}
"""The values a text may ask for besides facts and contacts, with samples."""

_environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)


@dataclass(frozen=True)
class Rendered:
    """A text ready to be said."""

    text: str
    language: Language


class Fact:
    """A fact as a text sees it: prints its value, or the language's words for `not known yet`."""

    # Values are put into words when a text asks for them: most texts use three facts of sixty.
    def __init__(self, fact: Mapping[str, Any], language: Language, not_known: str) -> None:
        self.known: bool = fact.get("value") is not None
        self._fact, self._language, self._not_known = fact, language, not_known

    @property
    def as_of(self) -> str:
        """The day on which the value was last known to be right."""
        day = self._fact.get("as_of")
        return spoken(day, self._language) if day else self._not_known

    def __str__(self) -> str:
        return spoken(self._fact["value"], self._language) if self.known else self._not_known


def spoken_moment(at: datetime, language: Language) -> str:
    """A moment in words, on a Hong Kong wall clock: day of the week, day, month and time."""
    there = in_hong_kong(at)
    return f"{saying.day_of_week(there, language)} {there:%H:%M}"


def spoken(value: Any, language: Language) -> str:
    """A fact's value in words: dates and lists as the language writes them."""
    if isinstance(value, Mapping) and "date" in value:
        return saying.long_date(date.fromisoformat(value["date"]), language)
    if isinstance(value, Mapping):
        return spoken(value.get(language.value, value.get("en")), language)
    if isinstance(value, list):
        return saying.listing([spoken(item, language) for item in value], language)
    if isinstance(value, int) and not isinstance(value, bool):
        return saying.whole_number(value, language)
    return str(value)


def render(
    content: Mapping[str, Any],
    name: str,
    language: Language,
    channel: str,
    values: Mapping[str, str],
    level: Level = Level.PUBLIC,
) -> Rendered:
    """The text of one wording; raises NotPublished when it does not exist or cannot be rendered.

    Raises Withheld when it is for verified people and the reader's `level` is not: the one place where levels are enforced.
    """
    wording = content["wordings"].get(name)
    if wording is None:
        raise NotPublished(f"No wording is published under the name {name}.")
    if wording["level"] != Level.PUBLIC and level is not Level.VERIFIED:
        raise Withheld(f"The wording {name} is for verified patients only.")
    texts = wording["texts"].get(language.value)
    if texts is None:
        english = render(content, name, Language.EN, channel, values, level)
        note = render(content, NOTE_FOR_ENGLISH, language, channel, values)
        return Rendered(f"{note.text}\n\n{english.text}", language)
    source = texts.get("short") if channel in SHORT_CHANNELS else None
    try:
        text = _template(source or texts["text"]).render(surroundings(content, language), **values)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as wrong:
        raise NotPublished(f"The wording {name} in {language.value} cannot be rendered: {type(wrong).__name__}.") from wrong
    return Rendered(text.strip(), language)


def has_label(content: Mapping[str, Any], name: str) -> bool:
    """Whether a button can lead there."""
    return bool(content["wordings"].get(_labelled(name)[0], {}).get("label"))


def _labelled(name: str) -> tuple[str, str]:
    """The wording whose label a choice has, and what is put behind it: the number of the person in `deed@person#number`."""
    return (FOR_ANOTHER, " " + name.rpartition("#")[2]) if "@" in name else (name, "")


def label(content: Mapping[str, Any], name: str, language: Language) -> str:
    """The words on the button that leads to `name`; raises NotPublished when it has none."""
    name, behind = _labelled(name)
    labels: Mapping[str, str] = content["wordings"].get(name, {}).get("label") or {}
    words = labels.get(language.value) or labels.get("en")
    if not words:
        raise NotPublished(f"The wording {name} has no label in {language.value}.")
    return words + behind


def without_facts(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same content as it is before anything is known: every fact and contact empty."""
    empty = {
        section: {name: {**fact, "value": None, "as_of": None} for name, fact in content[section].items()}
        for section in ("facts", "contacts")
    }
    return {**content, **empty}


def problems(content: Mapping[str, Any]) -> list[str]:
    """What keeps a content from being said: every text is rendered in every language, with its facts and without any."""
    if "not_known_yet" not in content["wordings"]:
        return ["not_known_yet: the wording for a missing fact is missing itself"]
    empty = without_facts(content)
    found: dict[str, None] = {}
    for name, each in content["wordings"].items():
        for language in map(Language, each["texts"]):
            for channel in ("web", *SHORT_CHANNELS):
                for known in (content, empty):
                    try:
                        render(known, name, language, channel, GIVEN, Level.VERIFIED)
                    except NotPublished as wrong:
                        found[f"{name}: {language.value}: {wrong.__cause__ or wrong}"] = None
    return list(found)


@lru_cache(maxsize=2048)  # room for every text of a publication (some 1,500, 5 MB): with less, checking all compiles each anew
def _template(source: str) -> Template:
    return _environment.from_string(source)


def surroundings(content: Mapping[str, Any], language: Language) -> dict[str, dict[str, Fact]]:
    """The facts and contacts of a content as a text of this language sees them, by section and name."""
    # Facts are few (dozens) and cheap to wrap; a cache here would have to know when a publication dies.
    phrase = content["wordings"]["not_known_yet"]["texts"]
    not_known = (phrase.get(language.value) or phrase["en"])["text"]
    return {
        section: {name: Fact(fact, language, not_known) for name, fact in content[section].items()}
        for section in ("facts", "contacts")
    }
