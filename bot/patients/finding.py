"""Finding persons by what they or the team say, and reading what is sealed about them.

A look-up asks under every live key, so that nobody is lost while keys are turned. That something is found is itself health
information: whoever asks here for a stranger must do and say the same when nothing is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.vault import BlindIndex, Vault
from bot.patients.models import CONTACT, RECORD, Category, ContactPoint, LinkKind, NameToken, Person, PersonLink

MOST_FOUND = 50
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_HAN = re.compile(r"[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


class Found(StrEnum):
    """By which index a contact is looked for."""

    EMAIL = "email"
    PHONE = "phone"
    POST = "post"


@dataclass(frozen=True, repr=False)
class Particulars:
    """What is sealed about a person."""

    key: str
    name: str
    name_zh: str
    categories: tuple[Category, ...]
    clinic: str = ""  # where the roster says which


def particulars(person: Person, vault: Vault) -> Particulars:
    """Open a person's record; raises Tampered when it does not match its seal."""
    record = json.loads(vault.open(person.sealed_record, RECORD))
    kinds = tuple(map(Category, record["categories"]))
    return Particulars(record["key"], record["name"], record["name_zh"], kinds, record.get("clinic", ""))


def address_of(point: ContactPoint, vault: Vault) -> str:
    """Open a contact point's value."""
    return vault.open(point.sealed_value, CONTACT)


def contacts_at(session: Session, index: BlindIndex, found: Found, value: str) -> Sequence[ContactPoint]:
    """The contact points in use with this address, of however many persons; none for what is no address."""
    try:
        entries = index.every(found, value)
    except BadInput:
        return []
    used = select(ContactPoint).where(ContactPoint.entry.in_(entries), ContactPoint.retired_at.is_(None))
    return session.scalars(used.order_by(ContactPoint.person_id)).all()


def person_with_key(session: Session, index: BlindIndex, key: str) -> Person | None:
    """The person with the clinic's key."""
    return session.scalar(select(Person).where(Person.key_entry.in_(index.every("key", key))))


def persons_named(session: Session, index: BlindIndex, name: str) -> Sequence[Person]:
    """The persons who have every word of this name, a Chinese name as a whole; at most `MOST_FOUND`, none without a word."""
    words = {word for word in _BETWEEN_WORDS.split(_HAN.sub(" ", name).casefold()) if word} | set(_HAN.findall(name))
    if not words:
        return []
    wanted = select(Person)
    for word in sorted(words):
        has = select(NameToken.person_id).where(NameToken.entry.in_(index.every("name", word)))
        wanted = wanted.where(Person.id.in_(has))
    return session.scalars(wanted.order_by(Person.id).limit(MOST_FOUND)).all()


def usable_contacts(session: Session, person_id: int) -> Sequence[ContactPoint]:
    """The contact points by which a person may be reached, best first: where some are safe, these alone."""
    mine = select(ContactPoint).where(ContactPoint.person_id == person_id, ContactPoint.retired_at.is_(None))
    points = session.scalars(mine.order_by(ContactPoint.place, ContactPoint.id)).all()
    return [point for point in points if point.safe] or points


def sharing(session: Session, point: ContactPoint) -> int:
    """How many persons have this address on file: with more than one it does not tell who answers."""
    same = select(func.count(ContactPoint.person_id.distinct()))
    return session.scalar(same.where(ContactPoint.entry == point.entry, ContactPoint.retired_at.is_(None))) or 0


def wards_of(session: Session, guardian_id: int) -> Sequence[Person]:
    """The persons for whom this one is the guardian on file."""
    links = select(PersonLink.person_id).where(PersonLink.other_id == guardian_id, PersonLink.kind == LinkKind.GUARDIAN)
    return session.scalars(select(Person).where(Person.id.in_(links)).order_by(Person.id)).all()


def household_of(session: Session, person: Person) -> Sequence[Person]:
    """Who lives with this person, the person left out; none when that is not known."""
    if person.household_entry is None:
        return []
    same = select(Person).where(Person.household_entry == person.household_entry, Person.id != person.id)
    return session.scalars(same.order_by(Person.id)).all()
