"""Leases: one holder at a time, and a dead holder's work is taken over."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.base import leases
from bot.base.database import Database
from bot.base.schema import REPOSITORY
from tests.make import START, FakeClock


def take(database: Database, holder: str, at: datetime, name: str = "sealer") -> bool:
    """Ask for ten seconds in a transaction of its own."""
    with database.writing() as session:
        return leases.take(session, name=name, holder=holder, at=at, seconds=10)


def release(database: Database, holder: str) -> None:
    """Give it back in a transaction of its own."""
    with database.writing() as session:
        leases.release(session, name="sealer", holder=holder)


def test_the_first_gets_it_and_the_second_does_not(database: Database, clock: FakeClock) -> None:
    assert take(database, "a", clock())
    assert not take(database, "b", clock())
    assert take(database, "b", clock(), name="sweeper")


def test_the_holder_renews_it(database: Database, clock: FakeClock) -> None:
    assert take(database, "a", clock())
    assert take(database, "a", clock.advance(seconds=8))
    assert not take(database, "b", clock.advance(seconds=8))


def test_a_dead_holder_is_followed_by_another_at_the_end_of_its_time(database: Database, clock: FakeClock) -> None:
    assert take(database, "a", clock())
    assert not take(database, "b", clock.advance(seconds=9.999))
    assert take(database, "b", clock.advance(seconds=0.001))
    assert not take(database, "a", clock())


def test_what_was_given_back_is_free_at_once(database: Database, clock: FakeClock) -> None:
    assert take(database, "a", clock())
    release(database, "a")
    assert take(database, "b", clock())


def test_nobody_gives_back_what_another_holds(database: Database, clock: FakeClock) -> None:
    assert take(database, "a", clock())
    release(database, "b")
    assert not take(database, "b", clock())


def test_what_was_taken_in_a_failed_transaction_was_not_taken(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        take_and_fail(database)
    assert take(database, "b", START)


def take_and_fail(database: Database) -> None:
    """Take it, then break."""
    with database.writing() as session:
        assert leases.take(session, name="sealer", holder="a", at=START, seconds=10)
        raise ZeroDivisionError


COMPETITOR = """
import sys, time
from datetime import UTC, datetime, timedelta
from bot.base import leases
from bot.base.database import Database
database, holder = Database(sys.argv[1]), sys.argv[2]
start = datetime(2023, 5, 9, tzinfo=UTC)
print("ready", flush=True)
sys.stdin.readline()
for round in range(60):  # every round is a lease that has just run out
    with database.writing() as session:
        if leases.take(session, name="sealer", holder=f"{holder}-{round}", at=start + timedelta(seconds=10 * round), seconds=10):
            print(round, flush=True)
"""


def test_of_two_processes_that_ask_at_once_exactly_one_gets_each_round(database: Database, database_url: str) -> None:
    command = [sys.executable, "-c", COMPETITOR, database_url]
    processes = [
        subprocess.Popen([*command, name], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    won = [[int(line) for line in process.communicate("go\n")[0].split()] for process in processes]
    # A process that is ahead may take a round before the other asks; nobody takes one that was taken.
    assert len(won[0] + won[1]) == len({*won[0], *won[1]})
    assert 59 in {*won[0], *won[1]}


steps = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "release"]), st.integers(0, 15)), max_size=25)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_whatever_happens_the_lease_has_the_holder_a_simple_model_says(
    steps: list[tuple[str, str, int]], sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    with database.writing() as session:
        session.query(leases.Lease).delete()
    now, holder, until = START, "", START
    for who, what, seconds in steps:
        now += timedelta(seconds=seconds)
        if what == "release":
            release(database, who)
            holder = "" if holder == who else holder
            continue
        free = holder in ("", who) or until <= now
        assert take(database, who, now) is free
        if free:
            holder, until = who, now + timedelta(seconds=10)
    database.close()
