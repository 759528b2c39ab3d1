"""One notice for everybody who reads the same: rendered once, then made personal for each.

Readers are equal when template, publication, language, way, kinds of data and variant are. What is personal stands in the result
as a token that no value can guess; a provider or `filled` puts the person's own values in, escaped for HTML, as it is for text.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from datetime import date
from typing import Any

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.content import document, email, marks, writing
from bot.campaigns.content.document import Block
from bot.campaigns.content.template import LANGUAGES, STANDARD, Template
from bot.campaigns.content.writing import Edition, Reader
from bot.channels import segments as counting
from bot.channels.segments import Segments
from bot.conversations.speaking import wording
from bot.patients.models import Category, Way

WHATSAPP_MOST = 1024
"""Characters of an approved WhatsApp text (Meta; beyond it Twilio answers 63021)."""
VALUE_MOST = 400
"""Characters of one personal value; more is a mistake in the file it came from."""


@dataclass(frozen=True)
class Head:
    """What stands around the words of a letter."""

    clinic: str
    postal_address: str
    page: str  # what the code leads to; empty while there is no official page
    day: str


@dataclass(frozen=True)
class Shared:
    """What is the same for many people, with tokens for what is personal; only the parts of its way are filled."""

    template: str
    digest: str  # SHA-256 of everything below
    language: Language
    way: Way
    nonce: str
    subject: str = ""
    html: str = field(default="", repr=False)
    text: str = field(default="", repr=False)  # the e-mail's plain part, the SMS, or the WhatsApp text with `{{1}}` …
    variables: tuple[str, ...] = field(default=(), repr=False)  # what `{{1}}` … of a WhatsApp text stand for, in order
    blocks: tuple[Block, ...] = field(default=(), repr=False)  # of an e-mail and a letter
    places: tuple[str, ...] = ()  # the personal values it asks for
    items: frozenset[str] = frozenset()  # of the checklist
    head: Head | None = field(default=None, repr=False)
    day: date = date.min
    canonical: str = field(default="", repr=False)  # what `digest` is the SHA-256 of: the proof of what was said


@dataclass(frozen=True)
class Personal:
    """One person's values by token: what goes into the HTML and what goes into the text."""

    for_html: Mapping[str, str] = field(repr=False)
    for_text: Mapping[str, str] = field(repr=False)

    @property
    def substitutions(self) -> dict[str, str]:
        """All of them: their tokens differ, so that each value reaches only the part it is escaped for."""
        return {**self.for_html, **self.for_text}


@dataclass(frozen=True)
class Filled:
    """A notice as one person reads it."""

    subject: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)  # of a WhatsApp text, by number
    blocks: tuple[Block, ...] = field(repr=False)

    @property
    def segments(self) -> Segments:
        """What the text takes as an SMS."""
        return counting.segments(self.text)


def language_for(wanted: Language) -> Language:
    """The language in which somebody who reads `wanted` gets notices."""
    return next((one for one in wanted.fallbacks if one in LANGUAGES), Language.EN)


def render_segment(
    template: Template,
    content: Mapping[str, Any],
    language: Language,
    way: Way,
    *,
    edition: Edition,
    held: Iterable[Category] = (),
    variant: str = STANDARD,
) -> Shared:
    """The notice for one group of equal readers; `content` is a publication's.

    Raises BadInput when the template does not go that way or has no such variant, NotPublished when it cannot be rendered.
    """
    if way not in template.channels:
        raise BadInput(f"The notice {template.name} does not go by {way.value}.")
    if variant not in template.variants:
        raise BadInput(f"The notice {template.name} has no variant {variant!r}.")
    reader = Reader(language_for(language), way, frozenset(held) if template.by_category else frozenset(), variant)
    nonce = _digest([template.digest, reader.language, way, sorted(reader.held), variant, edition.version, str(edition.day)])[:12]
    render = _full if way in (Way.EMAIL, Way.LETTER) else _short
    parts = render(template, content, reader, edition)
    canonical = _canonical([template.digest, reader.language, way, *parts.content()])
    return Shared(
        template=template.name,
        digest=hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest(),
        language=reader.language,
        way=way,
        nonce=nonce,
        subject=_tokens(parts.subject, nonce, "t"),
        html=_tokens(parts.html, nonce, "h"),
        text=_tokens(parts.text, nonce, "t"),
        variables=parts.variables,
        blocks=parts.blocks,
        places=tuple(marks.places_in("\n".join([parts.subject, parts.text, *parts.variables]))),
        items=parts.items,
        head=parts.head,
        day=edition.day,
        canonical=canonical,
    )


@dataclass(frozen=True)
class _Parts:
    """What is rendered, with signs where something personal will stand."""

    text: str
    items: frozenset[str]
    subject: str = ""
    html: str = ""
    variables: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    head: Head | None = None

    def content(self) -> list[Any]:
        """All that a reader sees, in an order that is the same in every process."""
        blocks = [[block.kind, block.lines] for block in self.blocks]
        return [self.subject, self.html, self.text, self.variables, blocks, astuple(self.head) if self.head else None]


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(_canonical(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(parts: list[Any]) -> str:
    return json.dumps(parts, ensure_ascii=False)


def _full(template: Template, content: Mapping[str, Any], reader: Reader, edition: Edition) -> _Parts:
    subject = marks.tidy_but_places(marks.plain(writing.write(template, "subject.txt", content, reader, edition)))
    blocks = document.parse(writing.write(template, "full.txt", content, reader, edition))
    is_letter = reader.way is Way.LETTER
    return _Parts(
        text=document.as_text(blocks, wide=reader.language is not Language.EN),
        items=document.carried(blocks),
        subject=subject,
        html="" if is_letter else email.as_html(template, subject, blocks, reader.language),
        blocks=blocks,
        head=_head(template, content, reader.language, edition) if is_letter else None,
    )


def _short(template: Template, content: Mapping[str, Any], reader: Reader, edition: Edition) -> _Parts:
    file = "sms.txt" if reader.way is Way.SMS else "whatsapp.txt"
    lines = writing.write(template, file, content, reader, edition).strip().splitlines()
    items = frozenset(item for line in lines if line.startswith("@") for item in line[1:].split())
    words = "\n".join(line.strip() for line in lines if not line.startswith("@")).strip()
    if reader.way is Way.SMS:
        return _Parts(marks.plain(words), items)
    text, variables = marks.with_numbers(words)
    return _Parts(text, items, variables=tuple(variables))


def _head(template: Template, content: Mapping[str, Any], language: Language, edition: Edition) -> Head:
    facts = wording.surroundings(content, language)["facts"]

    def known(name: str) -> str:
        fact = facts.get(name)  # an earlier publication may not have it
        return marks.tidy(str(fact)) if fact is not None and fact.known else ""

    day = wording.spoken({"date": edition.day.isoformat()}, language)
    if template.neutral:
        return Head(known("neutral_name"), "", "", day)
    return Head(known("clinic_name"), known("postal_address"), known("notice_page"), day)


def _token(nonce: str, name: str, kind: str) -> str:
    return f"-{nonce}.{name}.{kind}-"


def _tokens(text: str, nonce: str, kind: str) -> str:
    return marks.with_places(text, lambda name: _token(nonce, name, kind))


def personal(shared: Shared, values: Mapping[str, str]) -> Personal:
    """The person's values by token, escaped apart for HTML and text.

    Raises BadInput, naming the place and never the value, for one that is missing, empty, too long or holds a token.
    """
    tidied = {name: marks.tidy(values.get(name, "")) for name in shared.places}
    for name, value in tidied.items():
        if not value:
            raise BadInput(f"The notice {shared.template} needs {name}, and it is empty.")
        if len(value) > VALUE_MOST or shared.nonce in value:
            raise BadInput(f"The value of {name} for the notice {shared.template} cannot be a real one.")
    return Personal(
        {_token(shared.nonce, name, "h"): html.escape(value) for name, value in tidied.items()},
        {_token(shared.nonce, name, "t"): value for name, value in tidied.items()},
    )


def filled(shared: Shared, values: Mapping[str, str]) -> Filled:
    """The notice as this person reads it; raises BadInput as `personal` does, and for a WhatsApp text that becomes too long."""
    own = personal(shared, values)
    by_name = {name: own.for_text[_token(shared.nonce, name, "t")] for name in shared.places}
    variables = {
        str(number): marks.with_places(variable, lambda name: by_name[name]) or "-"
        for number, variable in enumerate(shared.variables, start=1)
    }
    if shared.way is Way.WHATSAPP and len(as_read(shared.text, variables)) > WHATSAPP_MOST:
        raise BadInput(f"The notice {shared.template} is too long for WhatsApp.")
    blocks = tuple(
        Block(block.kind, tuple(marks.with_places(line, lambda name: by_name[name]) for line in block.lines), block.items)
        for block in shared.blocks
    )
    return Filled(
        _put(shared.subject, own.for_text), _put(shared.html, own.for_html), _put(shared.text, own.for_text), variables, blocks
    )


def said(shared: Shared, read: Filled) -> str:
    """Every word that the person reads, a line each: what is scanned before it goes out."""
    if shared.blocks:
        return "\n".join([read.subject, *(line for block in read.blocks for line in block.lines)])
    return as_read(read.text, read.variables) if shared.way is Way.WHATSAPP else read.text


def as_read(text: str, variables: Mapping[str, str]) -> str:
    """A WhatsApp text with its variables put in, as it is read."""
    for number in sorted(variables, key=int, reverse=True):
        text = text.replace(f"{{{{{number}}}}}", variables[number])
    return text


def _put(text: str, values: Mapping[str, str]) -> str:
    for token, value in values.items():
        text = text.replace(token, value)
    return text
