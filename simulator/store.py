"""The simulator's memory: one SQLite file, kept in the data folder or thrown away at the end.

Used from the event loop's thread only. Every API call is one transaction, so a killed simulator has either accepted or not.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS texts ( n INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, channel TEXT NOT NULL,
  direction TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, error
  INTEGER, segments INTEGER NOT NULL, service TEXT, callback TEXT, price TEXT, media TEXT NOT NULL DEFAULT '[]', extra TEXT
  NOT NULL DEFAULT '{}', created REAL NOT NULL, updated REAL NOT NULL, sent REAL, patient TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS texts_patient ON texts (patient, channel, n);
CREATE INDEX IF NOT EXISTS texts_recipient ON texts (recipient, n);
CREATE TABLE IF NOT EXISTS requests (id TEXT PRIMARY KEY, body TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS mails ( n INTEGER PRIMARY KEY AUTOINCREMENT, request TEXT NOT NULL, position INTEGER NOT NULL,
  patient TEXT NOT NULL, address TEXT NOT NULL, direction TEXT NOT NULL, meta TEXT NOT NULL, subject TEXT NOT NULL, status
  TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL);
CREATE INDEX IF NOT EXISTS mails_patient ON mails (patient, n);
CREATE INDEX IF NOT EXISTS mails_request ON mails (request, patient);
CREATE TABLE IF NOT EXISTS deliveries ( n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, channel TEXT NOT NULL, id TEXT
  NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, tags TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_recipient ON deliveries (recipient, n);
CREATE TABLE IF NOT EXISTS steps (n INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, kind TEXT NOT NULL, subject TEXT NOT
  NULL, detail TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS steps_due ON steps (due, n);
CREATE TABLE IF NOT EXISTS posts ( n INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, first REAL NOT NULL, attempt
  INTEGER NOT NULL, kind TEXT NOT NULL, url TEXT NOT NULL, payload TEXT NOT NULL, token TEXT NOT NULL, subject TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS posts_due ON posts (due, n);
CREATE TABLE IF NOT EXISTS events (n INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_due ON events (due, n);
CREATE TABLE IF NOT EXISTS calls ( n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, url TEXT NOT
  NULL, subject TEXT NOT NULL, attempt INTEGER NOT NULL, status INTEGER, problem TEXT NOT NULL, took_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS suppressions (list TEXT NOT NULL, email TEXT NOT NULL, created INTEGER NOT NULL, detail TEXT NOT
  NULL, PRIMARY KEY (list, email));
CREATE INDEX IF NOT EXISTS suppressions_email ON suppressions (email);
CREATE TABLE IF NOT EXISTS groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, is_default INTEGER
  NOT NULL);
CREATE TABLE IF NOT EXISTS batches (id TEXT PRIMARY KEY, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS optouts (scope TEXT NOT NULL, recipient TEXT NOT NULL, PRIMARY KEY (scope, recipient));
CREATE TABLE IF NOT EXISTS windows (sender TEXT NOT NULL, recipient TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (sender,
  recipient));
CREATE TABLE IF NOT EXISTS lines (sender TEXT PRIMARY KEY, free REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sticky (service TEXT NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL, PRIMARY KEY (service,
  recipient));
CREATE TABLE IF NOT EXISTS contents (sid TEXT PRIMARY KEY, content TEXT NOT NULL, created REAL NOT NULL);
"""
TABLES = (
    "texts",
    "requests",
    "mails",
    "deliveries",
    "steps",
    "posts",
    "events",
    "calls",
    "suppressions",
    "groups",
    "batches",
    "optouts",
    "windows",
    "lines",
    "sticky",
    "contents",
)
GROWING = ("texts", "mails", "deliveries")
CALLS_KEPT = 5_000
PRUNE_EVERY = 5_000


class Store:
    """The open file."""

    def __init__(self, folder: Path | None, keep: int) -> None:
        self._away = None if folder else tempfile.TemporaryDirectory(prefix="simulator-")
        place = folder or Path(self._away.name if self._away else ".")
        place.mkdir(parents=True, exist_ok=True)
        # `check_same_thread` off: the file is opened before the loop starts, and closed after it; never used by two at once.
        self.db = sqlite3.connect(place / "simulator.sqlite3", isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing; only a machine without power would.
        self.db.execute("PRAGMA synchronous=OFF" if self._away else "PRAGMA synchronous=NORMAL")
        self.db.executescript(SCHEMA)
        self._keep = keep
        self._written = 0

    def close(self) -> None:
        """Close the file, and throw it away unless it lies in a data folder."""
        self.db.close()
        if self._away:
            self._away.cleanup()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction it is part of that one."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Change rows; returns how many."""
        return self.db.execute(statement, values).rowcount

    def insert(self, table: str, row: dict[str, Any]) -> int:
        """Add one row; returns its number."""
        return self.db.execute(_insert(table, row), list(row.values())).lastrowid or 0

    def insert_all(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows of one shape."""
        rows = list(rows)
        if rows:
            self.db.executemany(_insert(table, rows[0]), [list(row.values()) for row in rows])

    def one(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row, or none."""
        found: sqlite3.Row | None = self.db.execute(statement, values).fetchone()
        return found

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows."""
        return self.db.execute(statement, values).fetchall()

    def count(self, table: str) -> int:
        """How many rows a table of ours has."""
        row = self.one(f"SELECT count(*) AS number FROM {table}")  # noqa: S608 - names of our own tables
        return int(row["number"]) if row else 0

    def kept(self, name: str) -> Any:
        """A value kept under a name, or none."""
        row = self.one("SELECT value FROM meta WHERE name = ?", [name])
        return json.loads(row["value"]) if row else None

    def keep(self, name: str, value: Any) -> None:
        """Keep a value under a name."""
        self.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", [name, json.dumps(value)])

    def reset(self) -> None:
        """Empty every table but the kept values; numbers go on, so that readers of the logs notice nothing twice."""
        with self.transaction():
            for table in TABLES:
                self.run(f"DELETE FROM {table}")  # noqa: S608

    def prune(self, written: int = 1) -> None:
        """Now and then cut off the oldest rows beyond what is to be kept."""
        self._written += written
        if self._written < PRUNE_EVERY:
            return
        self._written = 0
        with self.transaction():
            for table, most in [*((name, self._keep) for name in GROWING), ("calls", CALLS_KEPT)]:
                self.run(f"DELETE FROM {table} WHERE n <= (SELECT max(n) FROM {table}) - ?", [most])  # noqa: S608
            self.run(
                "DELETE FROM requests WHERE created < coalesce((SELECT min(created) FROM mails), 0) - 1"
                " AND id NOT IN (SELECT request FROM mails)"
            )


def _insert(table: str, row: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608 - our own names
