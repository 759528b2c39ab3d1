"""Campaigns in the console: who may do what, approval of exactly what was shown, hostile words as words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.assembly import Application, office_for
from bot.base.settings import REPOSITORY
from bot.campaigns import life
from bot.campaigns.models import Campaign, CampaignStatus, Obligation
from bot.campaigns.plan import Plan
from bot.campaigns.planning import errands
from bot.campaigns.sending.room import NoticeRoom
from bot.conversations.speaking import proposal
from bot.desk.staff.roles import Role
from bot.patients.models import Way
from tests.campaigns.house import Clinic
from tests.desk.conftest import Desk
from tests.people import publish
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
HOSTILE = "Notice <img src=x onerror=alert(1)> & {{ 7*7 }}"
FORM = {
    "name": HOSTILE,
    "notice": "first_notice",
    "number": "1",
    "form": "standard",
    "rung1": "email",
    "receipt_hours": "72",
    "waves": "1, 2",
    "release": "person",
    "quiet_from": "21:00",
    "quiet_until": "09:00",
    "pace_email": "50",
    "pace_sms": "10",
    "pace_whatsapp": "10",
    "whatsapp_per_day": "250",
}


@pytest.fixture
def application(application: Application) -> Application:
    """One that may reach patients."""
    return replace(application, settings=application.settings.model_copy(update={"campaigns_live": True}))


@pytest.fixture
def people(desk: Desk) -> Clinic:
    """Three people on file, and the repository's facts in force."""
    publish(desk.database, proposal.read(REPOSITORY / "data"), desk.clock())
    made = Clinic(desk.database, desk.vault, desk.index, desk.clock)
    made.people(3)
    return made


@pytest.fixture
def officer(people: Clinic, colleague: Make) -> Colleague:
    """A privacy officer."""
    return colleague(Role.PRIVACY_OFFICER)


def drafted(officer: Colleague, **changed: str) -> str:
    """The address of a campaign out of the form."""
    answer = officer.post("/desk/campaigns/new", **{**FORM, **changed})
    assert answer.status_code == 200, answer.text[:2000]
    return answer.url.path


def worked(application: Application) -> None:
    assert errands.work(office_for(application, "worker")) == 1


def submitted(officer: Colleague, application: Application) -> str:
    at = drafted(officer)
    officer.post(f"{at}/submit")
    worked(application)
    return at


def status(desk: Desk) -> str:
    with desk.database.reading() as session:
        return session.get_one(Campaign, 1).status


def digests(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(digest_\w+)" value="(\w+)"', page))


def test_a_draft_of_the_form_is_shown_as_text(officer: Colleague) -> None:
    shown = officer.get(drafted(officer)).text
    assert "Notice &lt;img src=x onerror=alert(1)&gt; &amp; {{ 7*7 }}" in shown
    assert "<img src=x" not in shown


WRONG: list[dict[str, str]] = [
    {"name": ""},
    {"notice": "staff_page"},
    {"number": "one"},
    {"waves": "1, x"},
    {"waves": "0"},
    {"rung1": "pigeon"},
    {"rung2": "email"},
    {"receipt_hours": "-1"},
    {"deadline": "tomorrow"},
    {"publication": "99"},
    {"cap_cost": "-1"},
    {"quiet_from": ""},
    {"form": "guardian"},
    {"language": "xx"},
]


def test_a_wrong_field_is_named_and_nothing_that_was_typed_is_lost(officer: Colleague) -> None:
    for wrong in WRONG:
        answer = officer.post("/desk/campaigns/new", **{**FORM, "quiet_override": "typed <b>", **wrong})
        assert answer.status_code == 422, wrong
        assert 'role="alert"' in answer.text
        assert "typed &lt;b&gt;" in answer.text


def test_the_dry_run_is_shown_masked(officer: Colleague, application: Application) -> None:
    at = drafted(officer)
    assert "has begun" in officer.post(f"{at}/dry-run").text
    assert "under way" in officer.get(at).text
    worked(application)
    shown = officer.get(at).text
    assert "p***@m***" in shown
    assert "@mail.example" not in shown
    assert "Hand in for approval" in shown


def test_another_person_approves_exactly_what_was_shown(
    officer: Colleague, colleague: Make, application: Application, desk: Desk
) -> None:
    second, at = colleague(Role.APPROVER), submitted(officer, application)
    seen = digests(second.get(at).text)
    assert set(seen) == {"digest_text", "digest_recipients", "digest_ladder", "digest_pace"}
    assert "has changed since" in second.post(f"{at}/approve", via=at, **{**seen, "digest_text": "0" * 64}).text
    assert "has changed since" in second.post(f"{at}/approve", via=at).text
    assert status(desk) == CampaignStatus.SUBMITTED
    assert "Approved." in second.post(f"{at}/approve", via=at, **seen).text
    assert status(desk) == CampaignStatus.APPROVED


def test_nobody_approves_their_own_even_with_both_roles(
    people: Clinic, colleague: Make, application: Application, desk: Desk
) -> None:
    both = colleague(Role.PRIVACY_OFFICER, Role.APPROVER)
    at = submitted(both, application)
    shown = both.get(at).text
    assert digests(shown) == {}
    assert "another person has to approve it" in shown
    with desk.database.reading() as session:
        known = {f"digest_{name}": value for name, value in (session.get_one(Campaign, 1).digests or {}).items()}
    assert "Somebody else has to approve" in both.post(f"{at}/approve", via=at, **known).text
    assert status(desk) == CampaignStatus.SUBMITTED


def test_with_one_person_on_duty_it_says_that_it_waits(officer: Colleague, colleague: Make, application: Application) -> None:
    at = submitted(officer, application)
    alone = officer.get(at).text
    assert "notice warn" in alone
    colleague(Role.APPROVER)
    assert "On duty and able to decide this: 1." in officer.get(at).text


def test_it_is_sent_back_with_a_reason_that_its_author_reads(
    officer: Colleague, colleague: Make, application: Application, desk: Desk
) -> None:
    second, at = colleague(Role.APPROVER), submitted(officer, application)
    assert "Say what has to change." in second.post(f"{at}/send-back", via=at, why=" ").text
    second.post(f"{at}/send-back", via=at, why="Name <the> day.")
    assert status(desk) == CampaignStatus.DRAFT
    assert "Name &lt;the&gt; day." in officer.get(at).text


def running(officer: Colleague, colleague: Make, application: Application) -> tuple[str, Colleague]:
    second, at = colleague(Role.APPROVER), submitted(officer, application)
    second.post(f"{at}/approve", via=at, **digests(second.get(at).text))
    assert "The first wave goes." in officer.post(f"{at}/start", via=at).text
    return at, second


def test_leads_and_approvers_may_stop_it_and_only_the_officer_goes_on(
    officer: Colleague, colleague: Make, application: Application, desk: Desk
) -> None:
    at, second = running(officer, colleague, application)
    lead = colleague(Role.LEAD)
    assert "Paused: nothing new leaves." in lead.post(f"{at}/pause", via=at, why="A caller <b>").text
    assert "A caller &lt;b&gt;" in officer.get(at).text
    for one in (lead, second):
        assert one.post(f"{at}/resume", via=at).status_code == 403
        assert one.post(f"{at}/cancel", via=at, why="x").status_code == 403
    assert "It goes on." in officer.post(f"{at}/resume", via=at).text
    assert status(desk) == CampaignStatus.RUNNING


def test_a_wave_is_released_by_whoever_saw_this_one(officer: Colleague, colleague: Make, application: Application) -> None:
    at, _ = running(officer, colleague, application)
    assert "Another wave is out meanwhile" in officer.post(f"{at}/release", via=at, wave="3").text
    assert "Wave 1 may go." in officer.post(f"{at}/release", via=at, wave="1").text


def test_an_order_of_an_authority_stands_in_the_way_until_it_is_lifted(
    officer: Colleague, colleague: Make, application: Application
) -> None:
    at, _ = running(officer, colleague, application)
    officer.post(f"{at}/hold", via=at, authority="Police <b>")
    shown = officer.get(at).text
    assert "Police &lt;b&gt; has ordered to wait" in shown
    assert "lift the order first" in officer.post(f"{at}/resume", via=at).text
    officer.post(f"{at}/lift", via=at)
    assert "It goes on." in officer.post(f"{at}/resume", via=at).text


def test_ending_takes_a_reason_and_is_in_its_log(
    officer: Colleague, colleague: Make, application: Application, desk: Desk
) -> None:
    at, _ = running(officer, colleague, application)
    assert "Say why" in officer.post(f"{at}/cancel", via=at).text
    officer.post(f"{at}/cancel", via=at, why="The facts were wrong.")
    assert status(desk) == CampaignStatus.CANCELLED
    log = officer.get(f"{at}/log").text
    for act in ("drafted", "handed in", "approved", "started", "ended for good"):
        assert act in log


def test_every_text_can_be_read_beforehand(officer: Colleague) -> None:
    at = drafted(officer)
    for way in ("email", "sms", "whatsapp", "letter"):
        for variant in ("standard", "shared", "guardian", "neutral"):
            shown = officer.get(f"{at}/texts?way={way}&variant={variant}&language=zh-Hant&category=medical")
            assert shown.status_code == 200
            # Nothing of ours shows in WhatsApp's list of chats at a safe contact: that form does not go there.
            assert ('class="notice bad"' in shown.text) == ((way, variant) == ("whatsapp", "neutral"))


def test_an_email_is_shown_in_a_frame_that_can_do_nothing(officer: Colleague) -> None:
    number = drafted(officer).rsplit("/", 1)[1]
    mail = officer.get(f"/desk/campaign-mail?campaign={number}&language=en")
    assert "CHAN Tai Man" in mail.text
    policy = mail.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert "unsafe-inline" not in officer.get("/desk/campaigns").headers["content-security-policy"]


def test_a_letter_is_printed_before_it_is_sent(officer: Colleague) -> None:
    answer = officer.get(f"{drafted(officer)}/letter.pdf?language=zh-Hant")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_a_test_goes_to_the_list_alone(officer: Colleague) -> None:
    at = drafted(officer)
    given: dict[str, Any] = {"way": "email", "language": "en", "variant": "standard", "to": "patient@mail.example"}
    assert "Tests go only to addresses in" in officer.post(f"{at}/test", via=at, **given).text
    assert "Choose how" in officer.post(f"{at}/test", via=at, **{**given, "way": "pigeon"}).text


def test_a_changed_plan_voids_the_approval(officer: Colleague, colleague: Make, application: Application, desk: Desk) -> None:
    second, at = colleague(Role.APPROVER), submitted(officer, application)
    second.post(f"{at}/approve", via=at, **digests(second.get(at).text))
    assert "The plan is saved." in officer.post(f"{at}/plan", via=at, **FORM).text
    assert status(desk) == CampaignStatus.DRAFT


def test_a_publication_offers_news_to_whoever_holds_an_earlier_version(
    officer: Colleague, people: Clinic, application: Application
) -> None:
    with people.database.writing() as session:
        given: dict[str, Any] = {"by": "x", "at": people.clock()}
        life.new(session, people.vault, name="old", notice="first_notice", version="1.1", plan=Plan(ladder=(Way.EMAIL,)), **given)
    office = office_for(application, "x")
    life.submit(office, "old", by="x")
    life.approve(office, "old", by="y")
    with people.database.writing() as session:
        session.execute(update(Obligation).values(status="delivered"))
    shown = officer.get("/desk/publications/2").text
    link = re.search(r'href="(/desk/campaigns/new\?notice=supplementary_notice[^"]+)"', shown)
    assert link
    form = officer.get(link[1].replace("&amp;", "&")).text
    assert 'value="first_notice|1.1" selected' in form
    assert 'name="publication" value="2"' in form


def test_people_are_rung_a_few_at_a_time_with_what_to_say(people: Clinic, colleague: Make, application: Application) -> None:
    office = office_for(application, "x")
    plan = Plan(ladder=(Way.PHONE,), waves=())
    with people.database.writing() as session:
        given: dict[str, Any] = {"name": "calls", "notice": "first_notice", "version": "1.2", "plan": plan}
        life.new(session, people.vault, **given, by="x", at=people.clock())
    life.submit(office, "calls", by="x")
    life.approve(office, "calls", by="y")
    life.start(office, "calls", by="x")
    room = NoticeRoom(office)
    room.step()
    room.close()
    agent, auditor = colleague(Role.AGENT), colleague(Role.AUDITOR)
    assert auditor.post("/desk/campaigns/1/phones").status_code == 403
    listed = agent.get("/desk/phones").text
    assert "On the list: 3 people." in listed
    assert "CHAN Tai Man" not in listed
    assert "/desk/campaigns/1/phones" in listed
    shown = agent.post("/desk/campaigns/1/phones").text
    assert agent.post("/desk/phones/back", whose="staff:999").status_code == 403, "another's people are for who runs the desk"
    assert auditor.post("/desk/phones/back").status_code == 403
    assert "CHAN Tai Man" in shown
    number = re.search(r"/desk/campaigns/1/phones/(\d+)", shown)
    assert number
    assert "Choose what came of the call." in agent.post(number[0], via="/desk", outcome="x").text
    assert "The call is noted." in agent.post(number[0], via="/desk", outcome="told").text
    with people.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Obligation).where(Obligation.status == "delivered")) == 1


def test_a_campaign_that_is_none_is_not_found(officer: Colleague) -> None:
    for part in ("", "/texts", "/log", "/plan", "/hands", "/hours.svg", "/letter.pdf"):
        assert officer.get(f"/desk/campaigns/999{part}").status_code == 404
