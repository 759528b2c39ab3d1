"""What waits in the staging tables becomes the roster, in one transaction, with its entry in the sealed log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.patients.models import ContactPoint, ContactSource, NameToken, Person, PersonLink, Retirement, RosterImport
from bot.patients.roster.staging import CONTACTS, LINKS, PERSONS, REVISIONS, ROWS, TOKENS

IMPORTED = "roster.imported"
_FIELDS = ("sealed_record", "household_entry", "language", "minor", "deceased", "staff", "protected", "not_by")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be applied, by whom, and on what state of the roster it was judged."""

    digest: str
    by: str
    at: datetime
    counts: Mapping[str, Any]
    judged_on: int  # the last import when the file was judged


def last_import(connection: Connection) -> int:
    """The number of the last import, 0 before the first."""
    return connection.scalar(sa.select(sa.func.max(RosterImport.id))) or 0


def missing_persons() -> sa.ColumnElement[bool]:
    """The condition that a person on file is in no row of the staged file."""
    return Person.missing_since.is_(None) & ~sa.select(ROWS.c.row).where(ROWS.c.person_id == Person.id).exists()


def apply(connection: Connection, order: Order, vault: Vault) -> int:
    """Apply what is staged and return the number of the import; raises BadInput when the roster has changed meanwhile.

    All or nothing: a process that is killed half way leaves the roster as it was.
    """
    connection.execution_options(candour_immediate=True)
    with connection.begin(), Session(connection) as session:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT set_config('statement_timeout', '10min', true)"))
            connection.execute(sa.text("LOCK TABLE roster_imports IN EXCLUSIVE MODE"))
        if last_import(connection) != order.judged_on:
            raise BadInput("Another file was applied while this one was judged: check it again.")
        row = RosterImport(digest=order.digest, by=order.by, at=order.at, counts=dict(order.counts))
        session.add(row)
        session.flush()
        missing = missing_persons()  # before the new ones are there
        connection.execute(sa.update(Person).where(missing).values(missing_since=order.at))
        _persons(connection, row.id)
        _contacts(connection, order.at)
        _names(connection)
        _links(connection)
        audit.record(
            session,
            at=order.at,
            actor="operator",
            kind=IMPORTED,
            subject=f"roster:{row.id}",
            content={"by": order.by, "digest": order.digest, **order.counts},
            vault=vault,
        )
        session.flush()
        return row.id


def _persons(connection: Connection, import_id: int) -> None:
    fields = {name: PERSONS.c[name] for name in _FIELDS}
    changed = sa.update(Person).where(Person.id == PERSONS.c.person_id)
    connection.execute(changed.values(key_entry=PERSONS.c.key_entry, import_id=import_id, missing_since=None, **fields))
    # In the order of the index: a page of it is then written once.
    added = sa.select(PERSONS.c.key_entry, sa.literal(import_id), *fields.values()).where(PERSONS.c.person_id.is_(None))
    names = ["key_entry", "import_id", *fields]
    connection.execute(sa.insert(Person.__table__).from_select(names, added.order_by(PERSONS.c.key_entry), False))  # type: ignore[arg-type]


def _contacts(connection: Connection, at: datetime) -> None:
    live = (ContactPoint.id == REVISIONS.c.contact_id) & ContactPoint.retired_at.is_(None)
    retired = sa.update(ContactPoint).where(live, REVISIONS.c.retire)
    connection.execute(retired.values(retired_at=at, retired_because=Retirement.ROSTER))
    moved = sa.update(ContactPoint).where(live, ~REVISIONS.c.retire)
    connection.execute(moved.values(place=REVISIONS.c.place, safe=REVISIONS.c.safe))
    same = [CONTACTS.c[name] for name in ("kind", "entry", "sealed_value", "place", "safe")]
    added = (
        sa.select(Person.id, *same, sa.literal(ContactSource.ROSTER.value), sa.literal(at, ContactPoint.added_at.type))
        .join_from(CONTACTS, Person, Person.key_entry == CONTACTS.c.key_entry)
        .order_by(CONTACTS.c.entry)
    )
    names = ["person_id", *(column.name for column in same), "source", "added_at"]
    connection.execute(sa.insert(ContactPoint.__table__).from_select(names, added, False))  # type: ignore[arg-type]


def _names(connection: Connection) -> None:
    changed = sa.select(PERSONS.c.person_id).where(PERSONS.c.person_id.is_not(None))
    connection.execute(sa.delete(NameToken).where(NameToken.person_id.in_(changed)))
    entries = (
        sa.select(TOKENS.c.entry, Person.id)
        .join_from(TOKENS, Person, Person.key_entry == TOKENS.c.key_entry)
        .order_by(TOKENS.c.entry, Person.id)
    )
    connection.execute(sa.insert(NameToken.__table__).from_select(["entry", "person_id"], entries, False))  # type: ignore[arg-type]


def _links(connection: Connection) -> None:
    """Links are made anew for every person in the file: the other end may be the one that changed."""
    other = sa.alias(Person.__table__)
    staged = sa.select(ROWS.c.person_id).where(ROWS.c.person_id.is_not(None))
    connection.execute(sa.delete(PersonLink).where(PersonLink.person_id.in_(staged)))
    links = (
        sa.select(Person.id, LINKS.c.kind, other.c.id)
        .join_from(LINKS, Person, Person.key_entry == LINKS.c.key_entry)
        .join(other, other.c.key_entry == LINKS.c.other_entry)
    )
    connection.execute(sa.insert(PersonLink.__table__).from_select(["person_id", "kind", "other_id"], links, False))  # type: ignore[arg-type]
