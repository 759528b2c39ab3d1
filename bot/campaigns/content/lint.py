"""What keeps a notice from being sent: everything that can be found by reading the template and what comes of it.

A finding is either `wrong`, which somebody who writes must mend, or `open`: a fact that must be known before it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.base.errors import CandourError
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.base.text.han import ONLY_SIMPLIFIED, ONLY_TRADITIONAL
from bot.campaigns.content import checklist, parity, readability, scan, segment
from bot.campaigns.content.document import Kind
from bot.campaigns.content.segment import Filled, Shared
from bot.campaigns.content.template import LANGUAGES, STANDARD, Template
from bot.campaigns.content.writing import Edition
from bot.channels.segments import segments
from bot.conversations.speaking import wording
from bot.patients.models import Category, Way

NEVER_SAY = REPOSITORY / "data" / "never_say.yml"
SEGMENTS_MOST = 2
"""Of one SMS, with every fact known."""
SUBJECT_MOST = 78
"""Characters of a subject that mailboxes show and no server folds."""
SAMPLE = Edition(2, date(2026, 11, 24))

_PROMOTION = re.compile(
    r"\b(discount|special offer|sign up|subscribe|free trial|buy now|voucher|promo\w*|newsletter)\b"
    r"|優惠|推廣|折扣|訂閱|优惠|推广|订阅",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://|\bwww\.|\b(?:bit\.ly|tinyurl|t\.co|goo\.gl|is\.gd)\b|\bclick (?:here|below)\b|按此|点击", re.I)
_FETCHES = re.compile(r"<(?:a|img|script|link|iframe|form|object|video|audio)\b|url\(|@import|\ssrc=|\shref=", re.I)
_VARIABLES_MEET = re.compile(r"\}\}\s*\{\{")


@dataclass(frozen=True)
class Finding:
    """One thing about one notice; `is_open` when a fact is missing and the words are right."""

    template: str
    where: str
    rule: str
    said: str
    is_open: bool = False


def lint(template: Template, content: Mapping[str, Any]) -> list[Finding]:
    """Everything that keeps this notice from being sent with this content, each thing once."""
    found = dict.fromkeys([*_facts(template, content), *_parity(template)])
    for language in LANGUAGES:
        for way in template.channels:
            where = f"{language.value} {way.value}"
            for rule, said in _of_way(template, content, language, way):
                found[Finding(template.name, where, rule, said)] = None
    return list(found)


def _facts(template: Template, content: Mapping[str, Any]) -> Iterator[Finding]:
    for name in template.facts:
        if name not in content["facts"]:
            yield Finding(template.name, "template.toml", "fact", f"there is no fact {name}")
        elif content["facts"][name].get("value") is None:
            yield Finding(template.name, "facts", "fact", f"{name} is not known, and it is not sent without", is_open=True)


def _parity(template: Template) -> Iterator[Finding]:
    for where, said in parity.differences(template):
        yield Finding(template.name, where, "parity", said)


def _of_way(template: Template, content: Mapping[str, Any], language: Language, way: Way) -> Iterator[tuple[str, str]]:
    every = frozenset(Category)
    cases = [(every, variant) for variant in template.variants]
    if template.by_category:
        cases.append((frozenset(), STANDARD))  # between them, these two hold every word there is
    for held, variant in cases:
        try:
            shared = segment.render_segment(template, content, language, way, edition=SAMPLE, held=held, variant=variant)
            read = segment.filled(shared, template.places)
        except CandourError as wrong:
            yield "rendering", str(wrong)
            return
        for item in checklist.missing(template, shared, content, SAMPLE):
            yield item, f"it does not say {checklist.MEANS[item]}"
        yield from _words(template, content, shared, read)
        yield from _form(shared, read)
    try:
        segment.render_segment(template, wording.without_facts(content), language, way, edition=SAMPLE, held=every)
    except CandourError as wrong:
        yield "rendering", f"without facts: {wrong}"


def _words(template: Template, content: Mapping[str, Any], shared: Shared, read: Filled) -> Iterator[tuple[str, str]]:
    said = segment.said(shared, read)
    never = scan.patterns_of(NEVER_SAY)
    own = template.never
    for pattern in (
        *never["any"],
        *never.get(shared.language.value, ()),
        *own.get("any", ()),
        *own.get(shared.language.value, ()),
    ):
        if re.search(pattern, said, re.IGNORECASE | re.MULTILINE):
            yield "never", f"it says what must never be said: {pattern[:60]}"
    for kind in scan.found_in(said, shared.language):
        yield "N15", f"it holds {kind}"
    if _PROMOTION.search(said):
        yield "N15", "it promotes something"
    if _LINK.search(said):
        yield "N15", "it holds a link, or asks to follow one"
    if template.neutral and any(name and name in said for name in _names(content)):
        yield "neutral", "it names the clinic"
    yield from _language(shared.language, said, is_full=bool(shared.blocks))


def _names(content: Mapping[str, Any]) -> list[str]:
    value = content["facts"].get("clinic_name", {}).get("value")
    return [str(one) for one in value.values()] if isinstance(value, Mapping) else [str(value or "")]


def _language(language: Language, said: str, *, is_full: bool) -> Iterator[tuple[str, str]]:
    if language is Language.EN:
        long = [one for one in readability.sentences(said) if len(readability.words(one)) > readability.WORDS_MOST]
        if long:
            yield "N11", f"a sentence has more than {readability.WORDS_MOST} words: {long[0][:50]}…"
        if is_full and (grade := readability.grade(said)) > readability.GRADE_MOST:
            yield "N11", f"it reads at grade {grade:.1f}, more than {readability.GRADE_MOST:.0f}"
        return
    strangers = ONLY_SIMPLIFIED if language is Language.ZH_HANT else ONLY_TRADITIONAL
    if odd := sorted(set(said) & strangers):
        yield "N11", f"it holds characters of the other script: {''.join(odd[:5])}"


def _form(shared: Shared, read: Filled) -> Iterator[tuple[str, str]]:
    if shared.subject and (len(read.subject) > SUBJECT_MOST or read.subject != shared.subject):
        yield "subject", f"the subject is longer than {SUBJECT_MOST} characters, or holds something personal"
    if shared.html and _FETCHES.search(shared.html):
        yield "html", "the e-mail fetches or links something"
    if shared.way is Way.SMS:
        yield from _sms(shared.language, read.text)
    is_bare = shared.text.startswith("{{") or shared.text.endswith("}}") or _VARIABLES_MEET.search(shared.text)
    if shared.way is Way.WHATSAPP and is_bare:
        yield "whatsapp", "a variable stands first, last or beside another one: it would not be approved"
    if any(not block.lines[0] for block in shared.blocks if block.kind is Kind.HEADING):
        yield "form", "a heading is empty"


def _sms(language: Language, text: str) -> Iterator[tuple[str, str]]:
    taken = segments(text)
    if taken.count > SEGMENTS_MOST:
        yield "sms", f"it takes {taken.count} segments, more than {SEGMENTS_MOST}"
    if language is Language.EN and taken.encoding != "GSM-7":
        odd = "".join(sorted({sign for sign in text if segments(sign).encoding != "GSM-7"}))
        yield "sms", f"characters make it a Unicode SMS: {odd[:10]}"
