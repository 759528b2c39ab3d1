"""Templates put into words: in a sandbox, strictly, with the facts of a publication; every value stays a value.

A text sees `facts` and `contacts` as wordings do, `edition`, `personal`, `held` (the kinds of data of whoever reads), `variant`
and `wording(name)`, the approved wording of the publication: what the chat says already is not written a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from jinja2 import DictLoader, StrictUndefined, TemplateError
from jinja2 import Template as Compiled
from jinja2.sandbox import SandboxedEnvironment

from bot.base.errors import NotPublished
from bot.base.languages import Language
from bot.campaigns.content import marks
from bot.campaigns.content.template import Template
from bot.conversations.speaking import wording
from bot.patients.models import Category, Way


@dataclass(frozen=True)
class Edition:
    """Which notice of the incident this is: its version, counted from 1, and its day in Hong Kong."""

    version: int
    day: date


@dataclass(frozen=True)
class Reader:
    """What tells one group of equal readers from another."""

    language: Language
    way: Way
    held: frozenset[Category]
    variant: str


def write(template: Template, file: str, content: Mapping[str, Any], reader: Reader, edition: Edition) -> str:
    """The words of one file of a template, with signs around values; raises NotPublished when they cannot be rendered."""
    path = f"{template.name}/{reader.language.value}/{file}"
    try:
        return _compiled(template.digest, path, _Sources(template.sources)).render(
            _surroundings(template, content, reader, edition)
        )
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as wrong:
        # An error of Jinja speaks of names in the template, never of values.
        told = f": {wrong}" if isinstance(wrong, TemplateError) else ""
        raise NotPublished(f"{path} cannot be rendered: {type(wrong).__name__}{told}.") from wrong


def _surroundings(template: Template, content: Mapping[str, Any], reader: Reader, edition: Edition) -> dict[str, Any]:
    channel = "sms" if reader.way in (Way.SMS, Way.WHATSAPP) else "email"

    def said(name: str, **values: str) -> marks.Approved:
        text = marks.without_signs(wording.render(content, name, reader.language, channel, values).text, but=values.values())
        # A fact in it may begin a line: only steps may be structure here.
        safe = [marks.OPEN + marks.CLOSE + line if line[:1] in ("#", "@", "=", "-") else line for line in text.splitlines()]
        return marks.Approved("\n".join(safe))

    day = {"date": edition.day.isoformat()}
    return {
        **wording.surroundings(content, reader.language),
        "edition": {"version": edition.version, "day": wording.spoken(day, reader.language)},
        "personal": {name: marks.place(name) for name in template.places},
        "held": [category.value for category in Category if category in reader.held],
        "variant": reader.variant,
        "wording": said,
    }


def _as_value(given: Any) -> str:
    return given if isinstance(given, marks.Approved) else marks.value(str(given))


class _Sources(dict[str, str]):
    """Sources that are equal when the digest beside them is: a key of the cache must have a hash."""

    def __hash__(self) -> int:  # type: ignore[override]
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sources)


@lru_cache(maxsize=256)
def _compiled(digest: str, path: str, sources: _Sources) -> Compiled:
    environment = SandboxedEnvironment(
        loader=DictLoader(sources),
        undefined=StrictUndefined,
        autoescape=False,
        finalize=_as_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.clear()  # no range, no lipsum: a text fills in and chooses, nothing else
    return environment.get_template(path)
