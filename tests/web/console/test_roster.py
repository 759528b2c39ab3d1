"""The roster in the console: judged and masked, applied with the code of what was shown alone, and for whom it is not."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import func, select

from bot.campaigns.planning import versions
from bot.desk.staff.roles import Role
from bot.patients.models import Person, RosterImport
from bot.patients.roster.imports import clinics_on_file
from bot.web.console.pages import roster
from bot.web.limits import ROSTER_LIMIT, body_limit
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
ROWS = (
    "patient key,name,e-mail,affected categories,clinic\n"
    "P1,CHAN Tai Man,tai.man@mail.example,identity,Central\n"
    "P2,LEE Siu Ling,siu.ling@mail.example,medical,Sha Tin\n"
)


def sent(one: Colleague, content: str, query: str = "") -> httpx.Response:
    """What the page's script sends."""
    headers = {"x-csrf": one.token(), "content-type": "text/csv"}
    return one.client.post(f"/desk/roster/judge?{query}", content=content.encode(), headers=headers)


def on_file(desk: Desk) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Person)) or 0


def code(shown: str) -> str:
    found = re.search(r'data-code="(\w+)"', shown)
    assert found
    return found[1]


def test_a_file_is_shown_masked_and_stored_only_with_the_code_of_what_was_shown(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    shown = sent(officer, ROWS).text
    assert "T•• M••" in shown
    assert "tai.man" not in shown
    assert "Central: 1" in shown
    given = code(shown)
    for content, query in ((ROWS, "code=00000000"), (ROWS.replace("Central", "Peak"), f"code={given}"), (ROWS, "")):
        sent(officer, content, query)
    assert on_file(desk) == 0
    assert "Applied as import 1." in sent(officer, ROWS, f"code={given}").text
    assert on_file(desk) == 2
    with desk.database.reading() as session:
        assert session.scalars(select(RosterImport)).one().by == f"staff:{officer.id}"
        assert clinics_on_file(session) == {"Central": 1, "Sha Tin": 1}
        assert versions.next_number(session) == 1
    assert 'value="Sha Tin"' in officer.get("/desk/campaigns/new").text


def test_what_is_wrong_is_named_by_its_shape_and_nothing_is_stored(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    bad = ROWS + "=cmd|x,<script>alert(1)</script>,a@mail.example,identity,<b>\n"
    answer = sent(officer, bad)
    assert "The file has to be mended first" in answer.text
    assert "<script>alert" not in answer.text
    assert "data-code" not in answer.text
    report = sent(officer, bad, "report=1")
    assert report.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(report.content.decode("utf-8-sig"))))
    assert {"4"} == {row[0] for row in rows[1:]}
    for content in ("", "no,columns\n1,2\n"):
        assert sent(officer, content).status_code == 422
    assert on_file(desk) == 0


def test_a_file_that_is_too_large_is_not_read_to_its_end(desk: Desk, colleague: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    assert body_limit("/desk/roster/judge") == ROSTER_LIMIT
    assert body_limit("/desk/campaigns/new") < ROSTER_LIMIT
    monkeypatch.setattr(roster, "ROSTER_LIMIT", 100)
    answer = sent(officer, ROWS)
    assert answer.status_code == 422
    assert "this is no roster" in answer.text
    assert on_file(desk) == 0


def test_only_a_privacy_officer_brings_a_roster_in(desk: Desk, colleague: Make) -> None:
    for role in (Role.LEAD, Role.AGENT, Role.APPROVER, Role.AUDITOR, Role.ADMIN):
        one = colleague(role)
        assert one.get("/desk/roster").status_code == 403
        assert sent(one, ROWS).status_code == 403
    assert on_file(desk) == 0
