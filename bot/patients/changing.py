"""A contact point is added or replaced by the team: never out of a chat, never by one person alone.

The old contact stays known as retired, so that no later roster revives it, and is given back to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.vault import BlindIndex, Vault
from bot.patients.models import CONTACT, ContactPoint, ContactSource, Person, Retirement
from bot.patients.roster.batches import INDEX_KINDS
from bot.patients.roster.contacts import Contact, emails, phones


@dataclass(frozen=True)
class Deciders:
    """The two people of the team by whom a contact is changed."""

    asked_by: str
    approved_by: str


@dataclass(frozen=True)
class Changed:
    """The new contact point, and those in use before, of which one may be told."""

    new: ContactPoint
    to_tell: tuple[ContactPoint, ...]


def change_contact(
    session: Session,
    vault: Vault,
    index: BlindIndex,
    person_id: int,
    value: str,
    deciders: Deciders,
    at: datetime,
    *,
    replaces: int | None = None,
) -> Changed:
    """Give a person a contact point, in place of the one with the number `replaces` if there is one.

    Raises BadInput for one person in both parts, for what is no address, one on file already, and another's contact point.
    """
    if not deciders.asked_by.strip() or deciders.asked_by.casefold().strip() == deciders.approved_by.casefold().strip():
        raise BadInput("A contact is changed by two people.")
    if session.get(Person, person_id) is None:
        raise BadInput("There is no such person.")
    in_use = _in_use(session, person_id)
    old = next((point for point in in_use if point.id == replaces), None)
    if replaces is not None and old is None:
        raise BadInput("That contact point is not in use for this person.")
    contact = _one(value)
    entries = index.every(INDEX_KINDS[contact.kind], contact.value)
    if any(point.entry in entries for point in in_use):
        raise BadInput("This address is on file for this person already.")
    if old is not None:
        old.retired_at, old.retired_because = at, Retirement.REPLACED.value
    place = old.place if old else max((point.place for point in in_use), default=-1) + 1
    new = _point(vault, index, person_id, contact, place, at)
    new.safe = old.safe if old else False
    session.add(new)
    session.flush()
    content = {"person": person_id, "new": new.id, "old": replaces, "asked_by": deciders.asked_by}
    subject, actor = f"person:{person_id}", deciders.approved_by
    audit.record(session, at=at, actor=actor, kind="contact.changed", subject=subject, content=content, vault=vault)
    return Changed(new, tuple(in_use))


def readable(value: str) -> None:
    """Raise BadInput unless a text is one e-mail address or telephone number."""
    _one(value)


def _in_use(session: Session, person_id: int) -> Sequence[ContactPoint]:
    mine = select(ContactPoint).where(ContactPoint.person_id == person_id, ContactPoint.retired_at.is_(None))
    return session.scalars(mine.order_by(ContactPoint.place, ContactPoint.id)).all()


def _point(vault: Vault, index: BlindIndex, person_id: int, contact: Contact, place: int, at: datetime) -> ContactPoint:
    return ContactPoint(
        person_id=person_id,
        kind=contact.kind.value,
        entry=index.index(INDEX_KINDS[contact.kind], contact.value),
        sealed_value=vault.seal(contact.value, CONTACT),
        place=place,
        source=ContactSource.DESK.value,
        added_at=at,
    )


def _one(value: str) -> Contact:
    found = list(emails(value) if "@" in value else phones(value))
    if len(found) != 1 or not isinstance(found[0], Contact):
        raise BadInput("That is not one e-mail address or telephone number.")
    return found[0]
