"""The door of a data access request: what is in the ZIP file, who gets it, for how long, and that the log knows."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from sqlalchemy import select

from bot.base.audit import AuditEntry, content_of
from bot.desk.staff.models import Approval
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk
from tests.desk.onfile import OLD, OTHER, WHY, person_on_file
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
PAGE = "/desk/export"
ZIP = "application/zip"


def asked(desk: Desk, officer: Colleague, person_id: int) -> int:
    """The number of an export that waits for a second person."""
    assert officer.post(f"{PAGE}/ask", via=PAGE, person=person_id, reason=WHY).status_code == 200
    with desk.database.reading() as session:
        return session.scalars(select(Approval.id).order_by(Approval.id.desc())).first() or 0


def agreed(desk: Desk, colleague: Make, officer: Colleague, person_id: int) -> int:
    """The number of an export that two people wanted."""
    number = asked(desk, officer, person_id)
    said = colleague(Role.LEAD).post(f"/desk/approvals/{number}/agree", via="/desk/approvals").text
    assert "24 hours" in said
    return number


def fetched(desk: Desk) -> list[dict[str, object]]:
    """What the log says of exports that were fetched."""
    with desk.database.reading() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.kind == "person.exported").order_by(AuditEntry.id)).all()
        return [{"actor": row.actor, "subject": row.subject, **(content_of(row, desk.vault) or {})} for row in rows]


def test_the_zip_holds_the_person_and_every_fetch_is_in_the_log(desk: Desk, colleague: Make) -> None:
    person_id, officer = person_on_file(desk), colleague(Role.PRIVACY_OFFICER)
    number = agreed(desk, colleague, officer, person_id)
    answer = officer.post(f"{PAGE}/{number}/fetch", via=PAGE)
    assert answer.headers["content-type"] == ZIP
    assert answer.headers["content-disposition"] == f'attachment; filename="access-request-{number}.zip"'
    assert "no-store" in answer.headers["cache-control"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        assert {"README.txt", "person.json", "notices.json", "cases.json"} <= set(packed.namelist())
        person = packed.read("person.json").decode()
    assert json.loads(person)
    assert all(value in person for value in ("CHAN Tai Man", OLD, OTHER))
    officer.post(f"{PAGE}/{number}/fetch", via=PAGE)
    log = fetched(desk)
    assert [(one["actor"], one["subject"], one["request"]) for one in log] == [
        (f"staff:{officer.id}", f"person:{person_id}", number)
    ] * 2


def test_one_person_alone_gets_no_file(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER, Role.LEAD)
    number = asked(desk, officer, person_on_file(desk))
    officer.post(f"/desk/approvals/{number}/agree", via="/desk/approvals")
    assert officer.post(f"{PAGE}/{number}/fetch", via=PAGE).headers["content-type"] != ZIP
    assert fetched(desk) == []


def test_the_file_is_gone_after_a_day(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    number = agreed(desk, colleague, officer, person_on_file(desk))
    desk.clock.advance(hours=25)
    assert officer.sign_in().status_code == 200
    answer = officer.post(f"{PAGE}/{number}/fetch", via=PAGE)
    assert answer.headers["content-type"] != ZIP
    assert "may not be fetched" in answer.text
    assert fetched(desk) == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PRIVACY_OFFICER])
def test_nobody_else_gets_the_file(desk: Desk, colleague: Make, role: Role) -> None:
    number = agreed(desk, colleague, colleague(Role.PRIVACY_OFFICER), person_on_file(desk))
    other = colleague(role)
    assert other.get(PAGE).status_code == 403
    answer = other.post(f"{PAGE}/{number}/fetch")
    assert (answer.status_code, answer.headers["content-type"] == ZIP) == (403, False)
    assert fetched(desk) == []


def test_a_foreign_form_and_a_stranger_get_nothing(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    number = agreed(desk, colleague, officer, person_on_file(desk))
    for csrf in ("", colleague(Role.PRIVACY_OFFICER).token()):
        answer = officer.client.post(f"{PAGE}/{number}/fetch", data={"csrf": csrf}, follow_redirects=True)
        assert answer.headers["content-type"] != ZIP
    officer.client.cookies.clear()
    stranger = officer.client.post(f"{PAGE}/{number}/fetch")
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/desk/sign-in")
    assert fetched(desk) == []
