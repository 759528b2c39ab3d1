"""The checklist of a notice (N1-N15): what each item is, and by what a rendered text shows that it carries it.

After the Privacy Commissioner's guidance of June 2023, GDPR article 34(2), 45 CFR 164.404(c), and our own rule that a reader
can find out whether a notice is real.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.base.languages import Language
from bot.campaigns.content import marks
from bot.campaigns.content.segment import Shared
from bot.campaigns.content.template import FULL, SHORT, Template
from bot.campaigns.content.writing import Edition
from bot.conversations.speaking import wording
from bot.patients.models import Way

MEANS: Mapping[str, str] = {
    "N1": "what happened",
    "N2": "when, and for how long",
    "N3": "when it was found",
    "N4": "which system, and whose",
    "N5": "which kinds of this person's data",
    "N6": "what harm may follow",
    "N7": "what was done and is being done",
    "N8": "how to reach us",
    "N9": "what the reader can do",
    "N10": "which authorities were told",
    "N11": "plain language",
    "N12": "how to check that it is real",
    "N13": "version and date",
    "N14": "other languages and forms",
    "N15": "no promotion, no request for data",
}
FULL_NOTICE = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9", "N10", "N12", "N13", "N14")
"""What a notice that tells a person about their data must require of itself; N11 and N15 are asked of every text."""
SHORT_NOTICE = ("N1", "N8", "N9", "N12")
"""The same for an SMS or WhatsApp text."""

_SHOWN_BY: Mapping[str, str] = {
    "N2": "noticed_on",
    "N3": "noticed_on",
    "N4": "system_affected",
    "N8": "hotline",
    "N10": "authorities_told",
}
"""Facts whose value stands in a full text that carries the item."""
_OTHER_LANGUAGE = {Language.EN: "中文", Language.ZH_HANT: "English", Language.ZH_HANS: "English"}


def required(template: Template, way: Way) -> tuple[str, ...]:
    """The items that a notice must carry this way."""
    kind = FULL if way in (Way.EMAIL, Way.LETTER) else SHORT
    least: tuple[str, ...] = (FULL_NOTICE if kind == FULL else SHORT_NOTICE) if template.by_category else ()
    return tuple(item for item in MEANS if item in {*template.items[kind], *least})


def missing(template: Template, shared: Shared, content: Mapping[str, Any], edition: Edition) -> list[str]:
    """The required items that a rendered notice does not carry: unmarked, without words, or without the fact that shows them."""
    lacking = [item for item in required(template, shared.way) if item not in shared.items]
    if shared.way in (Way.EMAIL, Way.LETTER) and not template.neutral:
        lacking += [
            item for item in required(template, shared.way) if item not in lacking and not _shows(item, shared, content, edition)
        ]
    return lacking


def _shows(item: str, shared: Shared, content: Mapping[str, Any], edition: Edition) -> bool:
    if item == "N13":
        return wording.spoken({"date": edition.day.isoformat()}, shared.language) in shared.text
    if item == "N14":
        return _OTHER_LANGUAGE[shared.language] in shared.text
    fact = _SHOWN_BY.get(item)
    if fact is None or fact not in content["facts"]:
        return True
    return marks.tidy(str(wording.surroundings(content, shared.language)["facts"][fact])) in shared.text
