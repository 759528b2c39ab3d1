"""The numbers on file at which a patient may be called: shown for one case, with a reason, and in the log.

A number that a patient types is never called: whoever answers there may be anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.desk.models import LIVE, Case
from bot.desk.persons.contacts import reasoned
from bot.desk.records import CasePerson
from bot.desk.staff.may import require
from bot.desk.staff.roles import Permission
from bot.desk.trail import log
from bot.patients.finding import address_of, sharing, usable_contacts
from bot.patients.models import ContactKind, Person

KINDS = (ContactKind.MOBILE, ContactKind.LANDLINE, ContactKind.PHONE)


@dataclass(frozen=True, repr=False)
class Number:
    """A number on file, opened."""

    kind: str
    value: str
    safe: bool  # one at which a protected person may be reached
    shared: bool  # others on file have it too: it does not tell who answers


def numbers_to_call(
    session: Session, vault: Vault, case_id: int, person_id: int, *, reason: str, by: int, at: datetime
) -> Sequence[Number]:
    """The numbers of a person whom a live case concerns, best first.

    Raises BadInput without a reason or the role, for a case that has ended or does not concern them, and for a person
    who has died or who is protected and has no safe number.
    """
    require(session, by, Permission.REVEAL)
    require(session, by, Permission.WORK_CASES)
    said = reasoned(reason)
    case, person = session.get_one(Case, case_id), session.get(Person, person_id)
    if person is None or session.get(CasePerson, (case_id, person_id)) is None or case.status not in LIVE:
        raise BadInput("This case does not concern that person, or it has ended.")
    points = [] if person.deceased else usable_contacts(session, person_id)
    found = [point for point in points if point.kind in KINDS and (point.safe or not person.protected)]
    if not found:
        raise BadInput("There is no number at which this person may be called: write to them, or ask the privacy officer.")
    log(session, vault, case, "numbers_shown", staff_id=by, at=at, person=person_id, reason=said)
    return [Number(one.kind, address_of(one, vault), one.safe, sharing(session, one) > 1) for one in found]
