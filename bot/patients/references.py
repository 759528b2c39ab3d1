"""References: the row of letters and digits on a person's notices. It finds the file and proves nothing.

Nine random characters of Crockford's base 32 (45 bits) and one that checks them, shown as `7K3M9-QT4XV`. Typing is forgiven:
small letters, O for 0, I and L for 1, other spacing, full-width signs. At rest there is only a keyed hash.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import exists, insert, select, update
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.text import plain
from bot.base.vault import BlindIndex
from bot.patients.models import Person, PersonReference

KIND = "reference"
"""The blind index's name for them."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
TOKEN = "⟦reference⟧"  # noqa: S105 - what stands in a text instead of a reference
BATCH = 1000
"""Persons whose references are revoked in one statement: below every database's limit of parameters."""

_LIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_WEIGHTS = tuple(range(3, 2 * LENGTH, 2))
"""Odd, and so are their differences to 32 never 0: every single slip and most swaps of neighbours change the sum."""
_SIGN = "[0-9A-Za-z]"
_GAP = r"[ \-‐‑–—−_.·/]"
_IN_TEXT = re.compile(rf"(?<!{_SIGN})({_SIGN}{{5}}{_GAP}{{0,3}}{_SIGN}{{5}})(?!{_SIGN})")
_SPACED = re.compile(rf"(?<!{_SIGN})(?=((?:{_SIGN}{_GAP}{{0,2}}){{9}}{_SIGN})(?!{_SIGN}))")
_SPELT = re.compile(
    rf"(?<!{_SIGN})({_SIGN}{{5}}{_GAP}{{0,3}}{_SIGN}{{5}}|(?:{_SIGN}{_GAP}{{1,2}}){{9}}{_SIGN}|(?:{_SIGN}{{2}}{_GAP}{{1,2}}){{4}}{_SIGN}{{2}})(?!{_SIGN})"
)
"""What is certainly meant as one: two fives, single signs, pairs. Other spacing also fits words and dates of a sentence."""


def check_character(nine: str) -> str:
    """The tenth character of a reference, from the nine before it."""
    return ALPHABET[sum(weight * ALPHABET.index(sign) for weight, sign in zip(_WEIGHTS, nine, strict=False)) % 32]


def normal(text: str) -> str:
    """A typed reference in its one form without hyphen; raises BadInput when it is none or a character is wrong."""
    signs = re.sub(_GAP, "", plain(text)).upper().translate(_LIKE)
    if len(signs) != LENGTH or set(signs) - set(ALPHABET) or check_character(signs[:-1]) != signs[-1] or not _mixed(signs):
        raise BadInput("That is not a reference.")
    return signs


def _mixed(signs: str) -> bool:
    # Never a telephone number and never a word: two letters and two digits that look like no letter.
    return sum(sign.isalpha() for sign in signs) >= 2 and sum(sign in "23456789" for sign in signs) >= 2


def new_reference() -> str:
    """A fresh one as it is printed; from the system's random source."""
    while True:
        nine = "".join(ALPHABET[byte % 32] for byte in secrets.token_bytes(LENGTH - 1))  # 256 is a multiple of 32
        signs = nine + check_character(nine)
        if _mixed(signs):
            return f"{signs[:5]}-{signs[5:]}"


def found_in(text: str) -> str | None:
    """The first reference in a typed text, however it is spaced, in its normal form; computed without any look-up."""
    shown = plain(text)
    for match in (*_IN_TEXT.finditer(shown), *_SPACED.finditer(shown)):
        try:
            return normal(match[1])
        except BadInput:
            continue
    return None


def hidden(text: str) -> str:
    """The text with a token for each reference in it; the very same text when there is none."""
    shown = plain(text)
    parts = [match.span(1) for match in _SPELT.finditer(shown) if _is_one(match[1])]
    if not parts:
        return text
    pieces, position = [], 0
    for start, end in parts:
        pieces += [shown[position:start], TOKEN]
        position = end
    return "".join([*pieces, shown[position:]])


def _is_one(text: str) -> bool:
    try:
        return bool(normal(text))
    except BadInput:
        return False


def issue(session: Session, index: BlindIndex, person_ids: Iterable[int], *, at: datetime) -> list[tuple[int, str]]:
    """A new reference for each person, to be printed and then forgotten: (person, reference). Earlier ones stay good."""
    issued = [(person_id, new_reference()) for person_id in person_ids]
    rows = [{"person_id": one, "entry": index.index(KIND, reference), "issued_at": at} for one, reference in issued]
    if rows:
        session.execute(insert(PersonReference), rows)
    return issued


def revoke(session: Session, person_ids: Sequence[int], *, at: datetime) -> int:
    """From now on no reference of these persons finds them; returns how many were revoked."""
    revoked = 0
    for start in range(0, len(person_ids), BATCH):
        mine = PersonReference.person_id.in_(person_ids[start : start + BATCH])
        still_good = update(PersonReference).where(mine, PersonReference.revoked_at.is_(None)).values(revoked_at=at)
        revoked += len(session.execute(still_good.returning(PersonReference.id)).all())
    return revoked


def reissue(session: Session, index: BlindIndex, person_id: int, *, at: datetime) -> str:
    """Revoke what a person has and give a new one, for whoever's notice fell into other hands."""
    revoke(session, [person_id], at=at)
    [(_, reference)] = issue(session, index, [person_id], at=at)
    return reference


def person_with(session: Session, index: BlindIndex, reference: str) -> int | None:
    """Whose reference this is, for the desk; None for none, a mistyped and a revoked one alike."""
    try:
        entries = index.every(KIND, reference)
    except BadInput:
        return None
    good = select(PersonReference.person_id).where(PersonReference.entry.in_(entries), PersonReference.revoked_at.is_(None))
    return session.scalar(good)


def without_one(session: Session, *, after: int, limit: int) -> Sequence[Person]:
    """Persons with a higher number than `after` who have no good reference and may get a notice, in order."""
    has = exists().where(PersonReference.person_id == Person.id, PersonReference.revoked_at.is_(None))
    lacking = select(Person).where(Person.id > after, ~has, Person.deceased.is_(False), Person.protected.is_(False))
    return session.scalars(lacking.order_by(Person.id).limit(limit)).all()
