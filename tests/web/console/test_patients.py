"""The page on which staff find who is on file: little is shown, everything is logged, and nothing is changed alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from bot.base.audit import AuditEntry, content_of
from bot.desk.persons.models import ContactNote
from bot.desk.staff.models import Approval
from bot.desk.staff.roles import Role
from bot.patients.disclosure import HoldReason, hold, is_held
from bot.patients.finding import address_of, usable_contacts
from bot.patients.models import ContactPoint
from tests.desk.conftest import Desk
from tests.desk.onfile import NEW, OLD, OTHER, WHY, person_on_file
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
PAGE = "/desk/patients"


def look(colleague: Colleague, by: str = "phone", value: str = "9123 4567", reason: str = "they are on the telephone") -> str:
    return colleague.post(f"{PAGE}/find", via=PAGE, by=by, value=value, reason=reason).text


def kinds(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        return list(session.scalars(select(AuditEntry.kind).order_by(AuditEntry.id)))


@pytest.mark.parametrize(
    ("by", "value"), [("phone", "9123 4567"), ("email", "Chan@Example.com"), ("name", "chan tai man"), ("name", "陳大文")]
)
def test_somebody_is_found_by_what_is_known_and_shown_masked(desk: Desk, colleague: Make, by: str, value: str) -> None:
    person_on_file(desk)
    shown = look(colleague(Role.AGENT), by, value)
    assert "Found: 1" in shown
    assert "C••• T•• M••" in shown
    assert "•••567" in shown
    answer = shown.split("found-title")[-1]
    assert OLD not in shown
    assert OTHER not in answer
    assert "CHAN" not in answer


def test_a_search_is_logged_with_its_reason_and_whom_it_found_but_not_with_what_was_typed(desk: Desk, colleague: Make) -> None:
    person_id = person_on_file(desk)
    ann = colleague(Role.AGENT)
    look(ann)
    look(ann, value="6111 2222")
    with desk.database.reading() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.kind == "patient.searched").order_by(AuditEntry.id)).all()
        contents = [content_of(row, desk.vault) or {} for row in rows]
    assert [one["found"] for one in contents] == [[person_id], []]
    assert contents[0]["reason"] == "they are on the telephone"
    assert "9123" not in str(contents)


def test_without_a_reason_nobody_is_found_and_the_page_says_so(desk: Desk, colleague: Make) -> None:
    person_on_file(desk)
    shown = look(colleague(Role.AGENT), reason="x")
    assert "Found" not in shown
    assert "in 8 to 300 characters" in shown


def test_whoever_searches_too_often_has_to_wait(desk: Desk, colleague: Make) -> None:
    ann = colleague(Role.AGENT)
    token = ann.token(PAGE)
    form = {"csrf": token, "back": PAGE, "by": "phone", "value": "9123 4567", "reason": "they are on the telephone"}
    for _ in range(60):
        assert ann.client.post(f"{PAGE}/find", data=form).status_code == 200
    assert "Tried too often" in look(ann)


def test_opening_somebody_shows_them_in_full_and_is_logged(desk: Desk, colleague: Make) -> None:
    person_id = person_on_file(desk)
    shown = colleague(Role.AGENT).post(f"{PAGE}/open", via=PAGE, person=str(person_id), reason=WHY).text
    assert "CHAN Tai Man" in shown
    assert OLD in shown
    assert "patient.opened" in kinds(desk)
    assert "/desk/patients/contact" not in shown, "an agent changes no contact"


def test_a_name_that_is_markup_is_text(desk: Desk, colleague: Make) -> None:
    shown = look(colleague(Role.AGENT), "name", "<script>alert(1)</script>")
    assert "<script>alert" not in shown


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.ADMIN])
def test_other_roles_do_not_come_in(desk: Desk, colleague: Make, role: Role) -> None:
    person_id = person_on_file(desk)
    other = colleague(role)
    assert other.get(PAGE).status_code == 403
    for address in ("find", "open", "contact", "lift"):
        answer = other.post(f"{PAGE}/{address}", person=str(person_id), reason=WHY, by="phone", value=NEW)
        assert answer.status_code == 403
    assert "patient.opened" not in kinds(desk)


def test_an_agent_may_not_change_a_contact_or_lift_a_hold(desk: Desk, colleague: Make) -> None:
    person_id, agent = person_on_file(desk), colleague(Role.AGENT)
    with desk.database.writing() as session:
        hold(session, person_id, HoldReason.IDENTITY_DOUBTED, desk.clock())
    for address in ("contact", "lift"):
        assert agent.post(f"{PAGE}/{address}", person=str(person_id), reason=WHY, value=NEW).status_code == 403
    with desk.database.reading() as session:
        assert is_held(session, person_id)
        assert session.scalars(select(Approval)).all() == []


def test_a_contact_is_changed_when_a_second_person_agrees_and_the_old_one_is_to_be_told(desk: Desk, colleague: Make) -> None:
    person_id, lead, officer = person_on_file(desk), colleague(Role.LEAD), colleague(Role.PRIVACY_OFFICER)
    with desk.database.reading() as session:
        old = next(one.id for one in usable_contacts(session, person_id) if address_of(one, desk.vault) == OLD)
    said = lead.post(f"{PAGE}/contact", via=PAGE, person=str(person_id), value=NEW, replaces=str(old), reason=WHY).text
    assert "A second person has to agree." in said
    with desk.database.reading() as session:
        request = session.scalars(select(Approval)).one()
        assert session.get_one(ContactPoint, old).retired_at is None
    refused = lead.post(f"/desk/approvals/{request.id}/agree", via="/desk/approvals")
    assert refused.status_code in (200, 403, 422)
    with desk.database.reading() as session:
        assert session.get_one(ContactPoint, old).retired_at is None
    agreed = officer.post(f"/desk/approvals/{request.id}/agree", via="/desk/approvals").text
    assert "The contact is changed." in agreed
    with desk.database.reading() as session:
        assert session.get_one(ContactPoint, old).retired_at is not None
        told = session.scalars(select(ContactNote).order_by(ContactNote.id)).first()
        assert told is not None
        assert told.contact_point_id == old


def test_a_lead_lifts_a_hold_on_the_page(desk: Desk, colleague: Make) -> None:
    person_id, lead = person_on_file(desk), colleague(Role.LEAD)
    with desk.database.writing() as session:
        hold(session, person_id, HoldReason.IDENTITY_DOUBTED, desk.clock())
    shown = lead.post(f"{PAGE}/open", via=PAGE, person=str(person_id), reason=WHY).text
    assert "said: not me" in shown
    assert "The hold is lifted." in lead.post(f"{PAGE}/lift", via=PAGE, person=str(person_id), reason=WHY).text
    with desk.database.reading() as session:
        assert not is_held(session, person_id)


def test_nothing_of_a_patient_stands_in_an_address(desk: Desk, colleague: Make) -> None:
    person_on_file(desk)
    ann = colleague(Role.AGENT)
    answer = ann.post(f"{PAGE}/find", via=PAGE, by="phone", value="9123 4567", reason="they are on the telephone")
    assert str(answer.url).endswith("/desk/patients/find")
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_reads_in_chinese(desk: Desk, colleague: Make) -> None:
    person_id, lead = person_on_file(desk), colleague(Role.LEAD)
    lead.post("/desk/language", language="zh-Hant")
    assert "查找病人" in lead.get(PAGE).text
    assert "更改聯絡方法" in lead.post(f"{PAGE}/open", via=PAGE, person=str(person_id), reason=WHY).text
