"""Whom on file a case concerns, as its page shows it, and two cases of one person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from bot.desk.models import CaseStatus
from bot.desk.records import Known
from bot.desk.staff.roles import Role
from bot.desk.work import persons
from bot.patients.notices.models import NoticeImport, NoticeOnFile
from tests.desk.conftest import Desk
from tests.desk.onfile import person_on_file
from tests.web.console.conftest import Colleague
from tests.web.console.test_case import at, taken

People = Callable[..., Colleague]


def concerns(desk: Desk, case_id: int, person_id: int, known: Known = Known.VERIFIED) -> None:
    with desk.database.writing() as session:
        persons.link(session, desk.vault, case_id, person_id, known, staff_id=None, at=desk.clock())


def noticed(desk: Desk, person_id: int) -> None:
    """The person got the first notice by e-mail."""
    with desk.database.writing() as session:
        brought = NoticeImport(digest="1" * 64, by="test", at=desk.clock(), added=1)
        session.add(brought)
        session.flush()
        row = {"person_id": person_id, "name": "First notice", "version": "v2", "way": "email", "import_id": brought.id}
        session.add(NoticeOnFile(**row, sent_on=date(2023, 5, 1)))


def test_the_person_and_their_notices_with_versions_are_shown_to_who_may_search(desk: Desk, colleague: People) -> None:
    case_id, person_id = desk.case(), person_on_file(desk)
    concerns(desk, case_id, person_id)
    noticed(desk, person_id)
    html = colleague(Role.AGENT).get(at(case_id)).text
    for shown in ("CHAN Tai Man", "陳大文", "verified by code", "First notice", "v2", "2023-05-01", "mobile, e-mail"):
        assert shown in html
    assert "91234567" not in html
    assert "chan@example.com" not in html
    auditor = colleague(Role.AUDITOR).get(at(case_id)).text
    assert "CHAN Tai Man" not in auditor
    assert "A person on file" in auditor


def test_a_protected_person_is_marked(desk: Desk, colleague: People) -> None:
    case_id = desk.case()
    concerns(desk, case_id, person_on_file(desk, protected=True))
    assert "Under protection" in colleague(Role.AGENT).get(at(case_id)).text


def test_a_person_is_taken_off_a_case_by_who_works_on_cases(desk: Desk, colleague: People) -> None:
    case_id, person_id = desk.case(), person_on_file(desk)
    concerns(desk, case_id, person_id)
    agent = colleague(Role.AGENT)
    assert "was taken off" in agent.post(f"{at(case_id)}/persons/{person_id}/unlink", via=at(case_id)).text
    assert "CHAN Tai Man" not in agent.get(at(case_id)).text


def test_a_lead_merges_two_cases_of_one_person_and_undoes_it(desk: Desk, colleague: People) -> None:
    lead, person_id = colleague(Role.LEAD), person_on_file(desk)
    one, other = taken(desk, lead), taken(desk, lead)
    concerns(desk, one, person_id)
    concerns(desk, other, person_id)
    number = desk.look(other).number
    assert number in lead.get(at(one)).text
    html = lead.post(f"{at(one)}/merge", via=at(one), into=number).text
    assert "The cases are one now." in html
    assert desk.look(one).number in html
    assert desk.look(one).status == CaseStatus.MERGED
    assert 'name="thread" id="write-to"' in html  # two threads: one says where the answer goes
    assert "goes on in" in lead.get(at(one)).text
    assert "apart again" in lead.post(f"{at(one)}/unmerge", via=at(one)).text
    assert desk.look(one).status == CaseStatus.OPEN


def test_an_agent_merges_nothing_and_a_number_alone_proves_nothing(desk: Desk, colleague: People) -> None:
    agent, lead, person_id = colleague(Role.AGENT), colleague(Role.LEAD), person_on_file(desk)
    one, other = desk.case(), desk.case()
    concerns(desk, one, person_id)
    concerns(desk, other, person_id, Known.MENTIONED)
    form = {"into": desk.look(other).number}
    assert agent.client.post(f"{at(one)}/merge", data={"csrf": agent.token(), **form}).status_code == 403
    assert "not proven" in lead.post(f"{at(one)}/merge", via=at(one), **form).text
    assert "no case with this number" in lead.post(f"{at(one)}/merge", via=at(one), into="1234").text
    assert desk.look(one).status == CaseStatus.OPEN
