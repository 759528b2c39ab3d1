"""The shipped notices as the tests read them: with every fact known, with none, and with one fact replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from bot.base.languages import Language
from bot.campaigns.content import segment, template
from bot.campaigns.content.segment import Filled, Shared
from bot.campaigns.content.template import Template
from bot.campaigns.content.writing import Edition
from bot.patients.models import Category, Way
from tests.content import texts

EDITION = Edition(1, date(2023, 5, 9))
NAMES = template.names()


@cache
def read(name: str) -> Template:
    """A shipped template."""
    return template.read(name)


def each() -> list[tuple[str, Language, Way]]:
    """Every text that is shipped: notice, language, way."""
    return [(name, language, way) for name in NAMES for language in template.LANGUAGES for way in read(name).channels]


def shared(
    name: str,
    language: Language = Language.EN,
    way: Way = Way.EMAIL,
    held: Iterable[Category] = tuple(Category),
    variant: str = "standard",
    content: Mapping[str, Any] | None = None,
) -> Shared:
    """A notice for a group of readers, with every fact known unless a content is given."""
    known = content if content is not None else texts.with_all_facts()
    return segment.render_segment(read(name), known, language, way, edition=EDITION, held=held, variant=variant)


def filled(name: str, language: Language = Language.EN, way: Way = Way.EMAIL, **more: Any) -> Filled:
    """The same as its sample person reads it."""
    return segment.filled(shared(name, language, way, **more), read(name).places)


def with_fact(name: str, value: Any) -> dict[str, Any]:
    """The content with one fact replaced."""
    known = texts.with_all_facts()
    return {**known, "facts": {**known["facts"], name: {**known["facts"][name], "value": value}}}


def changed(name: str, file: str, old: str, new: str) -> Template:
    """A shipped template with a passage of a file replaced; it must be there."""
    one = read(name)
    assert old in one.sources[file], (file, old)
    return replace(one, digest=f"changed {file} {old} {new}", sources={**one.sources, file: one.sources[file].replace(old, new)})
