"""Why a campaign waits or has stopped, in the reader's language, and what to do about it."""

from __future__ import annotations

import re

from bot.channels.failures import Fate, failure
from bot.web.console.door import Staff
from bot.web.console.words import all_words, answer

_CODE = re.compile(r"\(([A-Za-z0-9]{1,20})\)\.?$")
_ADVICE = (
    (re.compile(r"The provider of .* does not answer"), "outage"),
    (re.compile(r"did not arrive \("), "failures"),
    (re.compile(r"^The text is not taken|^A whole request was refused"), "text"),
    (re.compile(r"has ordered to wait"), "order"),
    (re.compile(r"not what was approved|was changed|has changed"), "changed"),
)
_ACCOUNT = frozenset({"401", "403"})


def in_words(staff: Staff, sentence: str) -> str:
    """A sentence about a campaign, translated where a translation is known; what a person wrote stays as it is."""
    return answer(staff.language, sentence)


def advice(staff: Staff, sentence: str) -> str:
    """What to do about it; empty when a person stopped it, who knows."""
    for pattern, name in _ADVICE:
        if pattern.search(sentence):
            return staff.t(f"campaigns.do_{name}")
    code = _CODE.search(sentence)
    if code and (code[1] in _ACCOUNT or (code[1].isdecimal() and failure(int(code[1])).fate is Fate.ACCOUNT)):
        return staff.t("campaigns.do_account")
    return ""


def code_in_words(staff: Staff, code: str) -> str:
    """What a provider's code means for the people concerned."""
    key = f"campaign_codes.c{code}"
    if key in all_words():
        return staff.t(key)
    return staff.t("campaign_codes.none" if code in ("", "none") else "campaign_codes.other")
