"""What is on file about the persons of a batch, and in what a row of the new file differs from it.

Compared are the opened values, not hashes of them: neither a new key nor a contact that the team has changed can then be mistaken
for a change of the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from bot.base.vault import BlindIndex, Vault
from bot.patients.models import CONTACT, NUMBERS, RECORD, ContactKind, ContactPoint, ContactSource, Person, Retirement
from bot.patients.roster import rows
from bot.patients.roster.contacts import Contact


@dataclass(frozen=True)
class Point:
    """A contact point on file, opened."""

    id: int
    kind: ContactKind
    value: str
    place: int
    safe: bool
    source: ContactSource
    retired_because: Retirement | None


@dataclass(frozen=True)
class OnFile:
    """A person on file, opened."""

    person: Row[Any]
    record: Mapping[str, Any]
    points: list[Point] = field(default_factory=list)

    @property
    def from_roster(self) -> list[Point]:
        """The contact points in use that came with a file, in its order."""
        used = [point for point in self.points if point.source is ContactSource.ROSTER and not point.retired_because]
        return sorted(used, key=lambda point: point.place)

    def settled(self, contact: Contact) -> bool:
        """Whether the team has decided about this address: a file does not bring back a number that was somebody else's."""
        return any(
            (point.kind, point.value) == (contact.kind, contact.value)
            and (point.source is ContactSource.DESK or point.retired_because not in (None, Retirement.ROSTER))
            for point in self.points
        )


def record_of(row: rows.Row) -> str:
    """The text under a person's seal."""
    record = {
        "key": row.key,
        "name": row.name,
        "name_zh": row.name_zh,
        "categories": list(row.categories),
        "guardian": row.guardian,
        "employer": row.employer,
        "household": row.household,
        **({"clinic": row.clinic} if row.clinic else {}),
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def look_up(connection: Connection, vault: Vault, entries: Mapping[str, int]) -> dict[int, OnFile]:
    """The persons on file under these key entries, by the number each entry stands for."""
    persons = connection.execute(select(*Person.__table__.c).where(Person.key_entry.in_(entries))).all()
    found = {entries[person.key_entry]: OnFile(person, _opened(vault, person.sealed_record)) for person in persons}
    by_id = {one.person.id: one for one in found.values()}
    if by_id:
        points = connection.execute(select(*ContactPoint.__table__.c).where(ContactPoint.person_id.in_(by_id)))
        for point in points:
            by_id[point.person_id].points.append(_point(vault, point))
    return found


def _opened(vault: Vault, sealed: str) -> Mapping[str, Any]:
    record: dict[str, Any] = json.loads(vault.open(sealed, RECORD))
    return record


def _point(vault: Vault, row: Row[Any]) -> Point:
    because = Retirement(row.retired_because) if row.retired_because else None
    value = vault.open(row.sealed_value, CONTACT)
    return Point(row.id, ContactKind(row.kind), value, row.place, row.safe, ContactSource(row.source), because)


def entries_of(index: BlindIndex, keys: Sequence[str]) -> dict[str, int]:
    """Every live key entry of each key, with the place of the key."""
    return {entry: place for place, key in enumerate(keys) for entry in index.every("key", key)}


_PARTS = {
    "name": ("name", "name_zh"),
    "categories": ("categories",),
    "guardian or employer": ("guardian", "employer"),
    "household": ("household",),
    "clinic": ("clinic",),
    "key": ("key",),
}
_CONTACT_KINDS = {"e-mail": {ContactKind.EMAIL}, "phone": NUMBERS, "address": {ContactKind.POST}}
_FLAGS = ("minor", "deceased", "staff", "protected")


def differences(row: rows.Row, key_entry: str, on_file: OnFile) -> list[str]:
    """The kinds of what a row changes, in no particular order; empty when nothing."""
    record, person = json.loads(record_of(row)), on_file.person
    kinds = [
        kind for kind, parts in _PARTS.items() if any(record.get(part, "") != on_file.record.get(part, "") for part in parts)
    ]
    if person.key_entry != key_entry and "key" not in kinds:
        kinds.append("index key")
    if person.language != row.language:
        kinds.append("language")
    if any(getattr(person, flag) != getattr(row, flag) for flag in _FLAGS) or person.not_by != ",".join(row.not_by):
        kinds.append("flags")
    if person.missing_since is not None:
        kinds.append("back again")
    new = [contact for contact in row.contacts if not on_file.settled(contact)]
    old = on_file.from_roster
    for kind, members in _CONTACT_KINDS.items():
        if [c.value for c in new if c.kind in members] != [p.value for p in old if p.kind in members]:
            kinds.append(kind)
    if {c.value for c in new if c.safe} != {p.value for p in old if p.safe}:
        kinds.append("safe contact")
    return kinds
