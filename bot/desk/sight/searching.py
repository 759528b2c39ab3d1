"""Looking up who is on file, for staff: by reference, telephone number, e-mail address or name, and with a reason.

Every search is counted against a limit and put into the sealed log with its reason and what was found, by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.vault import BlindIndex, Vault
from bot.desk.models import Case
from bot.desk.records import CasePerson
from bot.desk.staff import throttle
from bot.patients import finding
from bot.patients.models import ContactPoint, Person, PersonReference

LEAST_REASON = 8
MOST_REASON = 300


class By(StrEnum):
    """What is known of whom one looks for."""

    REFERENCE = "reference"  # printed on the notice
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"


@dataclass(frozen=True, repr=False)
class Hit:
    """A person on file as a search shows them."""

    person: Person
    particulars: finding.Particulars


def search(
    session: Session,
    vault: Vault,
    index: BlindIndex,
    *,
    by: By,
    value: str,
    reason: str,
    staff_id: int,
    at: datetime,
    case_id: int | None = None,
) -> list[Hit]:
    """The persons found; raises BadInput without a reason, TooMany when searched too often.

    Nothing found is logged and counted like anything found.
    """
    if not LEAST_REASON <= len(reason.strip()) <= MOST_REASON:
        raise BadInput(f"Say why you look for this person, in {LEAST_REASON} to {MOST_REASON} characters.")
    entry = f"staff:{staff_id}"
    throttle.check(session, throttle.SEARCH, entry, at)
    throttle.count(session, throttle.SEARCH, entry, at)
    found = _found(session, index, by, value)
    content = {"by": by.value, "reason": reason.strip(), "found": [person.id for person in found], "case": case_id}
    audit.record(session, at=at, actor=entry, kind="patient.searched", subject="desk", content=content, vault=vault)
    return [Hit(person, finding.particulars(person, vault)) for person in found]


def opened(
    session: Session, vault: Vault, person_id: int, *, reason: str, staff_id: int, at: datetime
) -> tuple[Hit, Sequence[ContactPoint], Sequence[Case]]:
    """One person's page: who they are, how they may be reached, their cases; logged like a search."""
    if not LEAST_REASON <= len(reason.strip()) <= MOST_REASON:
        raise BadInput(f"Say why you look at this person, in {LEAST_REASON} to {MOST_REASON} characters.")
    entry = f"staff:{staff_id}"
    throttle.check(session, throttle.SEARCH, entry, at)
    throttle.count(session, throttle.SEARCH, entry, at)
    person = session.get_one(Person, person_id)
    content = {"reason": reason.strip()}
    subject = f"person:{person_id}"
    audit.record(session, at=at, actor=entry, kind="patient.opened", subject=subject, content=content, vault=vault)
    cases = select(Case).join(CasePerson, CasePerson.case_id == Case.id).where(CasePerson.person_id == person_id)
    hit = Hit(person, finding.particulars(person, vault))
    return hit, finding.usable_contacts(session, person_id), session.scalars(cases.order_by(Case.id.desc())).all()


def _found(session: Session, index: BlindIndex, by: By, value: str) -> list[Person]:
    if by is By.NAME:
        return list(finding.persons_named(session, index, value))
    if by is By.REFERENCE:
        return _with_reference(session, index, value)
    kind = finding.Found.PHONE if by is By.PHONE else finding.Found.EMAIL
    ids = {point.person_id for point in finding.contacts_at(session, index, kind, value)}
    return list(session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id).limit(finding.MOST_FOUND)))


def _with_reference(session: Session, index: BlindIndex, value: str) -> list[Person]:
    try:
        entries = index.every("reference", value)
    except BadInput:
        return []
    issued = select(PersonReference.person_id).where(PersonReference.entry.in_(entries), PersonReference.revoked_at.is_(None))
    return list(session.scalars(select(Person).where(Person.id.in_(issued))))
