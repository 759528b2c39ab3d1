"""One cell of a spreadsheet: made plain, or refused for what it is or hides.

Excel leaves apostrophes in front of numbers, full-width digits, hard spaces and many hyphens; these are put right. What it has
destroyed (a number rounded to 8.5E+07, an error instead of a value) cannot be, and is refused with a word for it. So is what
never belongs into a roster: formulas, control characters, numbers of identity documents and cards, and anything clinical.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.base.checkdigits import chinese_id_is_valid, hkid_is_valid, luhn
from bot.base.text import plain
from bot.patients.roster.headings import Column

CELL_LIMIT = 1000
"""Characters of a cell; the longest addresses have about 200."""

KEYS = frozenset({Column.KEY, Column.GUARDIAN, Column.EMPLOYER, Column.HOUSEHOLD})
_NUMBERED = frozenset({Column.PHONE, Column.SAFE})
_EMPTY = frozenset({"", "-", "--", "---", ".", "/", "n/a"})
_EMPTY_WORDS = _EMPTY | {"na", "nil", "none", "null", "無", "没有", "沒有", "不適用"}
_HYPHENS = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d\u00ad]")
_ORDINARY = re.compile(r"[0-9A-Za-z](?: ?[!-~]+)*|[\u4e00-\u9fff]+")
_ROUNDED = re.compile(r"\d+(?:[.,]\d+)?[Ee]\+\d+|\d[.,]\d+[Ee]-?\d+")
_BROKEN = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|GETTING_DATA)|#{4,}", re.IGNORECASE)
_NUMBER_ONLY = re.compile(r"[+-][\d ()./;,+-]*")
_FLOAT = re.compile(r"(\d{5,})\.0+")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Refused(Exception):
    """The cell may not be stored; the text is the reason and never the value."""


def clean(raw: str, column: Column | None) -> str:
    """The cell as plain text, empty when it says that there is nothing; raises Refused."""
    text = raw if len(raw) <= CELL_LIMIT and _ORDINARY.fullmatch(raw) else _plain(raw)
    if column in KEYS or column in _NUMBERED:
        if _ROUNDED.fullmatch(text):
            raise Refused("a spreadsheet has rounded this number (like 8.5E+07): format the column as text and export it again")
        if whole := _FLOAT.fullmatch(text):
            text = whole[1]
    if text[:1] in "=+-@":
        _no_formula(text, column)
    # There are people called Na and Null.
    empty = _EMPTY if column in (Column.NAME, Column.NAME_ZH) else _EMPTY_WORDS
    return "" if len(text) < 6 and text.casefold() in empty else text


def _plain(raw: str) -> str:
    if len(raw) > CELL_LIMIT:
        raise Refused(f"more than {CELL_LIMIT} characters in one cell")
    for char in set(raw):
        category = unicodedata.category(char)
        if (category == "Cc" and char not in "\t\n\r") or char in _BIDI:
            raise Refused("a control character")
        if category in ("Co", "Cn", "Cs") or char == "\ufffd":
            raise Refused("a damaged character, or one that exists on one computer only")
    text = _HYPHENS.sub("-", raw.replace("\u00ad", "")).strip().replace("\r\n", "\n")
    text = plain(re.sub(r"[;,]?\s*[\n\r]+\s*", "; ", text))
    # The mark by which Excel keeps a number as text.
    text = re.sub(r"^['’`](?=\S)", "", text)
    if _BROKEN.fullmatch(text):
        raise Refused("an error of the spreadsheet instead of a value")
    return text


def _no_formula(text: str, column: Column | None) -> None:
    if text.casefold() in _EMPTY or (column in _NUMBERED and _NUMBER_ONLY.fullmatch(text)):
        return
    raise Refused("a formula, or what a spreadsheet would take for one")


# ---------------------------------------------------------------- what is never imported

_HKID = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{1,2})[ -]?(\d{3} ?\d{3}) ?(?:\(([0-9Aa])\)|-?([0-9Aa]))(?![A-Za-z0-9])")
_PASSPORT = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,2}\d{7,9}[A-Za-z]?(?![A-Za-z0-9])")
_CHINESE_ID = re.compile(r"(?<![0-9A-Za-z])(\d{17})([\dXx])(?![\dA-Za-z])")
_CARD = re.compile(r"(?<![0-9A-Za-z])(?:\d{4}[ -]?){3}\d{1,7}(?!\d)")
_ICD = re.compile(r"\b[A-TV-Z]\d{2}\.\d{1,2}\b")
_LATIN = re.compile(r"[a-z]{3,}")
_WORDS = """diagnosis diagnosed diagnoses prognosis symptom symptoms hypertension hypertensive diabetes diabetic cancer carcinoma
    tumour tumor leukaemia leukemia lymphoma hiv aids hepatitis depression depressive anxiety schizophrenia bipolar dementia
    alzheimer asthma epilepsy tuberculosis pregnant pregnancy miscarriage abortion syphilis gonorrhoea gonorrhea chlamydia
    herpes stroke angina arrhythmia copd eczema psoriasis arthritis gout anaemia anemia obesity insomnia adhd autism ptsd
    hysterectomy mammogram colonoscopy biopsy chemotherapy dialysis insulin metformin warfarin statin penicillin allergy
    allergic medication medications prescription prescribed antidepressant antibiotic antibiotics hbv hcv mellitus cardiac
    diabetik hipertensi kanker hamil kehamilan buntis"""
_CLINICAL = frozenset(_WORDS.split())
_CLINICAL_ZH = re.compile(
    "診斷|诊断|確診|确诊|糖尿|高血壓|高血压|癌|腫瘤|肿瘤|愛滋|艾滋|肝炎|抑鬱|抑郁|焦慮症|焦虑症|精神分裂|躁鬱|癡呆|痴呆|哮喘|癲癇|癫痫|肺結核"
    "|懷孕|怀孕|流產|流产|墮胎|堕胎|梅毒|淋病|皰疹|疱疹|中風|中风|心臟病|心脏病|濕疹|湿疹|關節炎|痛風症|貧血|贫血|過敏|过敏|處方|处方|藥物|药物"
    "|化療|化疗|洗腎|透析|胰島素|胰岛素|病徵|症狀|症状"
)
_NUMBERS = re.compile("|".join(f"(?:{form.pattern})" for form in (_HKID, _PASSPORT, _CHINESE_ID, _CARD, _ICD)))
_SUSPICIOUS = re.compile(r"\d{3} ?\d{3}|\d{4}[ -]\d{4}|[A-Z]\d\d\.\d")


def harmless(cells: Sequence[str]) -> bool:
    """Whether nothing in a row of plain cells even resembles what is forbidden: a quick look that spares the exact one."""
    row = "\x1f".join(cells)
    if _NUMBERS.search(row):
        return False
    return _CLINICAL.isdisjoint(_LATIN.findall(row.lower())) and (row.isascii() or not _CLINICAL_ZH.search(row))


def forbidden(text: str, column: Column | None) -> str:
    """Why a plain cell may not be imported, empty when it may; `column` None is one that is not stored anyway."""
    if _SUSPICIOUS.search(text) and (found := _document(text, column)):
        return found
    if column is Column.EMAIL and "@" in text:
        return ""
    if not text.isascii() and _CLINICAL_ZH.search(text):
        return _NO_HEALTH
    return "" if _CLINICAL.isdisjoint(_LATIN.findall(text.lower())) else _NO_HEALTH


_NO_HEALTH = "clinical words: health records are never imported"


def _document(text: str, column: Column | None) -> str:
    if any(chinese_id_is_valid(*match.groups()) for match in _CHINESE_ID.finditer(text)):
        return "a mainland identity number"
    if column is Column.DIGEST:
        return ""
    for match in _HKID.finditer(text):
        if match[3] or (column not in KEYS and _is_hkid(match, text, column)):
            return "a Hong Kong identity card number"
    if column is not Column.EMAIL and column not in KEYS:
        if column is not None and _PASSPORT.search(text):
            return "what looks like a passport number"
        if column is not None and _ICD.search(text):
            return _NO_HEALTH
    return "a payment card number" if column not in KEYS and _has_card(text, column) else ""


def _is_hkid(match: re.Match[str], text: str, column: Column | None) -> bool:
    if column is Column.EMAIL and match[0] != text.partition("@")[0]:
        return False  # part of a longer address: chance
    return hkid_is_valid(match[1], match[2].replace(" ", ""), match[4])


def _has_card(text: str, column: Column | None) -> bool:
    least = 16 if column in _NUMBERED else 13  # a telephone number has up to 15 digits
    found = (re.sub(r"\D", "", match[0]) for match in _CARD.finditer(text))
    return any(len(digits) >= least and luhn(digits) for digits in found)


def key_is_hkid(key: str) -> bool | None:
    """Whether a key is an identity card number by its check digit; None when it has not even the form of one."""
    match = _HKID.fullmatch(key)
    return hkid_is_valid(match[1], match[2].replace(" ", ""), match[3] or match[4]) if match else None
