"""Threads: numbering, repeats, sessions and the lease, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from bot.base.database import Database
from bot.conversations import threads
from bot.conversations.models import PatientSession, Thread, Turn
from tests.make import FakeClock


def a_thread(database: Database, clock: FakeClock, address: str = "i.1.abc") -> int:
    with database.writing() as session:
        return threads.open_thread(session, channel="web", address_index=address, language="en", at=clock()).id


def store(database: Database, clock: FakeClock, thread_id: int, external_id: str) -> tuple[Turn, bool]:
    with database.writing() as session:
        return threads.store_turn(session, thread_id, external_id=external_id, sealed_text="sealed", choice=None, at=clock())


def test_a_thread_is_found_under_any_of_its_indexes(database: Database, clock: FakeClock) -> None:
    thread_id = a_thread(database, clock, "old.1.abc")
    with database.reading() as session:
        found = threads.find_thread(session, ["new.1.xyz", "old.1.abc"])
        assert found is not None
        assert found.id == thread_id
        assert threads.find_thread(session, ["new.1.xyz"]) is None
        assert threads.find_thread(session, []) is None


def test_a_repeated_turn_is_stored_once_and_takes_no_number(database: Database, clock: FakeClock) -> None:
    thread_id = a_thread(database, clock)
    first, is_new = store(database, clock, thread_id, "one")
    again, is_new_again = store(database, clock, thread_id, "one")
    second, _ = store(database, clock, thread_id, "two")
    assert (is_new, is_new_again) == (True, False)
    assert (first.number, again.number, second.number) == (1, 1, 2)


def test_twenty_deliveries_at_once_store_one_turn(database: Database, clock: FakeClock) -> None:
    thread_id = a_thread(database, clock)
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda _: store(database, clock, thread_id, "same")[1], range(20)))
    assert outcomes.count(True) == 1
    with database.reading() as session:
        assert session.get_one(Thread, thread_id).last_number == 1


def test_numbers_given_out_at_once_have_no_gap_and_no_double(database: Database, clock: FakeClock) -> None:
    thread_id = a_thread(database, clock)
    with ThreadPoolExecutor(12) as pool:
        numbers = list(pool.map(lambda n: store(database, clock, thread_id, f"turn-{n}")[0].number, range(24)))
    assert sorted(numbers) == list(range(1, 25))


def test_half_an_hour_of_silence_ends_the_session_and_keeps_the_thread(database: Database, clock: FakeClock) -> None:
    thread_id = a_thread(database, clock)
    first, _ = store(database, clock, thread_id, "one")
    clock.advance(minutes=29)
    second, _ = store(database, clock, thread_id, "two")
    clock.advance(minutes=31)
    third, _ = store(database, clock, thread_id, "three")
    assert first.session_id == second.session_id != third.session_id
    with database.reading() as session:
        keys = {session.get_one(PatientSession, turn.session_id).engine_key for turn in (first, third)}
        assert len(keys) == 2


def test_only_one_of_many_may_answer_a_thread(database: Database, clock: FakeClock) -> None:
    thread_id = a_thread(database, clock)

    def take(_: int) -> str | None:
        with database.writing() as session:
            return threads.take_lease(session, thread_id, clock())

    with ThreadPoolExecutor(16) as pool:
        tokens = [token for token in pool.map(take, range(32)) if token]
    assert len(tokens) == 1


def test_a_lease_that_ran_out_may_be_taken_and_the_former_holder_notices(database: Database, clock: FakeClock) -> None:
    thread_id = a_thread(database, clock)
    with database.writing() as session:
        first = threads.take_lease(session, thread_id, clock())
    assert first
    clock.advance(seconds=threads.LEASE.total_seconds())
    with database.writing() as session:
        second = threads.take_lease(session, thread_id, clock())
        assert second
        assert not threads.renew_lease(session, thread_id, first, clock())
        assert threads.renew_lease(session, thread_id, second, clock())
        threads.drop_lease(session, thread_id, first)  # not its own any more: nothing happens
        assert session.get_one(Thread, thread_id).lease_token == second


def test_waiting_threads_are_those_left_behind_and_not_being_answered(database: Database, clock: FakeClock) -> None:
    left, held, fresh = (a_thread(database, clock, f"i.1.{name}") for name in ("left", "held", "fresh"))
    store(database, clock, left, "one")
    store(database, clock, held, "one")
    with database.writing() as session:
        threads.take_lease(session, held, clock())
    clock.advance(seconds=5)
    store(database, clock, fresh, "one")
    with database.reading() as session:
        waiting = threads.waiting_threads(session, older_than=clock() - timedelta(seconds=3), at=clock(), limit=10)
    assert waiting == [left]


def test_who_waits_longest_comes_first(database: Database, clock: FakeClock) -> None:
    later, earlier = (a_thread(database, clock, f"i.1.{name}") for name in ("later", "earlier"))
    store(database, clock, earlier, "one")
    clock.advance(seconds=1)
    store(database, clock, later, "one")
    store(database, clock, earlier, "two")
    with database.reading() as session:
        assert threads.waiting_threads(session, older_than=clock(), at=clock(), limit=10) == [earlier, later]
