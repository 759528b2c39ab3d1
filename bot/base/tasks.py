"""The doorbell: Huey tells the worker to look; the rows of the database are what it looks at.

A ring carries a kind (`turns`) and nothing else. Whoever rings never waits and never fails: a
thread of its own carries the ring to Huey's store, and as long as the store is away the ring is
kept and tried again. Whatever gets lost is found by the worker's sweeper. So the store may be
deleted, emptied or spoilt at any moment, also while processes have it open: they notice and begin
a new one.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bot.base.settings import Settings

# Huey imports PostgreSQL's driver whether or not it is used: 11 MB in every process of a machine that has SQLite.
_driver = sys.modules.get("psycopg")
sys.modules["psycopg"] = None  # type: ignore[assignment]
try:
    from huey import Huey, PostgresHuey, SqliteHuey, storage
    from huey.registry import Message
    from huey.serializer import Serializer
    from huey.storage import PostgresStorage, SqliteStorage
finally:
    del sys.modules["psycopg"]
    if _driver is not None:
        sys.modules["psycopg"] = _driver

log = logging.getLogger(__name__)

ONE_AT_A_TIME = 0x0CA4D1  # advisory lock: CREATE TABLE IF NOT EXISTS fails when two do it at once
TRY_AGAIN_S = 0.25
POLL_S = 0.1
"""How often a listener looks into a SQLite store; PostgreSQL wakes its listener itself."""
ENOUGH = 64
"""Rings waiting in the store; with so many a listener is certain to look, and a store nobody empties must not grow."""


class _Json(Serializer):  # type: ignore[misc]
    # Huey's default is pickle: who can write to the store could run code in the worker.
    def _serialize(self, data: Message) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(bytes(data)))


class _SqliteStore(SqliteStorage):  # type: ignore[misc]
    """A store that begins anew when its file was deleted, replaced or spoilt."""

    _conn: sqlite3.Connection | None
    _file: tuple[int, int] | None = None

    @property
    def conn(self) -> sqlite3.Connection:
        """The open connection, made anew when the file is another one than it was opened on."""
        if self._conn is not None and self._file != _identity(self.filename):
            self._conn.close()
            self._conn = None
        connection: sqlite3.Connection = super().conn
        return connection

    def _create_connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = super()._create_connection()
        try:
            for statement in self.ddl:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        self._file = _identity(self.filename)
        return connection

    @contextlib.contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[sqlite3.Cursor]:
        """A cursor as Huey's storage gives it; after any trouble the next one begins on a new connection."""
        try:
            with super().db(commit=commit, close=close) as cursor:
                yield cursor
        except Exception as problem:
            self.close()
            if type(problem) is sqlite3.DatabaseError:  # "not a database", "malformed": nothing in it is worth keeping
                Path(self.filename).unlink(missing_ok=True)
            raise


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _PostgresStore(PostgresStorage):  # type: ignore[misc]
    """A store that makes its tables when it connects, so that a server that is away at the start does no harm."""

    def _create_connection(self) -> Any:
        connection = super()._create_connection()
        try:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (ONE_AT_A_TIME,))
                for statement in self.ddl:
                    connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection


def make_huey(settings: Settings) -> Huey:
    """Huey over its own SQLite file in `home`, or over PostgreSQL when `huey_url` is set; connects when first needed."""
    common: dict[str, Any] = {"name": "candour", "results": False, "serializer": _Json(), "create_tables": False}
    if settings.huey_url:
        storage.psycopg = importlib.import_module("psycopg")
        limits = "-c statement_timeout=2000 -c lock_timeout=1000"
        address = settings.huey_url.replace("postgresql+psycopg:", "postgresql:", 1)
        return PostgresHuey(storage_class=_PostgresStore, dsn=address, connect_timeout=2, options=limits, **common)
    # Not WAL: its side files would outlive a deleted store. No fsync: a lost ring is found by the sweeper.
    store = str(settings.home / "huey.sqlite3")
    return SqliteHuey(storage_class=_SqliteStore, filename=store, journal_mode="truncate", fsync=False, timeout=1, **common)


class Doorbell:
    """Rings for the worker, and hears the rings as the worker."""

    def __init__(self, huey: Huey) -> None:
        self._huey = huey
        self._look = huey.task(name="look")(lambda kind: None)
        self._waiting: set[str] = set()
        self._carried: set[str] = set()  # on their way to the store just now
        self._changed = threading.Condition()
        self._closed = False
        self._carrier: threading.Thread | None = None

    def ring(self, kind: str) -> None:
        """Tell the worker to look for work of this kind; returns at once, never raises, counts once until it is carried."""
        with self._changed:
            self._waiting.add(kind)
            if self._carrier is None and not self._closed:
                self._carrier = threading.Thread(target=self._carry, name="doorbell", daemon=True)
                self._carrier.start()
            self._changed.notify_all()

    def flush(self, timeout_s: float = 2.0) -> bool:
        """Wait until what was rung lies in the store; False when the time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._carried), timeout_s)

    def close(self, timeout_s: float = 2.0) -> None:
        """Carry what is left, if it can be done in time, and let go of the store."""
        self.flush(timeout_s if self._carrier else 0)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._carrier:
            self._carrier.join(timeout_s)
        self._huey.storage.close()

    def _carry(self) -> None:
        troubled = False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                # Taken out before they are carried: a ring that comes in meanwhile may tell of a newer row.
                self._carried, self._waiting = self._waiting, set()
            try:
                self._enqueue(sorted(self._carried))
            except Exception as problem:  # any driver's error, the disk's, Huey's: the ring is kept and tried again
                if not troubled:
                    log.warning("the doorbell's store cannot be reached (%s); the sweeper goes on", type(problem).__name__)
                troubled = True
                with self._changed:
                    self._waiting |= self._carried
                    self._carried = set()
                    self._changed.wait_for(lambda: self._closed, TRY_AGAIN_S)
                continue
            troubled = False
            with self._changed:
                self._carried = set()
                self._changed.notify_all()

    def _enqueue(self, kinds: list[str]) -> None:
        if self._huey.storage.queue_size() < ENOUGH:
            for kind in kinds:
                self._huey.enqueue(self._look.s(kind))

    def heard(self) -> set[str]:
        """The kinds that were rung since the last call, taken out of the store; raises what the store raises."""
        kinds: set[str] = set()
        for _ in range(ENOUGH):
            task = self._huey.dequeue()
            if task is None:
                break
            kinds.add(str(task.args[0]))
            if not self._huey.storage.queue_size():
                break  # PostgreSQL would wait for a second here
        return kinds

    def listen(self, stop: threading.Event, look: Callable[[str], object]) -> None:
        """Call `look(kind)` for what is rung, until `stop` is set; a store in trouble is logged and asked again."""
        try:
            self._listen(stop, look)
        finally:
            self._huey.storage.close()  # PostgreSQL's LISTEN connection belongs to this thread

    def _listen(self, stop: threading.Event, look: Callable[[str], object]) -> None:
        troubled = False
        while not stop.is_set():
            try:
                kinds = self.heard()
                troubled = False
            except Exception as problem:  # as above: the rows are the truth, listening must go on
                if not troubled:
                    log.warning("the doorbell cannot be heard (%s); the sweeper goes on", type(problem).__name__)
                troubled = True
                stop.wait(TRY_AGAIN_S)
                continue
            for kind in sorted(kinds):
                look(kind)
            if not kinds:
                stop.wait(POLL_S)
