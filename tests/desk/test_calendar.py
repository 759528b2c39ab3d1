"""The business calendar, the clocks of a case, the switch of the weather, the estimate of the wait."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.errors import BadInput
from bot.desk.hours import deadlines, estimates, gazette, switches
from bot.desk.hours.calendar import DEFAULT_HOURS, Calendar, desk_hours, parse_hours, published_hours
from bot.desk.hours.deadlines import ClockKind, ClockState
from bot.desk.hours.estimates import WaitKind
from bot.desk.hours.gazette import A_YEAR, general_holidays
from bot.desk.models import Case
from bot.desk.records import Switch
from bot.desk.work import claims
from tests.desk.conftest import Desk

KNOWN = Calendar()
HOUR = timedelta(hours=1)


def hk(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2023-05-09 09:00", 8, "2023-05-09 17:00"),
        ("2023-05-09 17:00", 2, "2023-05-10 10:00"),
        ("2023-05-12 17:00", 2, "2023-05-13 10:00"),  # Friday to Saturday
        ("2023-05-13 12:00", 2, "2023-05-15 10:00"),  # over Sunday
        ("2023-05-25 17:00", 2, "2023-05-27 10:00"),  # over the Buddha's Birthday
        ("2023-04-06 17:00", 2, "2023-04-11 10:00"),  # over Easter
        ("2023-05-09 22:00", 1, "2023-05-10 10:00"),
        ("2023-05-09 06:00", 1, "2023-05-09 10:00"),
    ],
)
def test_open_hours_are_added_over_nights_sundays_and_holidays(start: str, hours: float, end: str) -> None:
    assert KNOWN.add(hk(start), hours * HOUR) == hk(end)


@pytest.mark.parametrize("year", range(2022, 2036))
def test_every_year_has_as_many_holidays_beside_sundays_as_the_law_names(year: int) -> None:
    assert sum(day.weekday() != 6 for day in general_holidays(year)) == A_YEAR


@pytest.mark.parametrize("year", range(2022, 2036))
def test_the_list_read_for_hong_kong_alone_is_what_the_library_gives(year: int) -> None:
    usual = holidays.country_holidays("HK", years=year, categories=("public", "optional"), language="en_US")
    also, never = gazette._corrections()
    assert general_holidays(year) == ({*usual} | {day for day in also if day.year == year}) - never


def test_no_other_country_is_read_for_it() -> None:
    asked = "import sys; from datetime import UTC, datetime; from bot.desk.hours.calendar import Calendar; "
    asked += "Calendar().is_open(datetime(2023, 5, 9, tzinfo=UTC)); print('holidays.countries.germany' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_tuesday_after_national_day_was_a_working_day() -> None:
    at = datetime(2023, 10, 3, 2, 0, tzinfo=UTC)
    assert Calendar().is_open(at)
    assert not Calendar().is_open(at - timedelta(days=1))


def test_lunar_and_other_general_holidays_are_known() -> None:
    assert {day.isoformat() for day in general_holidays(2027)} >= {"2027-02-08", "2027-03-26", "2027-05-13", "2027-12-27"}


@given(
    minutes=st.integers(0, 60 * 24 * 30),
    first=st.integers(0, 5000),
    second=st.integers(0, 5000),
)
def test_adding_twice_is_adding_once_and_between_takes_it_back(minutes: int, first: int, second: int) -> None:
    start = hk("2023-05-09 09:00") + timedelta(minutes=minutes)
    one, two = timedelta(minutes=first), timedelta(minutes=second)
    assert KNOWN.add(KNOWN.add(start, one), two) == KNOWN.add(start, one + two) or not one + two
    assert KNOWN.between(start, KNOWN.add(start, one)) == one


@pytest.mark.parametrize("text", ["", "always", "Mon-Fri 18:00-09:00", "Fri-Mon 09:00-18:00", "Mon 25:00-26:00", "Mon 9-18"])
def test_wrong_opening_hours_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_hours(text)
    assert published_hours({"facts": {"desk_opening": {"value": text}}}) is None


def test_a_storm_stops_the_clocks_of_what_is_not_urgent(desk: Desk) -> None:
    plain, urgent = desk.case("compensation"), desk.case("self_harm")
    before = desk.look(plain).first_response_due_at, desk.look(urgent).first_response_due_at
    with desk.database.writing() as session:
        assert switches.turn_on(session, desk.vault, Switch.TYPHOON, by="operator", at=desk.clock())
        assert not switches.turn_on(session, desk.vault, Switch.TYPHOON, by="operator", at=desk.clock())
    desk.clock.advance(hours=3)
    with desk.database.writing() as session:
        assert not switches.calendar(session, desk.clock()).is_open(desk.clock() - HOUR)
        assert switches.turn_off(session, desk.vault, Switch.TYPHOON, by="operator", at=desk.clock())
        assert deadlines.reschedule(session, desk.clock()) == 1
    # Eight hours from nine are five in the afternoon; three hours of storm make it eleven the next morning.
    assert before[0] == hk("2023-05-09 17:00")
    assert desk.look(plain).first_response_due_at == hk("2023-05-10 11:00")
    assert desk.look(urgent).first_response_due_at == before[1]


def test_clocks_warn_at_three_quarters_and_stop_when_answered(lite: Desk) -> None:
    case_id = lite.case("compensation")
    start = lite.clock()

    def first(after: timedelta) -> str | None:
        with lite.database.reading() as session:
            faces = deadlines.clocks(lite.look(case_id), switches.calendar(session, start + after), start + after)
        return next((face.state for face in faces if face.kind is ClockKind.FIRST), None)

    assert [first(hours * HOUR) for hours in (0, 5.9, 6, 7.9, 8)] == [
        *(ClockState.RUNNING, ClockState.RUNNING),
        *(ClockState.WARNING, ClockState.WARNING, ClockState.BREACHED),
    ]
    with lite.database.writing() as session:
        deadlines.answered(session.get_one(Case, case_id), start)
    assert first(9 * HOUR) is None


def test_the_law_counts_every_day(lite: Desk) -> None:
    case = lite.look(lite.case("data_access_request"))
    assert case.statutory_due_at == lite.clock() + timedelta(days=40)


def test_an_estimate_is_honest(desk: Desk) -> None:
    case_id = desk.case()

    def wait() -> estimates.Wait:
        with desk.database.reading() as session:
            return estimates.wait_of(session, desk.look(case_id), desk.clock(), DEFAULT_HOURS)

    assert wait().kind is WaitKind.UNKNOWN, "nobody is on duty and nothing is known"
    desk.colleague()
    assert (wait().kind, wait().low, wait().high) == (WaitKind.MINUTES, 5, 15)
    desk.clock.now = hk("2023-05-09 21:00")
    assert (wait().kind, wait().opens_at) == (WaitKind.CLOSED, hk("2023-05-10 09:00"))
    desk.clock.now = hk("2023-05-09 17:55")
    assert (wait().kind, wait().opens_at) == (WaitKind.CLOSED, hk("2023-05-10 09:03"))
    with desk.database.reading() as session:
        unknown = estimates.wait_of(session, desk.look(case_id), desk.clock(), None)
    assert unknown.kind is WaitKind.MINUTES, "without known hours no opening time is told"


def test_the_pace_of_the_last_hours_is_what_counts(lite: Desk) -> None:
    staff_id = lite.colleague()
    for _ in range(10):
        case_id = lite.case()
        with lite.database.writing() as session:
            claims.claim(session, lite.vault, case_id, staff_id, lite.clock())
            deadlines.answered(session.get_one(Case, case_id), lite.clock())
    with lite.database.reading() as session:
        # Ten in two hours are five an hour: twelve minutes for the next one.
        wait = estimates.wait_now(session, lite.clock(), DEFAULT_HOURS)
    assert (wait.kind, wait.low, wait.high) == (WaitKind.MINUTES, 5, 20)


@pytest.mark.parametrize(("published", "days"), [(None, 30), (14, 14), ("21", 21), ("soon", 30), (0, 30), (-3, 30)])
@pytest.mark.parametrize("opening", ["Mon-Fri 09:00-18:00", None])
def test_the_clock_of_a_complaint_is_what_patients_were_told(
    lite: Desk, published: object, days: int, opening: str | None
) -> None:
    facts = {"complaint_reply_days": {"value": published}, "desk_opening": {"value": opening}}
    at = lite.clock()
    case_id = lite.case("complaint_clinic")
    with lite.database.writing() as session:
        case = session.get_one(Case, case_id)
        deadlines.set_clocks(session, case, Calendar(desk_hours({"facts": facts})))
        assert case.statutory_due_at == at + timedelta(days=days)


def test_the_clock_of_the_law_is_no_promise_of_ours(lite: Desk) -> None:
    case_id = lite.case("data_access_request")
    with lite.database.writing() as session:
        case = session.get_one(Case, case_id)
        deadlines.set_clocks(session, case, Calendar(desk_hours({"facts": {"complaint_reply_days": {"value": 14}}})))
        assert case.statutory_due_at == lite.clock() + timedelta(days=40)
