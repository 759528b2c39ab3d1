"""What no notice may hold, looked for in the words as they go out: identity numbers, birth dates, record numbers, illnesses.

A finding names the kind and never the text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import yaml

from bot.base.checkdigits import chinese_id_is_valid, hkid_is_valid, luhn
from bot.base.languages import Language
from bot.base.settings import REPOSITORY

DIAGNOSES = REPOSITORY / "data" / "diagnoses.yml"

_HKID = re.compile(r"(?<![A-Z0-9])([A-Z]{1,2}) ?(\d(?: ?\d){5}) ?\(? ?([0-9A]) ?\)?(?![A-Z0-9])")
_MAINLAND = re.compile(r"(?<!\d)(\d{17})([\dX])(?![\dA-Z])")
_CARD = re.compile(r"(?<![\d-])\d{4}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\d-])")
_DATE = r"(?:\d{1,4} ?[-/.年] ?\d{1,2} ?[-/.月] ?\d{1,4}|\d{1,2}(?:ST|ND|RD|TH)? [A-Z]{3,9},? \d{4}|[A-Z]{3,9} \d{1,2},? \d{4})"
_BIRTH = re.compile(rf"(?:\bBORN\b|\bBIRTH|\bD\.?O\.?B\b|出生|生日)[^.。!?\n]{{0,25}}?{_DATE}")
_RECORD = re.compile(
    r"(?:\bMRN\b|\bRECORD (?:NO|NUMBER)|\bPATIENT (?:NO|NUMBER|ID)|病[歷历][編编]?[號号]碼?|病人[編编][號号])"
    r"[^\n\w]{0,4}[A-Z]{0,4}-?\d{4,}"
)


def found_in(text: str, language: Language) -> list[str]:
    """The kinds of what must not be in a text; empty when it may go out."""
    shown = unicodedata.normalize("NFKC", text)
    upper = " ".join(shown.upper().split(" "))
    kinds = []
    if any(hkid_is_valid(one[1], one[2].replace(" ", ""), one[3]) for one in _HKID.finditer(upper)):
        kinds.append("an identity card number")
    if any(chinese_id_is_valid(one[1], one[2]) for one in _MAINLAND.finditer(upper)):
        kinds.append("a mainland identity number")
    if any(luhn(re.sub(r"\D", "", one[0])) for one in _CARD.finditer(upper)):
        kinds.append("a card number")
    if _BIRTH.search(upper):
        kinds.append("a date of birth")
    if _RECORD.search(upper):
        kinds.append("the number of a medical record")
    if any(pattern.search(shown) for pattern in _diagnoses(language)):
        kinds.append("the name of an illness or a treatment")
    return kinds


@lru_cache(maxsize=8)
def _diagnoses(language: Language) -> tuple[re.Pattern[str], ...]:
    listed = patterns_of(DIAGNOSES)
    return tuple(re.compile(one, re.IGNORECASE) for one in (*listed["any"], *listed.get(language.value, ())))


@lru_cache(maxsize=4)
def patterns_of(path: Path) -> dict[str, list[str]]:
    """The regular expressions of a file by language, `any` among them."""
    read: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"any": [], **read}
