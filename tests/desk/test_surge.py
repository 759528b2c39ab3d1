"""Surge: shorter ways, calls at set times, the delay said aloud, and a word to whoever leads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.conversations.engine import Deed, Understanding
from bot.conversations.reading.safety import Lexicon
from bot.desk.alarm import paging
from bot.desk.hours import switches
from bot.desk.hours.calendar import Calendar
from bot.desk.models import Case, Outcome
from bot.desk.records import CallBooking, CaseReminder, Page, PageAbout, Switch
from bot.desk.staff.roles import Role
from bot.desk.surge import slots, suggesting
from bot.desk.work import claims, ending
from tests.desk.conftest import Desk, desk_content
from tests.people import FakeEngine, Patient, make_inbox, publish, understood

TEXTS = ("call_times", "call_booked", "call_taken", "call_cancelled", "call_reminder", "busy_now", "expected_wait")
LEXICON = Lexicon.load(REPOSITORY / "data" / "safety.yml")


def content() -> dict[str, Any]:
    """The desk's content with what is said in a surge."""
    made = desk_content()
    for name in TEXTS:
        ask = {"call_booked": " {{ call_time }}", "call_reminder": " {{ call_time }}", "expected_wait": " {{ wait_low }}"}
        texts = {one.value: {"text": f"<{name}{ask.get(name, '')}>"} for one in Language}
        label = {one.value: f"{name} button" for one in Language} if name == slots.CANCEL else {}
        made["wordings"][name] = {"level": "public", "label": label, "next": [], "texts": texts}
    return made


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A desk in surge with one person on duty."""
    publish(desk.database, content(), desk.clock())
    desk.library = type(desk.library)()
    desk.colleague()
    switch(desk, on=True)
    return desk


def switch(desk: Desk, *, on: bool) -> None:
    with desk.database.writing() as session:
        (switches.turn_on if on else switches.turn_off)(session, desk.vault, Switch.SURGE, by="operator", at=desk.clock())


def asks_for_person(text: str) -> Understanding:
    """What the engine makes of these patients' words."""
    return understood("speak_human", do=(Deed("hand_over", {"reason": "patient_wish"}),))


def patient(desk: Desk) -> Patient:
    """Somebody who writes in the browser."""
    inbox = make_inbox(desk.database, desk.vault, desk.clock, FakeEngine(asks_for_person), LEXICON)
    return Patient(desk.database, desk.vault, inbox, desk.clock)


def booking(desk: Desk) -> list[CallBooking]:
    with desk.database.reading() as session:
        return list(session.query(CallBooking).order_by(CallBooking.id))


def buttons(someone: Patient) -> list[str]:
    return list(someone.choices())


def press(someone: Patient, label: str) -> str:
    return "".join(someone.presses(someone.choices()[label]))


def test_whoever_asks_for_a_person_books_a_call_with_buttons_and_can_give_it_up(busy: Desk) -> None:
    someone = patient(busy)
    said = "".join(someone.says("I want a person"))
    assert "<busy_now>" in said
    assert buttons(someone)[0] == "call_back button en"
    assert press(someone, "call_back button en") == "<call_times>"
    first, second = buttons(someone)[:2]
    assert (first[-5:], second[-5:]) == ("10:00", "11:00")
    assert press(someone, first).startswith("<call_booked ")
    assert [one.slot for one in booking(busy)] == [datetime(2023, 5, 9, 2, 0, tzinfo=UTC)]
    with busy.database.reading() as session:
        [shown] = slots.booked(session, busy.clock(), busy.clock() + timedelta(days=1))
        case = session.get_one(Case, shown.case_id)
        assert (shown.number, case.call_back_at, case.priority) == (case.number, busy.clock(), 3)
    assert press(someone, "call_cancelled button") == "<call_cancelled>"
    assert booking(busy)[0].cancelled_at == busy.clock()
    assert busy.look(shown.case_id).call_back_at is None


def test_a_forged_or_closed_hour_is_not_booked(busy: Desk) -> None:
    case_id, known = busy.case(), Calendar()
    at = busy.clock()
    wrong = (at + timedelta(minutes=90), at - timedelta(hours=1), at + timedelta(hours=14), at + timedelta(days=30))
    with busy.database.writing() as session:
        case = session.get_one(Case, case_id)
        assert [slots.book(session, busy.vault, case, slot, known, at) for slot in wrong] == [False] * 4
    assert booking(busy) == []


def test_of_many_who_want_the_last_place_as_many_get_it_as_there_is_room(busy: Desk) -> None:
    ids, slot = [busy.case() for _ in range(8)], busy.clock() + timedelta(hours=1)

    def book(case_id: int) -> bool:
        with busy.database.writing() as session:
            return slots.book(session, busy.vault, session.get_one(Case, case_id), slot, Calendar(), busy.clock())

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(book, ids)) == slots.CALLS_AN_HOUR
    with busy.database.reading() as session:
        assert slot not in slots.with_room(session, Calendar(), busy.clock())
    busy.colleague()
    with busy.database.reading() as session:
        assert slot in slots.with_room(session, Calendar(), busy.clock()), "with another on duty there is room again"


def test_both_sides_are_reminded_once_and_a_closed_case_is_not(busy: Desk) -> None:
    agent, case_id, ended = busy.colleague(), busy.case(), busy.case()
    slot = busy.clock() + timedelta(hours=3)
    with busy.database.writing() as session:
        for one in (case_id, ended):
            assert slots.book(session, busy.vault, session.get_one(Case, one), slot, Calendar(), busy.clock())
            claims.claim(session, busy.vault, one, agent, busy.clock())
        ending.resolve(session, busy.vault, busy.published, ended, agent, busy.clock(), outcome=Outcome.ANSWERED)
    busy.clock.advance(hours=2, minutes=31)
    for expected in (1, 0):
        with busy.database.writing() as session:
            assert slots.remind(session, busy.vault, busy.published, busy.clock()) == expected
    assert busy.lines(case_id)[-1].text.startswith("<call_reminder ")
    with busy.database.reading() as session:
        [reminder] = session.query(CaseReminder)
        assert (reminder.case_id, reminder.staff_id, reminder.due_at) == (case_id, agent, slot)


def test_an_emergency_is_not_told_that_the_desk_is_busy(busy: Desk) -> None:
    said = "".join(patient(busy).says("I want to kill myself"))
    assert "hand_over_urgent" in said
    assert "busy" not in said


def test_without_surge_nothing_is_shorter_and_nobody_books(busy: Desk) -> None:
    switch(busy, on=False)
    someone = patient(busy)
    assert "busy" not in "".join(someone.says("I want a person"))
    assert "call_back button en" not in buttons(someone)


def test_the_lead_hears_of_the_load_once_and_nothing_switches_itself(desk: Desk) -> None:
    lead = desk.colleague(Role.LEAD, email="lead@clinic.example")
    for _ in range(suggesting.CASES_A_PERSON + 1):
        desk.case()
    for _ in range(2):
        with desk.database.writing() as session:
            suggesting.suggest(session, desk.vault, desk.clock())
        desk.clock.advance(minutes=30)
    with desk.database.reading() as session:
        [page] = session.query(Page)
        assert (page.staff_id, page.channel, page.about) == (lead, "email", PageAbout.SURGE)
        assert not switches.is_on(session, Switch.SURGE)
    case_id = desk.case("self_harm")
    with desk.database.writing() as session:
        case = session.get_one(Case, case_id)
        assert paging.page(session, desk.vault, [case], Calendar(), desk.clock()), "a suggestion delays no call for help"


def test_a_desk_that_copes_or_is_in_surge_or_closed_hears_nothing(desk: Desk) -> None:
    desk.colleague(Role.LEAD, email="lead@clinic.example")
    desk.case()
    with desk.database.writing() as session:
        assert suggesting.suggest(session, desk.vault, desk.clock()) == 0
    for _ in range(suggesting.CASES_A_PERSON):
        desk.case()
    switch(desk, on=True)
    with desk.database.writing() as session:
        assert suggesting.suggest(session, desk.vault, desk.clock()) == 0
    switch(desk, on=False)
    with desk.database.writing() as session:
        assert suggesting.suggest(session, desk.vault, desk.clock() + timedelta(hours=14)) == 0
