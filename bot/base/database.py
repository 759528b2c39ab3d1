"""One database, two doors: `writing` and `reading`.

SQLite runs in WAL mode with `synchronous=FULL`; a writer begins with BEGIN IMMEDIATE, so that two
writers queue at the door and not at the commit. PostgreSQL uses its defaults (read committed), and
rows that must not be raced are locked by the functions that need it. A reader cannot write, on
either. No write transaction may be open while a provider or the engine is called: `writing_now`
lets the callers and a test check it. No value of a row may reach an exception's text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    Engine,
    ExceptionContext,
    Integer,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as Busy
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from bot.base.courtesy import Courtesy
from bot.base.errors import Misconfigured

BUSY_TIMEOUT_S = 5.0
"""How long a writer waits for another one before it fails: SQLite's busy timeout, PostgreSQL's lock timeout."""

STATEMENT_TIMEOUT_S = 30
"""How long PostgreSQL works on one statement of the application; migrations set their own limit."""

_writing: ContextVar[int] = ContextVar("candour_writing", default=0)


Key = BigInteger().with_variant(Integer, "sqlite")
"""The type of primary keys: SQLite numbers rows by itself only for INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime kept in UTC; a naive one is refused before it is stored."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: in UTC; SQLite keeps it without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: aware again."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Root of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime}


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """The CHECK that a column holds a member of the enum; a test compares it with the migrations."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def writing_now() -> bool:
    """Whether the present task or thread holds a write transaction."""
    return _writing.get() > 0


class Database:
    """An open database; made once per process from its address."""

    def __init__(self, url: str) -> None:
        self.engine = _open(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        reader = self.engine.execution_options(**({"candour_reader": True} if self.is_sqlite else {"postgresql_readonly": True}))
        self._readers = sessionmaker(reader, expire_on_commit=False)
        self._writers = sessionmaker(self.engine.execution_options(candour_immediate=True), expire_on_commit=False)
        # SQLite has one writer and makes the others sleep and ask again, so that some wait for seconds:
        # the threads of one process queue up here, where the next one is woken.
        self._queue = Lock() if self.is_sqlite else None
        self._courtesy = Courtesy(Path(self.engine.url.database or "")) if self.is_sqlite else None
        self.gives_way = False
        """Whether this process lets others write first; set by the worker, which nobody waits for."""

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed at the end, or all undone when the block raises.

        One inside another would wait for itself on SQLite: that is refused with RuntimeError.
        """
        if writing_now():
            raise RuntimeError("a write transaction is already open here; pass its session on")
        with self._place(), self._writers() as session:
            token = _writing.set(_writing.get() + 1)
            try:
                with session.begin():
                    yield session
            finally:
                _writing.reset(token)

    def give_way(self) -> None:
        """Let the doors that want to write now go first, for a moment; for long work on a connection of its own."""
        if self._courtesy:
            self._courtesy.give_way()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._queue is None or self._courtesy is None:
            yield
            return
        if not self._queue.acquire(timeout=BUSY_TIMEOUT_S):
            raise Busy("Other threads of this process kept the database for too long.")
        try:
            if self.gives_way:
                self._courtesy.give_way()
                yield
            else:
                with self._courtesy.wanting():
                    yield
        finally:
            self._queue.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking only; the database refuses a write in it. Rows may be used after it."""
        # Closing ends the transaction; a rollback would also make every row forget what it holds.
        with self._readers() as session:
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if self._courtesy:
            self._courtesy.close()


_TROUBLES = (
    ("database is locked", "another process has kept it for too long; try again"),
    ("disk is full", "the disk is full"),
    ("disk i/o error", "the disk is full, or does not work"),
    ("readonly", "its file or folder may only be read"),
    ("unable to open", "its file cannot be opened"),
    ("malformed", "its file is damaged; bring a copy back"),
    ("not a database", "its file is no database"),
    ("no such table", "its tables are not there yet; `./candour up` makes them"),
    ("authentication failed", "it refuses the name or password in CANDOUR_DATABASE_URL"),
    ("connection", "it does not answer; see that PostgreSQL runs and that CANDOUR_DATABASE_URL is right"),
)


def trouble(error: SQLAlchemyError) -> str:
    """What is wrong with the database, in words for an operator; nothing of the error's own text, which may quote a row."""
    text = str(getattr(error, "orig", None) or "").lower()
    return next((words for sign, words in _TROUBLES if sign in text), f"it failed ({type(error).__name__})")


def _open(address: str) -> Engine:
    url = _checked(address)
    # Parameters hold personal data: hide_parameters keeps them out of every exception text.
    if url.get_backend_name() == "sqlite":
        arguments: dict[str, Any] = {"timeout": BUSY_TIMEOUT_S, "cached_statements": 64}
        # The last one back goes out first: each that is used keeps a megabyte or two of pages and prepared statements.
        pool: dict[str, Any] = {"pool_size": 10, "max_overflow": 30, "pool_use_lifo": True}
        engine = create_engine(url, **pool, hide_parameters=True, connect_args=arguments)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    limits = {
        "lock_timeout": int(BUSY_TIMEOUT_S * 1000),
        "statement_timeout": STATEMENT_TIMEOUT_S * 1000,
        "idle_in_transaction_session_timeout": STATEMENT_TIMEOUT_S * 1000,
    }
    arguments = {"connect_timeout": 5, "options": " ".join(f"-c {name}={value}" for name, value in limits.items())}
    engine = create_engine(url, pool_size=10, max_overflow=30, pool_pre_ping=True, hide_parameters=True, connect_args=arguments)
    event.listen(engine, "handle_error", _hide_values)
    return engine


def _checked(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise Misconfigured("CANDOUR_DATABASE_URL is not a database address.") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise Misconfigured("CANDOUR_DATABASE_URL must begin with sqlite:/// or postgresql://.")
    if not url.database or url.database == ":memory:":
        raise Misconfigured("CANDOUR_DATABASE_URL must name a file: a database in memory would lose every turn.")
    folder = Path(url.database).parent
    if not folder.is_dir():
        raise Misconfigured(f"The folder {folder} of the database does not exist; make it or mend CANDOUR_DATABASE_URL.")
    return url


def _hide_values(context: ExceptionContext) -> None:
    # PostgreSQL adds "DETAIL: Failing row contains (…)", and names the value in data errors (class 22).
    original = context.original_exception
    state = getattr(original, "sqlstate", None)
    if not original.args or state is None:
        return
    text = str(original.args[0]).splitlines()[0] if not state.startswith("22") else f"a value does not fit its column ({state})"
    original.args = (text,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(original).__name__}) {text}",)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling begins too late (at the first write); BEGIN is ours.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-512"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA query_only={int(options.get('candour_reader', False))}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("candour_immediate", False) else "BEGIN")
