"""What people do by hand, in the console: returned mail that is not understood is named, and nobody is counted away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.assembly import Application, office_for
from bot.base.settings import REPOSITORY
from bot.campaigns import life
from bot.campaigns.models import Obligation
from bot.campaigns.paper.addressing import number_of
from bot.campaigns.plan import Plan
from bot.campaigns.sending.room import NoticeRoom
from bot.conversations.speaking import proposal
from bot.desk.staff.roles import Role
from bot.patients.models import Way
from tests.campaigns.house import Clinic
from tests.desk.conftest import Desk
from tests.people import publish
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
HERE = "/desk/campaigns/1"
SHOWN = 100
"""People on the page of those left to the team."""


@pytest.fixture
def application(application: Application) -> Application:
    """One that may reach patients."""
    return replace(application, settings=application.settings.model_copy(update={"campaigns_live": True}))


@pytest.fixture
def clinic(desk: Desk) -> Clinic:
    """The repository's facts in force, and nobody on file."""
    publish(desk.database, proposal.read(REPOSITORY / "data"), desk.clock())
    return Clinic(desk.database, desk.vault, desk.index, desk.clock)


def by_letter(clinic: Clinic, application: Application) -> None:
    """A campaign whose notices all wait to be printed."""
    office = office_for(application, "worker")
    with clinic.database.writing() as session:
        plan = Plan(ladder=(Way.LETTER,), waves=())
        given: dict[str, Any] = {"name": "letters", "notice": "first_notice", "version": "1.2", "plan": plan}
        life.new(session, clinic.vault, **given, by="x", at=clinic.clock())
    life.submit(office, "letters", by="x")
    life.approve(office, "letters", by="y")
    life.start(office, "letters", by="x")
    room = NoticeRoom(office)
    room.step()
    room.close()


@pytest.mark.parametrize(
    ("language", "told", "not_taken"),
    [
        ("en", "row 2: this reason is not known", "Not taken in: 2."),
        ("zh-Hant", "第 2 行：未能辨認原因", "未能登記：2 行。"),
    ],
)
def test_returned_mail_that_is_not_understood_is_named_and_stays_to_be_mended(
    clinic: Clinic, colleague: Make, application: Application, language: str, told: str, not_taken: str
) -> None:
    clinic.people(2)
    by_letter(clinic, application)
    officer = colleague(Role.PRIVACY_OFFICER)
    officer.post("/desk/language", via="/desk/me", language=language)
    officer.post(f"{HERE}/letters", via="/desk", size="10")
    officer.post(f"{HERE}/letters/1/posted", via="/desk", receipt="R 1")
    one, two = (number_of(notice.id) for notice in clinic.notices(channel="letter"))
    typed = f"{one},moved\n{two},decesed\n<b>1</b>,moved"
    answer = officer.post(f"{HERE}/returned", via="/desk", numbers=typed)
    assert answer.status_code == 422
    assert told in answer.text
    assert not_taken in answer.text
    assert f"{two},decesed\n&lt;b&gt;1&lt;/b&gt;,moved</textarea>" in answer.text
    again = officer.post(f"{HERE}/returned", via="/desk", numbers=f"{one},moved\n{two},deceased")
    assert again.status_code == 200
    with clinic.database.reading() as session:
        because = set(session.scalars(select(Obligation.because)))
    assert because == {"returned", "held"}


def test_a_public_notice_says_for_how_many_it_stands_although_not_all_are_shown(
    clinic: Clinic, colleague: Make, application: Application
) -> None:
    clinic.people(SHOWN + 3)
    by_letter(clinic, application)
    with clinic.database.writing() as session:
        session.execute(update(Obligation).values(status="manual", because="returned"))
    officer = colleague(Role.PRIVACY_OFFICER)
    shown = officer.get(f"{HERE}/hands").text
    assert "For whom nothing else reached: 103." in shown
    assert "The first 100 of 103 are shown." in shown
    given = {"medium": "website", "place": "https://www.example.hk/notice", "words": "A notice."}
    answer = officer.post(f"{HERE}/public", via="/desk", **given)
    assert "People it stands for: 103." in answer.text
    with clinic.database.reading() as session:
        left = select(func.count()).select_from(Obligation).where(Obligation.status == "manual")
        assert session.scalar(left) == 0
