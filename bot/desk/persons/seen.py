"""What the page of a person shows besides who they are, and how much of anybody is shown before a reason opens more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.vault import Vault
from bot.desk.persons.models import ContactNote, NoteStatus
from bot.patients.disclosure import PersonHold, has_stopped
from bot.patients.finding import address_of, usable_contacts
from bot.patients.models import ContactKind, ContactPoint

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, repr=False)
class Contact:
    """A contact point in use, its value as far as it may be seen."""

    id: int
    kind: str
    shown: str
    safe: bool


@dataclass(frozen=True, repr=False)
class Sheet:
    """What stands in the way of telling a person anything, and what was sent about changes."""

    holds: Sequence[PersonHold]
    has_stopped: bool
    notes: Sequence[ContactNote]
    contacts: Sequence[Contact]


def sheet(session: Session, vault: Vault, person_id: int) -> Sheet:
    """The rest of a person's page; who looks at it has given a reason, so that contacts stand in full."""
    still = select(PersonHold).where(PersonHold.person_id == person_id, PersonHold.lifted_at.is_(None)).order_by(PersonHold.id)
    noted = select(ContactNote).where(ContactNote.person_id == person_id).order_by(ContactNote.id.desc()).limit(20)
    contacts = [Contact(one.id, one.kind, address_of(one, vault), one.safe) for one in usable_contacts(session, person_id)]
    return Sheet(session.scalars(still).all(), has_stopped(session, person_id), session.scalars(noted).all(), contacts)


def masked_contacts(session: Session, vault: Vault, person_id: int) -> list[Contact]:
    """How a person may be reached, by the ends of it."""
    points = usable_contacts(session, person_id)
    return [Contact(one.id, one.kind, masked_address(one, vault), one.safe) for one in points]


def on_hold(session: Session, persons: Sequence[int]) -> set[int]:
    """Which of these persons the team alone answers about."""
    still = select(PersonHold.person_id).where(PersonHold.person_id.in_(persons), PersonHold.lifted_at.is_(None))
    return set(session.scalars(still))


def untold(session: Session, since: datetime, limit: int = 50) -> Sequence[ContactNote]:
    """Notes about a changed contact that did not surely arrive, newest first: somebody tells these people another way."""
    lost = (NoteStatus.FAILED.value, NoteStatus.UNKNOWN.value)
    rows = select(ContactNote).where(ContactNote.status.in_(lost), ContactNote.made_at >= since)
    return session.scalars(rows.order_by(ContactNote.id.desc()).limit(limit)).all()


def masked_name(name: str) -> str:
    """A name by the first letter of each word, a Chinese one by its first character."""
    return _WORD.sub(lambda word: word[0][0] + "•" * min(3, max(1, len(word[0]) - 1)), name)


def masked_address(point: ContactPoint, vault: Vault) -> str:
    """A contact by its ends: enough to compare with what a caller says, too little to use."""
    value = address_of(point, vault)
    if point.kind == ContactKind.EMAIL:
        name, _, domain = value.partition("@")
        return f"{name[:1]}•••@{domain[:1]}•••{domain[domain.rfind('.') :]}"
    if point.kind == ContactKind.POST:
        return "•••"
    return f"•••{value[-3:]}"
