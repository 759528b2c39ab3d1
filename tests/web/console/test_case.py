"""The page of a case: what is seen, what is sent, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy import select

from bot.base import audit
from bot.desk.models import Case, CaseStatus
from bot.desk.records import CaseNote, StaffReply, StaffReplyStatus
from bot.desk.staff.roles import Role
from bot.desk.work import answers
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

People = Callable[..., Colleague]


@pytest.fixture
def agent(colleague: People) -> Colleague:
    return colleague(Role.AGENT)


def at(case_id: int) -> str:
    return f"/desk/cases/{case_id}"


def seen(html: str) -> str:
    held = re.search(r'name="seen" value="([^"]+)"', html)
    assert held
    return held[1]


def taken(desk: Desk, who: Colleague, code: str = "patient_wish", **more: str) -> int:
    case_id = desk.case(code, **more)
    assert "The case is yours." in who.post(f"{at(case_id)}/claim", via=at(case_id)).text
    return case_id


def send(who: Colleague, case_id: int, **form: object) -> str:
    html = who.get(at(case_id)).text
    return unescape(who.post(f"{at(case_id)}/send", via=at(case_id), **{"seen": seen(html), **form}).text)


def leave(desk: Desk) -> None:
    desk.clock.advance(seconds=11)
    with desk.database.writing() as session:
        answers.send_due(session, desk.vault, desk.published, desk.clock())


def said_last(desk: Desk, case_id: int) -> str:
    return desk.lines(case_id)[-1].text


def test_the_page_shows_why_who_where_and_what_was_written(desk: Desk, agent: Colleague) -> None:
    case_id = desk.case("data_access_request", channel="whatsapp", language="zh-Hant")
    html = agent.get(at(case_id)).text
    for shown in (
        "Data access request",
        "WhatsApp",
        "繁體中文",
        "Not verified",
        "Legal limit",
        "open for 23 h",
        "hello",
        "First answer",
    ):
        assert shown in html
    assert desk.look(case_id).number in html
