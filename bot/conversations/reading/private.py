"""Finds the private numbers in a text: identity documents, cards, telephone numbers, e-mail addresses, one-time codes, accounts.

Numbers are judged run by run, a run being digits with at most a few separators between them. Whatever is not clearly a date, an
amount, a quantity or an official number is hidden: a number shown by mistake cannot be taken back. Linear in the length of the
text; keeps nothing.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from bot.base.checkdigits import chinese_id_is_valid, hkid_is_valid, luhn
from bot.conversations.reading.surroundings import (
    MONEY_BEFORE,
    UNIT_AFTER,
    says_account,
    says_code,
    says_id,
    says_passport,
    says_phone,
)

DIGITS_JUDGED = 2000  # nobody types more digits; a text with more loses all its numbers unseen, so that judging stays cheap
AROUND = 40  # characters of words around a number that may say what it is

# What stands in the text instead. Brackets nobody types, so that the word inside is never taken for the patient's own ("code").
TOKENS = {kind: f"⟦{kind}⟧" for kind in ("hkid", "passport", "chinaid", "card", "phone", "email", "code", "account")}

_JOIN = r"(?:[ \-‐‑‒–—―−·•_./\\()*:]{1,3}+|,)"
_NUMERALS = "零〇○一二三四五六七八九壹貳贰叁參肆伍陸陆柒捌玖兩两"
_SPOKEN = "zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|triple"
_FOUND = re.compile(
    r"(?P<token>⟦[a-z]{1,12}⟧)"
    r"|(?P<email>(?<![A-Za-z0-9._%+'\-À-ɏ])[A-Za-z0-9._%+'\-À-ɏ]++ ?@ ?[A-Za-z0-9\-]++(?:\.[A-Za-z0-9\-]++)++)"
    rf"|(?P<spelt>[{_NUMERALS}](?:[ \-]?[{_NUMERALS}]){{7,14}}+|\b(?:{_SPOKEN})\b(?:[ ,\-]{{1,2}}(?:{_SPOKEN})\b){{6,}}+)"
    rf"|(?P<run>(?:\+ ?)?\(?\d(?:{_JOIN}?\d)*+)"
)
_GROUP = re.compile(r"\d+")
_UP_TO_NEXT = re.compile(r"[^\d⟦]*")
_ONE_CODE = re.compile(r"\d{3}[ \-]?\d{3}")
_ANY_RUN = re.compile(rf"\d(?:{_JOIN}?\d){{3,}}+")

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_WHEN = re.compile(
    rf"(?:{_YEAR} ?[-–—/] ?{_YEAR}|{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}|{_DAY}[-/.]{_MONTH}[-/.](?:{_YEAR}|\d\d)"
    rf"|{_MONTH}[-/.]{_DAY}[-/.]{_YEAR}|[0-2]?\d[:.][0-5]\d(?::[0-5]\d)?"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|{_YEAR})(?!\d)"
)
_QUANTITY = re.compile(r"\d{1,3}(?:,\d{3})++(?:\.\d+)?(?![\d])|\d{1,6}\.\d{1,2}(?![\d.])")
# Country code → digits after it. 0 stands for the national prefix of the Philippines, Indonesia, the United Kingdom and others.
_AFTER_COUNTRY_CODE = {
    "852": (8, 8), "853": (8, 8), "886": (9, 9), "86": (11, 11), "63": (10, 10), "62": (9, 12), "44": (10, 10), "65": (8, 8),
    "60": (9, 10), "61": (9, 9), "81": (10, 10), "82": (9, 10), "91": (10, 10), "1": (10, 10), "0": (9, 12),
}  # fmt: skip


@dataclass(frozen=True)
class _Run:
    """One run of digits and where it stands."""

    text: str
    left: str  # the characters just before it
    before: str  # the words before it, other numbers left out: the same before and after hiding those
    after: str  # the words after it, up to the next number
    official: frozenset[str]

    @cached_property
    def groups(self) -> list[tuple[int, int]]:
        """Where the digits without a separator between them are."""
        return [match.span() for match in _GROUP.finditer(self.text)]

    @cached_property
    def digits(self) -> str:
        """All digits of the run."""
        return "".join(_GROUP.findall(self.text))

    @cached_property
    def sizes(self) -> dict[int, int]:
        """How many digits the first groups have together → where the last of these groups ends."""
        return {len(digits): self.groups[last][1] for last, digits in self.windows(0, 18)}

    def windows(self, first: int, most: int) -> Iterator[tuple[int, str]]:
        """Every series of groups that begins with `first` and has at most `most` digits: (last group, digits), shortest first."""
        joined = ""
        for last in range(first, len(self.groups)):
            start, end = self.groups[last]
            joined += self.text[start:end]
            if len(joined) > most:
                return
            yield last, joined


_LETTERS_BEFORE = re.compile(r"([A-Za-z]{1,2})([ \-‐‑–—·•_./(]{0,3})$")
_LETTER_AFTER = re.compile(r"([ \-./(]{0,2})([A-Za-z])(?![A-Za-z])")


def _chinese_id(run: _Run) -> tuple[int, int] | None:
    sizes = run.sizes
    after = _LETTER_AFTER.match(run.after)
    if 17 in sizes and after and after[2] in "Xx" and chinese_id_is_valid(run.digits[:17], after[2]):
        return 0, sizes[17] + after.end()
    if 18 in sizes and chinese_id_is_valid(run.digits[:17], run.digits[17]):
        return 0, sizes[18]
    return None


def _hkid(run: _Run) -> tuple[int, int] | None:
    """One or two letters, six digits, a check digit that is often in brackets; right or wrong, with or without separators."""
    sizes, check, end = run.sizes, run.digits[6:7], run.sizes.get(7, 0)
    after = _LETTER_AFTER.match(run.after)
    if len(run.digits) == 6 and after and after[2] in "Aa":
        check, end = "A", len(run.text) + after.end()
    if not end:
        return None
    bracketed = "(" in (run.text + run.after)[sizes.get(6, 0) : end]
    letters = _LETTERS_BEFORE.search(run.left)
    if not letters:
        return (0, end) if bracketed else None
    alone = not run.left[: letters.start()][-1:].isalpha()
    sizes_of_prefix = [len(letters[1])] if letters[2] else range(1, len(letters[1]) + 1)
    valid = [n for n in sizes_of_prefix if hkid_is_valid(letters[1][-n:], run.digits[:6], check)]
    written_so = alone and check != "A" and (not letters[2] or letters[1].isupper())  # whatever its check digit says
    if not (valid or bracketed or written_so or says_id(run.before)) or (letters[2] and UNIT_AFTER.match(run.after)):
        return None
    taken = max(valid, default=len(letters[1]) if alone else 0)
    return -(taken + len(letters[2])) if taken else 0, end


def _passport(run: _Run) -> tuple[int, int] | None:
    """One or two letters and 7 to 10 digits (mainland permits: 8 or 10), perhaps a letter; or digits called a passport."""
    size = next((n for n in (9, 8, 10, 7) if n in run.sizes), 0)
    if not size:
        return None
    letters = _LETTERS_BEFORE.search(run.left)
    after = _LETTER_AFTER.match(run.after) if run.sizes[size] == len(run.text) else None
    last = after.end() if after and not after[1] else 0
    glued = letters and not letters[2] and not run.left[: letters.start()][-1:].isalpha()
    if (glued and (size > 7 or last)) or says_passport(run.before[-24:]):
        return -len(letters[1]) if letters and glued else 0, run.sizes[size] + last
    return None


def _document(run: _Run) -> tuple[str, int, int] | None:
    """The identity document a run begins with: (kind, start, end); both may reach into the words around it."""
    finders = (("chinaid", _chinese_id), ("passport", _passport), ("hkid", _hkid))
    return next(((kind, *span) for kind, find in finders if (span := find(run))), None)


def _known_good(run: _Run, first: int) -> int | None:
    """The last group of a date, amount, quantity or official number that begins with group `first`."""
    start, end = run.groups[first]
    when = _WHEN.match(run.text, start)
    like_phone = says_phone(run.before[-16:]) and re.match(r"\d{4} ?\d{4}(?!\d)", run.text[start:])
    if when and not like_phone:
        return max(i for i, group in enumerate(run.groups) if group[0] < when.end())
    if quantity := _QUANTITY.match(run.text, start):
        return max(i for i, group in enumerate(run.groups) if group[0] < quantity.end())
    officials = [last for last, digits in run.windows(first, 16) if digits in run.official]
    if officials:
        return officials[-1]
    money = first == 0 and MONEY_BEFORE.search(run.left)
    unit = first == len(run.groups) - 1 and UNIT_AFTER.match(run.after)
    return first if end - start <= 9 and (money or unit) else None


def _phone(run: _Run, first: int) -> int | None:
    """The last group of a telephone number that begins with group `first`."""
    international = first == 0 and run.text.startswith("+")
    best = None
    for last, digits in run.windows(first, 17):
        between = run.text[run.groups[first][0] : run.groups[last][1]]
        if "," in between or ":" in between:
            break
        number = digits.removeprefix("00")
        abroad = international or number != digits
        if len(digits) == 8 and digits[0] in "23456789" and not abroad:
            return last
        for code, (least, most) in _AFTER_COUNTRY_CODE.items():
            if number.startswith(code) and least <= len(number) - len(code) <= most:
                best = last
                if least == most:
                    return last
        if len(number) == 11 and re.match("1[3-9]", number):
            return last
        if abroad and 8 <= len(number) <= 15 and not number.startswith(("852", "86", "63", "44", "65")):
            best = last
    return best


def _private(run: _Run, first: int) -> tuple[str, int] | None:
    """The private number that begins with group `first`: (kind, last group)."""
    cards = [last for last, digits in run.windows(first, 19) if len(digits) >= 13 and luhn(digits)]
    if cards:
        return "card", cards[-1]
    near = run.before[-30:] + " | " + run.after
    is_code = says_code(near) and not says_account(near)
    short = [last for last, digits in run.windows(first, 8) if len(digits) >= 4]
    if is_code and short:
        return "code", short[-1]
    long = [last for last, digits in run.windows(first, 20) if len(digits) >= 6]
    if long and says_account(near) and not says_phone(near):
        return "account", long[-1]
    last_of_phone = _phone(run, first)
    return None if last_of_phone is None else ("phone", last_of_phone)


def _all_dates(run: _Run) -> bool:
    return not re.sub(r"[ ,\-–:/]", "", _WHEN.sub("", run.text))


def _first_private(run: _Run) -> tuple[tuple[int, int, str] | None, list[tuple[int, int]]]:
    """The first private number of a run, and the groups before it (or all others) that nothing is known about."""
    unknown: list[tuple[int, int]] = []
    if document := _document(run):
        kind, start, end = document
        return (start, end, kind), unknown
    if 13 <= len(run.digits) <= 19 and luhn(run.digits) and not _all_dates(run):
        return (0, len(run.text), "card"), unknown
    first = 0
    while first < len(run.groups):
        last = _known_good(run, first)
        if last is None and (private := _private(run, first)):
            kind, last = private
            return (run.groups[first][0] if first else 0, run.groups[last][1], kind), unknown
        if last is None:
            unknown.append(run.groups[first])
            last = first
        first = last + 1
    return None, unknown


def _judge(run: _Run) -> list[tuple[int, int, str]]:
    """What to hide in a run: (start, end, kind), in order; both may reach into the words around the run."""
    found: list[tuple[int, int, str]] = []
    unknown: list[tuple[int, int]] = []
    offset = 0
    while True:  # what follows a hidden number is judged as a run of its own, as it will be when the text is read again
        private, others = _first_private(run)
        unknown += [(start + offset, end + offset) for start, end in others]
        if private is None:
            break
        start, end, kind = private
        found.append((start + offset, end + offset, kind))
        rest = next((group[0] for group in run.groups if group[0] >= end), None)
        if rest is None:
            break
        run = replace(run, text=run.text[rest:], left=TOKENS[kind])
        offset += rest
    if sum(end - start for start, end in unknown) >= 9:  # a number of some kind, and nobody's business
        found += [(start, end, "account") for start, end in unknown]
    return sorted(found)


def _runs(text: str, official: frozenset[str]) -> Iterator[tuple[int, int, str]]:
    """Every part of the text to hide: (start, end, kind), in order."""
    before, end_of_last = "", 0
    for match in _FOUND.finditer(text):
        before = (before + text[end_of_last : match.start()])[-AROUND:]
        end_of_last = match.end()
        if match.lastgroup == "email":
            yield match.start(), match.end(), "email"
        elif match.lastgroup == "spelt":
            yield match.start(), match.end(), "phone"
        elif match.lastgroup == "run":
            after = _UP_TO_NEXT.match(text, match.end(), match.end() + AROUND)
            left = text[max(0, match.start() - 8) : match.start()]
            run = _Run(match[0], left, before, after[0] if after else "", official)
            yield from ((match.start() + start, match.start() + end, kind) for start, end, kind in _judge(run))


def _with_tokens(text: str, parts: Iterable[tuple[int, int, str]]) -> tuple[str, list[str]]:
    pieces: list[str] = []
    kinds: list[str] = []
    position = 0
    for start, end, kind in parts:
        start = max(start, position)
        if "(" in text[start:end] and text[end : end + 1] == ")":
            end += 1
        pieces += [text[position:start], TOKENS[kind]]
        kinds.append(kind)
        position = end
    return "".join([*pieces, text[position:]]), kinds


def hide(text: str, official: frozenset[str]) -> tuple[str, list[str]]:
    """A `plain` text with tokens for its private details, and their kinds in order; `official` holds digits only."""
    if sum(map(len, _GROUP.findall(text))) > DIGITS_JUDGED:
        hidden, count = _ANY_RUN.subn(TOKENS["account"], text)
        return hidden, ["account"] * min(count, 1)
    if _ONE_CODE.fullmatch(text) and re.sub(r"\D", "", text) not in official:
        return TOKENS["code"], ["code"]
    return _with_tokens(text, _runs(text, official))
