"""Where a file waits between being judged and being applied: temporary tables of one connection.

They hold sealed values only, block nobody, and are gone when the connection is, however the process ends. What concerns several
rows at once (a key that is there twice, a guardian who is not) is asked of them here, so that no list of a whole
roster is kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, String, Table, Text

from bot.base.database import Key
from bot.patients.models import LinkKind, Person
from bot.patients.roster import headings
from bot.patients.roster.problems import Grade, Problem

_TABLES = MetaData()


def _staged(name: str, *columns: Column[Any]) -> Table:
    return Table(name, _TABLES, *columns, prefixes=["TEMPORARY"])


ROWS = _staged(
    "staged_rows",
    Column("row", Integer),
    Column("key_entry", String(80)),
    Column("person_id", Key),
    Column("minor", Boolean),
    Column("alike", String(32)),
    Column("shown", String(60)),
)
"""Every row of the file."""

PERSONS = _staged(
    "staged_persons",
    Column("key_entry", String(80)),
    Column("person_id", Key),
    Column("sealed_record", Text),
    Column("household_entry", String(80)),
    Column("language", String(8)),
    Column("minor", Boolean),
    Column("deceased", Boolean),
    Column("staff", Boolean),
    Column("protected", Boolean),
    Column("not_by", String(40)),
)
"""Those that are new or changed, sealed."""

CONTACTS = _staged(
    "staged_contacts",
    Column("key_entry", String(80)),
    Column("kind", String(10)),
    Column("entry", String(80)),
    Column("sealed_value", Text),
    Column("place", Integer),
    Column("safe", Boolean),
)
"""Contact points to add."""

REVISIONS = _staged(
    "staged_revisions",
    Column("key_entry", String(80)),
    Column("contact_id", Key),
    Column("place", Integer),
    Column("safe", Boolean),
    Column("retire", Boolean),
)
"""Contact points on file that change their place or are retired."""

TOKENS = _staged("staged_tokens", Column("key_entry", String(80)), Column("entry", String(80)))
LINKS = _staged(
    "staged_links",
    Column("row", Integer),
    Column("key_entry", String(80)),
    Column("kind", String(10)),
    Column("other_entry", String(80)),
    Column("shown", String(60)),
)
"""Guardians and employers of every row."""

TABLES = (ROWS, PERSONS, CONTACTS, REVISIONS, TOKENS, LINKS)
SQLITE_CACHE_KB = 16 * 1024
_COLUMN = {LinkKind.GUARDIAN: headings.Column.GUARDIAN, LinkKind.EMPLOYER: headings.Column.EMPLOYER}


class Staging:
    """The temporary tables of one open connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        if connection.dialect.name == "sqlite":
            driver: Any = connection.connection.dbapi_connection
            driver.execute(f"PRAGMA cache_size=-{SQLITE_CACHE_KB}")
        with connection.begin():
            _TABLES.create_all(connection, checkfirst=False)

    def add(self, rows: dict[Table, list[tuple[Any, ...]]]) -> None:
        """Store a batch."""
        with self.connection.begin():
            for table, values in rows.items():
                if values:
                    _bulk(self.connection, table, values)

    def settle(self) -> None:
        """Index what was stored, once all of it is there."""
        with self.connection.begin():
            for statement in (
                "CREATE INDEX staged_rows_by_key ON staged_rows (key_entry)",
                "CREATE INDEX staged_rows_by_person ON staged_rows (person_id)",
                *(f"CREATE INDEX {table.name}_by_key ON {table.name} (key_entry)" for table in TABLES if table is not ROWS),
            ):
                self.connection.exec_driver_sql(statement)
            if self.connection.dialect.name == "postgresql":
                for table in TABLES:
                    self.connection.exec_driver_sql(f"ANALYZE {table.name}")

    def conflicts(self) -> Iterator[Problem]:
        """What is wrong between rows."""
        with self.connection.begin():
            yield from self._same_key()
            yield from self._links()
            yield from self._alike()

    def _same_key(self) -> Iterator[Problem]:
        first = sa.select(ROWS.c.key_entry, sa.func.min(ROWS.c.row).label("first")).group_by(ROWS.c.key_entry)
        twice = first.having(sa.func.count() > 1).subquery()
        found = sa.select(ROWS.c.row, ROWS.c.shown, twice.c.first).join(twice, twice.c.key_entry == ROWS.c.key_entry)
        for row, shown, before in self.connection.execute(found.where(ROWS.c.row > twice.c.first).order_by(ROWS.c.row)):
            yield Problem(row, headings.Column.KEY, shown, f"the same patient key as in row {before}")

    def _links(self) -> Iterator[Problem]:
        other = ROWS.alias()
        known = sa.select(Person.id).where(Person.key_entry == LINKS.c.other_entry).exists()
        joined = LINKS.outerjoin(other, other.c.key_entry == LINKS.c.other_entry)
        columns = (LINKS.c.row, LINKS.c.kind, LINKS.c.shown)
        unknown = sa.select(*columns).select_from(joined).where(other.c.row.is_(None), ~known).order_by(LINKS.c.row)
        for row, kind, shown in self.connection.execute(unknown):
            yield Problem(row, _COLUMN[LinkKind(kind)], shown, "nobody with this key is in the file or on file")
        child = sa.select(*columns).distinct().select_from(joined).where(other.c.minor, LINKS.c.kind == LinkKind.GUARDIAN)
        for row, kind, shown in self.connection.execute(child.order_by(LINKS.c.row)):
            yield Problem(row, _COLUMN[LinkKind(kind)], shown, "the guardian is a minor")

    def _alike(self) -> Iterator[Problem]:
        first = sa.select(ROWS.c.alike, sa.func.min(ROWS.c.row).label("first")).where(ROWS.c.alike.is_not(None))
        twice = first.group_by(ROWS.c.alike).having(sa.func.count() > 1).subquery()
        found = sa.select(ROWS.c.row, twice.c.first).join(twice, twice.c.alike == ROWS.c.alike)
        for row, before in self.connection.execute(found.where(ROWS.c.row > twice.c.first).order_by(ROWS.c.row)):
            reason = f"the same names and contacts as row {before}: perhaps one person under two keys"
            yield Problem(row, headings.Column.KEY, "", reason, Grade.NOTICE)

    def count(self, table: Table, *where: Any) -> int:
        """How many rows are staged."""
        with self.connection.begin():
            return self.connection.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0


def _bulk(connection: Connection, table: Table, values: Sequence[tuple[Any, ...]]) -> None:
    names = ", ".join(column.name if column.name != "row" else '"row"' for column in table.columns)
    if connection.dialect.name == "postgresql":
        # COPY is several times faster than the same rows as INSERTs.
        driver: Any = connection.connection.dbapi_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
        return
    places = ", ".join("?" * len(table.columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({places})", list(values))  # noqa: S608 - names of ours
