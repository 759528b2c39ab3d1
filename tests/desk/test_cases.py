"""Cases: one per thread, gathering reasons, never losing urgency."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.base.database import Database
from bot.base.lifecycle import move
from bot.conversations import threads
from bot.desk.cases import Opened, is_number, new_number, open_case, reasons_of, unresolved, unresolved_case
from bot.desk.hours.calendar import Calendar
from bot.desk.models import Case, CaseStatus
from bot.desk.reasons import REASONS, Reason, reason
from tests.make import FakeClock


def a_thread(database: Database, clock: FakeClock, address: str) -> int:
    with database.writing() as session:
        return threads.open_thread(session, channel="web", address_index=address, language="en", at=clock()).id


def opens(database: Database, clock: FakeClock, thread_id: int, code: str) -> Opened:
    with database.writing() as session:
        return open_case(session, thread_id=thread_id, reason=reason(code), turn_id=None, at=clock())


def due(why: Reason, at: datetime) -> datetime:
    return at + why.first_response if why.is_urgent else Calendar().add(at, why.first_response)


def test_fifty_openings_at_once_make_one_case(database: Database, clock: FakeClock) -> None:
    thread_id = a_thread(database, clock, "i.1.a")
    with ThreadPoolExecutor(10) as pool:
        opened = list(pool.map(lambda _: opens(database, clock, thread_id, "patient_wish"), range(50)))
    assert [one.is_new for one in opened].count(True) == 1
    assert len({one.case.number for one in opened}) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(codes=st.lists(st.sampled_from(sorted(REASONS)), min_size=1, max_size=6))
def test_a_case_is_as_urgent_as_its_most_urgent_reason(database: Database, clock: FakeClock, codes: list[str]) -> None:
    thread_id = a_thread(database, clock, f"i.1.{new_number()}")
    start = clock()
    for code in codes:
        opens(database, clock, thread_id, code)
        clock.advance(minutes=1)
    with database.reading() as session:
        case = unresolved_case(session, thread_id)
        assert case is not None
        assert case.priority == min(reason(code).priority for code in codes)
        assert reason(case.reason).priority == case.priority
        assert case.first_response_due_at == min(
            due(reason(code), start + timedelta(minutes=minute)) for minute, code in enumerate(codes)
        )
        assert reasons_of(session, case) == set(codes)


@pytest.mark.parametrize(("days", "same"), [(1, True), (7, True), (7.01, False), (30, False)])
def test_a_need_within_a_week_after_the_end_opens_the_same_case_again(
    database: Database, clock: FakeClock, days: float, same: bool
) -> None:
    thread_id = a_thread(database, clock, "i.1.a")
    first = opens(database, clock, thread_id, "patient_wish").case
    with database.writing() as session:
        case = session.get_one(Case, first.id)
        move(case, CaseStatus.RESOLVED)
        case.resolved_at = clock()
    clock.advance(days=days)
    second = opens(database, clock, thread_id, "distress")
    assert (second.case.number == first.number) is same
    assert second.is_new is not same
    assert second.reopened is same
    assert second.case.status == CaseStatus.OPEN
    assert (second.case.reason, second.case.waiting_since) == ("distress", clock())
    with database.reading() as session:
        assert reasons_of(session, second.case) == {"distress"}, "what was settled before is settled"


def test_the_queue_is_ordered_by_urgency_and_then_by_waiting(database: Database, clock: FakeClock) -> None:
    expected = {}
    for n, code in enumerate(["patient_wish", "self_harm", "distress", "extortion", "patient_wish"]):
        expected[opens(database, clock, a_thread(database, clock, f"i.1.{n}"), code).case.id] = (reason(code).priority, clock())
        clock.advance(minutes=1)
    with database.reading() as session:
        queue = [case.id for case in unresolved(session)]
    assert queue == sorted(expected, key=lambda case_id: expected[case_id])


def test_an_unknown_reason_is_a_plain_wish_for_a_person() -> None:
    assert reason("no such thing").code == "patient_wish"


def test_a_case_number_is_random_and_a_wrong_digit_is_noticed() -> None:
    numbers = {new_number() for _ in range(200)}
    assert len(numbers) == 200
    for number in numbers:
        assert is_number(number)
        place = 2
        wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        assert not is_number(wrong)


@pytest.mark.parametrize("text", ["", "1234", "1234-5678-", "abcd-efgh-i", "１２３４-5678-2", "1234-5678-99"])
def test_what_is_no_case_number_is_told(text: str) -> None:
    assert not is_number(text)
