"""The database's doors: writers queue, readers are not blocked, nothing personal is in an error."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, StatementError

from bot.base.clock import HONG_KONG
from bot.base.database import Database, trouble, writing_now
from bot.base.errors import Misconfigured
from bot.conversations.models import Owner, Thread
from tests.make import START

NUMBER = "+852 5123 4567"


def thread(address_index: str = "x", created_at: datetime = START) -> Thread:
    """A thread that has just begun."""
    return Thread(channel="web", address_index=address_index, language="en", created_at=created_at)


def count(database: Database) -> int:
    """How many threads there are."""
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Thread)) or 0


def test_writers_lose_no_update(database: Database) -> None:
    with database.writing() as session:
        session.add(thread())

    def add_one() -> None:
        for _ in range(10):
            with database.writing() as session:
                row = session.scalars(sa.select(Thread).with_for_update()).one()
                row.last_number += 1

    writers = [threading.Thread(target=add_one) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with database.reading() as session:
        assert session.scalars(sa.select(Thread.last_number)).one() == 80


def test_a_second_sqlite_writer_waits_at_the_door_until_the_first_is_done(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    order: list[str] = []
    inside = threading.Event()

    def first() -> None:
        with database.writing() as session:
            session.execute(sa.select(Thread))  # only a look: the lock is taken all the same
            inside.set()
            time.sleep(0.2)
            order.append("first")

    def second() -> None:
        inside.wait()
        with database.writing() as session:
            session.execute(sa.select(Thread))
            order.append("second")

    writers = [threading.Thread(target=work) for work in (first, second)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert order == ["first", "second"]
    database.close()


def test_a_reader_is_not_blocked_by_a_writer_and_sees_only_what_is_committed(database: Database) -> None:
    with database.writing() as session:
        session.add(thread())
        session.flush()
        began = time.monotonic()
        assert count(database) == 0
        assert time.monotonic() - began < 1
    assert count(database) == 1


def test_a_failed_block_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_after_writing(database)
    assert count(database) == 0


def fail_after_writing(database: Database) -> None:
    """Write, then break."""
    with database.writing() as session:
        session.add(thread())
        session.flush()
        raise ZeroDivisionError


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError), database.reading() as session:
        session.execute(
            sa.insert(Thread).values(channel="web", address_index="x", language="en", last_number=0, created_at=START)
        )
    with database.writing() as session:  # the connection comes back fit for writing
        session.add(thread())
    assert count(database) == 1


def test_rows_can_be_used_after_the_block(database: Database) -> None:
    with database.writing() as session:
        session.add(thread("kept"))
    with database.reading() as session:
        row = session.scalars(sa.select(Thread)).one()
    assert (row.address_index, row.owner, row.created_at) == ("kept", Owner.BOT, START)


def failing_insert(database: Database, row: Thread) -> str:
    """The text of the error, with its causes."""
    with pytest.raises(DBAPIError) as caught, database.writing() as session:
        session.add(row)
    error: BaseException | None = caught.value
    texts = []
    while error is not None:
        texts.append(f"{error} {error!r}")
        error = error.__cause__ or error.__context__
    return " ".join(texts)


def test_no_value_of_a_repeated_row_is_in_the_error(database: Database, logged: Callable[[], str]) -> None:
    with database.writing() as session:
        session.add(thread(NUMBER))
    assert NUMBER not in failing_insert(database, thread(NUMBER)) + logged()


def test_no_value_of_a_refused_row_is_in_the_error(database: Database, logged: Callable[[], str]) -> None:
    row = thread(NUMBER)
    row.owner = "nobody"
    assert NUMBER not in failing_insert(database, row) + logged()


def test_no_value_of_the_wrong_type_is_in_the_error(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(DBAPIError) as caught, database.reading() as session:
        session.execute(sa.text("SELECT CAST(:value AS integer)"), {"value": NUMBER})
    assert NUMBER not in str(caught.value) + repr(caught.value.orig)
    database.close()


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"), database.writing() as session:
        session.add(thread(created_at=datetime(2023, 5, 9)))


@pytest.mark.parametrize("zone", [UTC, HONG_KONG, timezone(timedelta(hours=-11))])
def test_a_moment_comes_back_aware_and_in_utc(database: Database, zone: timezone) -> None:
    moment = datetime(2023, 5, 9, 9, 30, 0, 123456, tzinfo=zone)
    with database.writing() as session:
        session.add(thread(created_at=moment))
    with database.reading() as session:
        found = session.scalars(sa.select(Thread.created_at)).one()
    assert found == moment
    assert found.utcoffset() == timedelta(0)


def test_whoever_asks_knows_whether_a_write_transaction_is_open(database: Database) -> None:
    assert not writing_now()
    with database.writing():
        assert writing_now()
        elsewhere: list[bool] = []
        other = threading.Thread(target=lambda: elsewhere.append(writing_now()))
        other.start()
        other.join()
        assert elsewhere == [False]
    assert not writing_now()
    with database.reading():
        assert not writing_now()


def test_a_write_in_a_pool_thread_does_not_look_open_to_the_loop(database: Database) -> None:
    async def ask() -> bool:
        def work() -> None:
            with database.writing() as session:
                session.execute(sa.select(1))

        await asyncio.to_thread(work)
        return writing_now()

    assert asyncio.run(ask()) is False


def test_one_write_transaction_inside_another_is_refused(database: Database) -> None:
    with database.writing(), pytest.raises(RuntimeError, match="already open"), database.writing():
        pass
    assert not writing_now()


def test_sqlite_is_set_up_for_patients_data(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.reading() as session:
        pragmas = {name: session.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")}
        timeout = session.scalar(sa.text("PRAGMA busy_timeout"))
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert timeout == 5000
    database.close()


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(DBAPIError), database.writing() as session:
        session.execute(
            sa.text(
                "INSERT INTO sessions (thread_id, engine_key, engine_turns, misses, started_at, active_at)"
                " VALUES (99, 'k', 0, 0, '2023-05-09', '2023-05-09')"
            )
        )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////no/such/folder/candour.sqlite3", "/no/such/folder"),
        ("sqlite://", "must name a file"),
        ("mysql://somebody:secret-word@host/x", "sqlite:/// or postgresql://"),
        ("secret-word", "not a database address"),
    ],
)
def test_a_wrong_address_is_said_in_words_and_not_repeated(url: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        Database(url)
    assert "secret-word" not in str(caught.value)


def test_a_plain_postgresql_address_finds_its_driver() -> None:
    database = Database("postgresql://candour@localhost/candour")
    assert database.engine.dialect.driver == "psycopg"
    database.close()


def test_a_status_is_stored_as_its_value(database: Database) -> None:
    row = thread()
    row.owner = Owner.STAFF
    with database.writing() as session:
        session.add(row)
    with database.reading() as session:
        assert session.scalars(sa.text("SELECT owner FROM threads")).one() == "staff"


def test_a_full_pool_of_readers_does_not_stop_a_writer(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    readers = [database.reading() for _ in range(12)]
    for reader in readers:
        reader.__enter__().execute(sa.select(Thread))
    with database.writing() as session:
        session.add(thread())
    for reader in readers:
        reader.__exit__(None, None, None)
    assert count(database) == 1
    database.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("database is locked", "another process has kept it for too long; try again"),
        ("database or disk is full", "the disk is full"),
        ("attempt to write a readonly database", "its file or folder may only be read"),
        ("database disk image is malformed", "its file is damaged; bring a copy back"),
        ('FATAL:  password authentication failed for user "x"', "it refuses the name or password in CANDOUR_DATABASE_URL"),
        ("a value of a row: +852 5123 4567", "it failed (OperationalError)"),
    ],
)
def test_trouble_with_the_database_is_said_in_our_words(said: str, words: str) -> None:
    assert trouble(sa.exc.OperationalError("SELECT", {}, Exception(said))) == words
