"""What waits in the staging tables becomes the roster, piece by piece, with its entries in the sealed log.

A person goes in with contacts and names at once or not at all, but a file does not: as one transaction a hundred
thousand rows kept everybody else from writing for five seconds. An import is finished when its row says so; until then
it is told as unfinished wherever the roster is used as a whole, and the same file once more is a difference that adds what is
missing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.orm import Session

from bot.base import audit, leases
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.patients.models import ContactPoint, ContactSource, NameToken, Person, PersonLink, Retirement, RosterImport
from bot.patients.roster.imports import state_of
from bot.patients.roster.staging import CONTACTS, LINKS, PERSONS, REVISIONS, ROWS, TOKENS

BEGUN = "roster.begun"
IMPORTED = "roster.imported"
LEASE = "roster.import"
LEASE_S = 20.0
"""After so long without a piece, whoever was applying a file is believed to be gone."""
PIECE = 1000
"""Persons in one transaction: some tens of milliseconds."""
PIECE_OF_LINKS = 5000
_FIELDS = ("sealed_record", "household_entry", "language", "minor", "deceased", "staff", "protected", "not_by")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be applied, by whom, and on what state of the roster it was judged."""

    digest: str
    by: str
    at: datetime
    counts: Mapping[str, Any]
    judged_on: int  # the state of the roster when the file was judged (`imports.state_of`)


def missing_persons() -> sa.ColumnElement[bool]:
    """The condition that a person on file is in no row of the staged file."""
    return Person.missing_since.is_(None) & ~sa.select(ROWS.c.row).where(ROWS.c.person_id == Person.id).exists()


class Applying:
    """One file on its way in."""

    def __init__(self, connection: Connection, database: Database, order: Order, vault: Vault) -> None:
        self._connection, self._database, self._order, self._vault = connection, database, order, vault
        self._holder = secrets.token_hex(8)

    def run(self) -> int:
        """Apply what is staged and return the number of the import; raises BadInput when the roster has changed meanwhile."""
        connection = self._connection
        with connection.begin():
            persons, rows = list(_pieces(connection, PERSONS, PIECE)), list(_pieces(connection, ROWS, PIECE_OF_LINKS))
        connection.execution_options(candour_immediate=True)
        number = self._begin()
        for piece in persons:
            with self._piece(number):
                _persons(connection, number, piece)
                _contacts(connection, self._order.at, piece)
                _names(connection, piece)
        for piece in rows:  # once everybody is there
            with self._piece(number):
                _links(connection, piece)
        with self._piece(number) as session:
            session.execute(sa.update(RosterImport).where(RosterImport.id == number).values(unfinished=False))
            self._log(session, number, IMPORTED)
            leases.release(session, name=LEASE, holder=self._holder)
        return number

    def _begin(self) -> int:
        order = self._order
        with self._transaction(order.judged_on, "Another file was applied while this one was judged: check it again.") as session:
            row = RosterImport(digest=order.digest, by=order.by, at=order.at, counts=dict(order.counts), unfinished=True)
            session.add(row)
            session.flush()
            missing = missing_persons()  # before the new ones are there
            session.execute(sa.update(Person).where(missing).values(missing_since=order.at))
            self._log(session, row.id, BEGUN)
            return row.id

    @contextmanager
    def _piece(self, number: int) -> Iterator[Session]:
        with self._transaction(-number, "Another file was applied instead: this one stopped on its way.") as session:
            yield session

    @contextmanager
    def _transaction(self, state: int, otherwise: str) -> Iterator[Session]:
        self._database.give_way()
        with self._connection.begin(), Session(self._connection) as session:
            if not leases.take(session, name=LEASE, holder=self._holder, at=system_clock(), seconds=LEASE_S):
                raise BadInput("Another file is being applied, or stopped a moment ago: try again in a minute.")
            if state_of(self._connection) != state:
                raise BadInput(otherwise)
            yield session
            session.flush()

    def _log(self, session: Session, number: int, kind: str) -> None:
        order = self._order
        content = {"by": order.by, "digest": order.digest, **order.counts}
        subject = f"roster:{number}"
        # A name given to a command is nobody's account: the operator has written it.
        actor = order.by if order.by.startswith("staff:") else "operator"
        audit.record(session, at=order.at, actor=actor, kind=kind, subject=subject, content=content, vault=self._vault)


@dataclass(frozen=True)
class Piece:
    """A stretch of the staged rows, in the order of their keys' hashes: after one, up to another."""

    after: str
    upto: str | None

    def of(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """The condition that a row is in this stretch."""
        return column > self.after if self.upto is None else (column > self.after) & (column <= self.upto)


def _pieces(connection: Connection, table: Table, size: int) -> Iterator[Piece]:
    place = sa.func.row_number().over(order_by=table.c.key_entry).label("place")
    numbered = sa.select(table.c.key_entry, place).subquery()
    ends = sa.select(numbered.c.key_entry).where(numbered.c.place % size == 0).order_by(numbered.c.key_entry)
    after = ""
    for end in connection.scalars(ends).all():
        yield Piece(after, end)
        after = end
    yield Piece(after, None)


def _persons(connection: Connection, import_id: int, piece: Piece) -> None:
    fields = {name: PERSONS.c[name] for name in _FIELDS}
    changed = sa.update(Person).where(Person.id == PERSONS.c.person_id, piece.of(PERSONS.c.key_entry))
    connection.execute(changed.values(key_entry=PERSONS.c.key_entry, import_id=import_id, missing_since=None, **fields))
    # In the order of the index: a page of it is then written once.
    new = PERSONS.c.person_id.is_(None) & piece.of(PERSONS.c.key_entry)
    added = sa.select(PERSONS.c.key_entry, sa.literal(import_id), *fields.values()).where(new)
    names = ["key_entry", "import_id", *fields]
    connection.execute(sa.insert(Person.__table__).from_select(names, added.order_by(PERSONS.c.key_entry), False))  # type: ignore[arg-type]


def _contacts(connection: Connection, at: datetime, piece: Piece) -> None:
    live = (ContactPoint.id == REVISIONS.c.contact_id) & ContactPoint.retired_at.is_(None) & piece.of(REVISIONS.c.key_entry)
    retired = sa.update(ContactPoint).where(live, REVISIONS.c.retire)
    connection.execute(retired.values(retired_at=at, retired_because=Retirement.ROSTER))
    moved = sa.update(ContactPoint).where(live, ~REVISIONS.c.retire)
    connection.execute(moved.values(place=REVISIONS.c.place, safe=REVISIONS.c.safe))
    same = [CONTACTS.c[name] for name in ("kind", "entry", "sealed_value", "place", "safe")]
    added = (
        sa.select(Person.id, *same, sa.literal(ContactSource.ROSTER.value), sa.literal(at, ContactPoint.added_at.type))
        .join_from(CONTACTS, Person, Person.key_entry == CONTACTS.c.key_entry)
        .where(piece.of(CONTACTS.c.key_entry))
        .order_by(CONTACTS.c.entry)
    )
    names = ["person_id", *(column.name for column in same), "source", "added_at"]
    connection.execute(sa.insert(ContactPoint.__table__).from_select(names, added, False))  # type: ignore[arg-type]


def _names(connection: Connection, piece: Piece) -> None:
    changed = sa.select(PERSONS.c.person_id).where(PERSONS.c.person_id.is_not(None), piece.of(PERSONS.c.key_entry))
    connection.execute(sa.delete(NameToken).where(NameToken.person_id.in_(changed)))
    entries = (
        sa.select(TOKENS.c.entry, Person.id)
        .join_from(TOKENS, Person, Person.key_entry == TOKENS.c.key_entry)
        .where(piece.of(TOKENS.c.key_entry))
        .order_by(TOKENS.c.entry, Person.id)
    )
    connection.execute(sa.insert(NameToken.__table__).from_select(["entry", "person_id"], entries, False))  # type: ignore[arg-type]


def _links(connection: Connection, piece: Piece) -> None:
    """Links are made anew for every person in the file: the other end may be the one that changed."""
    other = sa.alias(Person.__table__)
    # By their keys, not by `person_id`: who was not on file yet may have come in and got links in a run that broke off.
    staged = sa.select(Person.id).join(ROWS, ROWS.c.key_entry == Person.key_entry).where(piece.of(ROWS.c.key_entry))
    connection.execute(sa.delete(PersonLink).where(PersonLink.person_id.in_(staged)))
    links = (
        sa.select(Person.id, LINKS.c.kind, other.c.id)
        .join_from(LINKS, Person, Person.key_entry == LINKS.c.key_entry)
        .join(other, other.c.key_entry == LINKS.c.other_entry)
        .where(piece.of(LINKS.c.key_entry))
    )
    connection.execute(sa.insert(PersonLink.__table__).from_select(["person_id", "kind", "other_id"], links, False))  # type: ignore[arg-type]
