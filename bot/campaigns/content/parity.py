"""Whether a template says the same in its languages: the same facts, places, choices, items and steps in each file.

No digit is typed into a text, so that every number and date comes from a fact, and equal facts make equal numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.base.languages import Language
from bot.campaigns.content.template import FILES, LANGUAGES, Template

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_INCLUDE = re.compile(r"\{% include \"([^\"]+)\" %\}")
_MARKS = re.compile(r"^(?:@.*|#|\d+\.|-|=)", re.MULTILINE)
_STEP = re.compile(r"^\d+\. ", re.MULTILINE)


def differences(template: Template) -> Iterator[tuple[str, str]]:
    """What differs between the languages, or is typed that may differ: (where, what)."""
    for file in sorted({file for way in template.channels for file in FILES[way]}):
        texts = {language: expanded(template, language, file) for language in LANGUAGES}
        yield from _compared(file, "the facts, places and choices", {one: _asked(text) for one, text in texts.items()})
        yield from _compared(file, "the headings, items and steps", {one: _shape(text) for one, text in texts.items()})
        for language, text in texts.items():
            bare = _JINJA.sub("", re.sub(r"^@.*$", "", _STEP.sub("", text), flags=re.MULTILINE))
            if re.search(r"\d", bare):
                yield f"{language.value} {file}", "a digit is typed into the text: it belongs into a fact"
            if file == "whatsapp.txt" and "{%" in text:
                yield f"{language.value} {file}", "a text that is approved beforehand has no choices"


def expanded(template: Template, language: Language, file: str) -> str:
    """The source of a file with what it includes put in."""
    source = template.sources.get(f"{template.name}/{language.value}/{file}", "")
    return _INCLUDE.sub(lambda match: template.sources.get(match[1], ""), source)


def _asked(text: str) -> list[str]:
    # A value may be said twice in one language and once in another; choices may not differ in number.
    found = ["".join(one.split()) for one in _JINJA.findall(text)]
    return sorted({one for one in found if one.startswith("{{")}) + sorted(one for one in found if one.startswith("{%"))


def _shape(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", mark) for mark in _MARKS.findall(text)]


def _compared(file: str, what: str, found: dict[Language, list[str]]) -> Iterator[tuple[str, str]]:
    for language, its in found.items():
        if its != found[Language.EN]:
            odd = sorted({*its} ^ {*found[Language.EN]})[:3]
            yield f"{language.value} {file}", f"{what} are not those of the English text" + (f": {', '.join(odd)}" if odd else "")
