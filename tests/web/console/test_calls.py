"""The list of booked calls: who is called when, made, moved and given up with the patient told, and a number to call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.base.audit import AuditEntry
from bot.desk.hours.calendar import Calendar
from bot.desk.models import Case
from bot.desk.records import CallBooking, CallResult, Known
from bot.desk.staff.roles import Role
from bot.desk.surge import slots
from bot.desk.work import notebook, persons
from tests.desk.conftest import Desk, desk_content
from tests.desk.onfile import WHY, person_on_file
from tests.desk.test_surge import content
from tests.people import publish
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk that has the words for calls, too."""
    made = content()
    for name in ("call_moved", "call_off"):
        made["wordings"][name] = {**made["wordings"]["call_booked"], "texts": {"en": {"text": f"<{name} {{{{ call_time }}}}>"}}}
    desk.clock.advance(seconds=1)
    publish(desk.database, made, desk.clock())
    return desk


def booked(desk: Desk, case_id: int, hours: int = 1) -> datetime:
    slot = desk.clock().replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours + 1)
    with desk.database.writing() as session:
        assert slots.book(session, desk.vault, session.get_one(Case, case_id), slot, Calendar(), desk.clock())
    return slot


def rows(desk: Desk, case_id: int) -> list[CallBooking]:
    with desk.database.reading() as session:
        return list(session.query(CallBooking).filter(CallBooking.case_id == case_id).order_by(CallBooking.id))


def last(desk: Desk, case_id: int) -> str:
    return desk.lines(case_id)[-1].text


def test_the_list_says_when_which_case_and_who_calls(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    booked(desk, case_id)
    shown = agent.get("/desk/calls").text
    assert "Today, Tue 9 May" in shown
    assert "11:00–12:00" in shown
    assert f'href="/desk/cases/{case_id}"' in shown
    assert "identity not shown yet" in shown
    agent.post(f"/desk/queue/{case_id}/claim")
    assert ">You<" in agent.get("/desk/calls").text.replace("\n", "").replace("  ", "")


def test_who_is_proven_is_named_and_only_to_those_who_may_look_up_patients(desk: Desk, colleague: Make) -> None:
    agent, auditor, case_id = colleague(Role.AGENT), colleague(Role.AUDITOR), desk.case()
    booked(desk, case_id)
    person_id = person_on_file(desk)
    with desk.database.writing() as session:
        persons.link(session, desk.vault, case_id, person_id, Known.VERIFIED, staff_id=None, at=desk.clock())
    assert "CHAN Tai Man" in agent.get("/desk/calls").text
    assert "CHAN Tai Man" not in auditor.get("/desk/calls").text
    assert "/off" not in auditor.get("/desk/calls").text


def test_a_call_is_moved_and_the_patient_told(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    slot = booked(desk, case_id)
    later = slot + timedelta(hours=3)
    page = agent.post(f"/desk/calls/{case_id}/move", via="/desk/calls", slot=later.isoformat())
    assert "the patient was told" in page.text
    assert [(one.slot, one.cancelled_at is None) for one in rows(desk, case_id)] == [(slot, False), (later, True)]
    assert last(desk, case_id) == "<call_moved Tue, 9 May 14:00>"
    for wrong in ("", "tomorrow", later.isoformat(), (slot + timedelta(hours=15)).isoformat()):
        agent.post(f"/desk/calls/{case_id}/move", slot=wrong)
    assert len(rows(desk, case_id)) == 2


def test_a_call_is_booked_for_a_patient_who_has_none(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    page = agent.get(f"/desk/cases/{case_id}").text
    slot = page.split('<select name="slot"', 1)[1].split('<option value="2', 1)[1].split('"', 1)[0]
    agent.post(f"/desk/calls/{case_id}/move", slot=f"2{slot}")
    assert [one.slot.isoformat() for one in rows(desk, case_id)] == [f"2{slot}"]
    assert last(desk, case_id).startswith("<call_booked ")


def test_a_call_is_given_up_once_and_the_patient_told(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    booked(desk, case_id)
    agent.post(f"/desk/calls/{case_id}/off")
    assert last(desk, case_id) == "<call_off Tue, 9 May 11:00>"
    assert "No call is booked for this case any more." in agent.post(f"/desk/calls/{case_id}/off").text
    assert len([line for line in desk.lines(case_id) if "call_off" in line.text]) == 1


def test_without_the_new_words_the_old_ones_are_said(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    publish(desk.database, content(), desk.clock())
    slot = booked(desk, case_id)
    agent.post(f"/desk/calls/{case_id}/move", slot=(slot + timedelta(hours=1)).isoformat())
    assert last(desk, case_id).startswith("<call_booked ")
    agent.post(f"/desk/calls/{case_id}/off")
    assert last(desk, case_id) == "<call_cancelled>"


@pytest.mark.parametrize("result", list(CallResult))
def test_a_call_that_was_made_is_in_the_log_of_the_case_and_off_the_list(desk: Desk, colleague: Make, result: CallResult) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    slot = booked(desk, case_id)
    desk.clock.now = slot + timedelta(hours=2)
    assert "not called" in agent.get("/desk/calls").text if agent.sign_in() else False
    page = agent.post(f"/desk/calls/{case_id}/made", result=result.value, minutes="7", remark="on the way home")
    assert ("not reached" in page.text) == (result is not CallResult.REACHED)
    with desk.database.reading() as session:
        [call] = notebook.calls(session, desk.vault, case_id)
    assert (call.result, call.minutes, call.text, call.staff_id) == (result, 7, "on the way home", agent.id)
    assert rows(desk, case_id)[0].called_at == desk.clock()
    assert "No call is booked." in agent.get("/desk/calls").text
    assert desk.look(case_id).call_back_at is None
    booked(desk, case_id)  # there is room for another one


def test_a_call_logged_long_before_the_hour_leaves_the_booking(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    booked(desk, case_id, hours=4)
    agent.post(f"/desk/cases/{case_id}/calls", result="no_answer")
    assert rows(desk, case_id)[0].called_at is None


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPROVER, Role.ADMIN])
@pytest.mark.parametrize("what", ["made", "move", "off"])
def test_who_does_not_work_on_cases_touches_no_call(desk: Desk, colleague: Make, role: Role, what: str) -> None:
    someone, case_id = colleague(role), desk.case()
    slot = booked(desk, case_id)
    answer = someone.post(f"/desk/calls/{case_id}/{what}", result="reached", slot=(slot + timedelta(hours=1)).isoformat())
    assert answer.status_code == 403
    [row] = rows(desk, case_id)
    assert (row.slot, row.cancelled_at, row.called_at) == (slot, None, None)


def test_a_number_is_shown_for_a_reason_and_in_the_log(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    person_id = person_on_file(desk)
    where = f"/desk/cases/{case_id}/persons/{person_id}/numbers"
    assert "does not concern that person" in agent.post(where, reason=WHY).text
    with desk.database.writing() as session:
        persons.link(session, desk.vault, case_id, person_id, Known.MENTIONED, staff_id=None, at=desk.clock())
    assert "Say why" in agent.post(where, reason="").text
    shown = agent.post(where, reason=WHY)
    assert 'id="numbers"' in shown.text
    assert "tel:+852" in shown.text
    with desk.database.reading() as session:
        kinds = [row.kind for row in session.query(AuditEntry).filter(AuditEntry.actor == f"staff:{agent.id}")]
    assert kinds.count("case.numbers_shown") == 1
    assert colleague(Role.AUDITOR).post(where, reason=WHY).status_code == 403


def test_a_person_is_found_from_the_case_and_linked(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    person_id = person_on_file(desk)
    at = f"/desk/cases/{case_id}"
    found = agent.post(f"{at}/persons/find", by="name", value="chan tai man", reason=WHY)
    assert f'name="person" value="{person_id}"' in found.text
    assert "CHAN Tai Man" not in found.text  # the ends of names alone, as everywhere
    assert "log the call first" in agent.post(f"{at}/persons/link", person=person_id, known="confirmed").text
    agent.post(f"{at}/calls", result="reached")
    agent.post(f"{at}/persons/link", person=person_id, known="confirmed")
    agent.post(f"{at}/persons/link", person=person_id, known="verified")
    with desk.database.reading() as session:
        assert [(row.person_id, row.known) for row in persons.persons_of(session, case_id)] == [(person_id, Known.CONFIRMED)]
    agent.post(f"{at}/persons/{person_id}/unlink")
    with desk.database.reading() as session:
        assert persons.persons_of(session, case_id) == []


def test_a_further_reason_raises_the_case(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case("patient_wish")
    agent.post(f"/desk/cases/{case_id}/reasons", reason="self_harm")
    assert (desk.look(case_id).priority, desk.look(case_id).reason) == (0, "self_harm")
    assert "There is no such reason" in agent.post(f"/desk/cases/{case_id}/reasons", reason="anything").text
    assert colleague(Role.AUDITOR).post(f"/desk/cases/{case_id}/reasons", reason="threat").status_code == 403


def test_the_small_content_is_enough_for_the_page(desk: Desk, colleague: Make) -> None:
    publish(desk.database, desk_content(), desk.clock())
    assert "No call is booked." in colleague(Role.LEAD).get("/desk/calls").text


def test_the_number_of_the_case_is_not_hidden_in_what_we_said(desk: Desk, colleague: Make) -> None:
    agent, case_id = colleague(Role.AGENT), desk.case()
    made = content()
    made["wordings"]["call_booked"]["texts"] = {"en": {"text": "Your case number:\n{{ case_number }}"}}
    publish(desk.database, made, desk.clock())
    agent.post(f"/desk/calls/{case_id}/move", slot=(desk.clock() + timedelta(hours=2)).replace(minute=0, second=0).isoformat())
    shown = agent.get(f"/desk/cases/{case_id}").text
    assert f"Your case number:\n{desk.look(case_id).number}" in shown
