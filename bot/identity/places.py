"""Where a code may go: found by the same four statements, whether or not anybody is on file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.vault import Vault
from bot.identity.models import Way
from bot.patients import references
from bot.patients.finding import address_of
from bot.patients.models import ContactKind, ContactPoint, LinkKind, Person, PersonLink, PersonReference
from bot.patients.models import Way as Reached

KINDS = {Way.MOBILE: frozenset({ContactKind.MOBILE, ContactKind.PHONE}), Way.EMAIL: frozenset({ContactKind.EMAIL})}
RULED_OUT = {Way.MOBILE: Reached.SMS, Way.EMAIL: Reached.EMAIL}
MOST = 20
"""Persons looked at who share one contact."""
NOBODY = (0,)


@dataclass(frozen=True)
class Place:
    """A contact point that may be written to, and the person whom a code to it proves; none when several share it."""

    point: ContactPoint
    person_id: int | None


@dataclass(frozen=True)
class File:
    """The persons that what was typed may mean, each with the contact points by which they may be reached."""

    persons: Sequence[Person] = ()
    points: Mapping[int, Sequence[ContactPoint]] = field(default_factory=dict)

    def reachable(self, way: Way) -> Iterator[tuple[Person, ContactPoint]]:
        """Every person with each contact point of this way, best first."""
        for person in self.persons:
            for point in self.points.get(person.id, ()):
                if point.kind in KINDS[way]:
                    yield person, point


def file_of(session: Session, subject: Sequence[str], kind: str) -> File:
    """What is on file under these entries; four statements, and nobody when it is not known."""
    return _file(session, _persons(session, subject, kind))


def file_or_decoy(session: Session, subject: Sequence[str], kind: str) -> tuple[File, bool]:
    """What is on file, or of somebody else where nobody is, and whether it is the right one: as many rows are read for nobody."""
    ids = _persons(session, subject, kind)
    reached = select(ContactPoint.person_id).where(ContactPoint.kind == ContactKind.MOBILE.value)
    decoy = session.scalars(reached.order_by(ContactPoint.id).limit(1)).all()
    return _file(session, ids or decoy), bool(ids)


def file_of_person(session: Session, person_id: int) -> File:
    """What is on file of one person."""
    return _file(session, [person_id])


def _file(session: Session, ids: Sequence[int]) -> File:
    persons = session.scalars(select(Person).where(Person.id.in_(ids or NOBODY)).order_by(Person.id)).all()
    links = session.execute(
        select(PersonLink.person_id, PersonLink.other_id, Person)
        .join(Person, Person.id == PersonLink.other_id)
        .where(PersonLink.person_id.in_(ids or NOBODY), PersonLink.kind == LinkKind.GUARDIAN.value)
        .order_by(PersonLink.other_id)
    ).all()
    guardians: dict[int, list[Person]] = {}
    for person_id, _, guardian in links:
        guardians.setdefault(person_id, []).append(guardian)
    owners = {person.id: guardians.get(person.id, []) if person.minor else [person] for person in persons}
    everybody = {owner.id for each in owners.values() for owner in each} or NOBODY
    used = select(ContactPoint).where(ContactPoint.person_id.in_(everybody), ContactPoint.retired_at.is_(None))
    points = session.scalars(used.order_by(ContactPoint.place, ContactPoint.id)).all()
    allowed = {
        person.id: [point for owner in owners[person.id] for point in _allowed(owner, points)]
        for person in persons
        if not (person.deceased or person.protected)
    }
    return File([person for person in persons if allowed.get(person.id)], allowed)


def _persons(session: Session, subject: Sequence[str], kind: str) -> Sequence[int]:
    if kind == references.KIND:
        found = select(PersonReference.person_id).where(PersonReference.entry.in_(subject), PersonReference.revoked_at.is_(None))
    else:
        found = (
            select(ContactPoint.person_id)
            .where(ContactPoint.entry.in_(subject), ContactPoint.retired_at.is_(None))
            .distinct()
            .order_by(ContactPoint.person_id)
        )
    return session.scalars(found.limit(MOST)).all()


def _allowed(owner: Person, points: Sequence[ContactPoint]) -> list[ContactPoint]:
    """The contact points of one person by which that person may be written to: where some are safe, these alone."""
    if owner.deceased or owner.protected:
        return []
    mine = [point for point in points if point.person_id == owner.id]
    ruled_out = {kind for way, reached in RULED_OUT.items() if reached in owner.not_by.split(",") for kind in KINDS[way]}
    return [point for point in ([point for point in mine if point.safe] or mine) if point.kind not in ruled_out]


def place_of(found: File, subject: Sequence[str], kind: str, way: Way, vault: Vault, countries: frozenset[str]) -> Place | None:
    """Where the code goes: for a reference the person's first contact; for a typed contact that one, or the only other."""
    reachable = [(person, point) for person, point in found.reachable(way) if _may_go(point, vault, countries)]
    if not reachable:
        return None
    if kind != references.KIND:
        typed = [(person, point) for person, point in reachable if point.entry in subject]
        reachable = typed or reachable
        if not typed and len({point.entry for _, point in reachable}) > 1 and len(found.persons) > 1:
            return None  # each of those who share what was typed has another one
    persons = {person.id for person, _ in reachable}
    return Place(reachable[0][1], persons.pop() if len(persons) == 1 and len(found.persons) == 1 else None)


def holders(found: File, entry: str) -> list[int]:
    """The persons among these who may be reached at this contact."""
    return [person.id for person in found.persons if any(point.entry == entry for point in found.points[person.id])]


def _may_go(point: ContactPoint, vault: Vault, countries: frozenset[str]) -> bool:
    if point.kind == ContactKind.EMAIL:
        return True
    number = address_of(point, vault).removeprefix("+")
    return any(number.startswith(country) for country in countries)
