"""What the desk does by itself: telling, paging until claimed, taking idle claims back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.base.errors import TemporaryFailure
from bot.channels.base import Outgoing, Sent
from bot.desk.alarm import paging, unclaimed
from bot.desk.alarm.watch import Watch
from bot.desk.models import CaseStatus
from bot.desk.records import Page
from bot.desk.staff.models import StaffAccount
from bot.desk.staff.roles import Role
from bot.desk.work import answers, claims
from bot.desk.work.composing import Composed
from bot.desk.work.speech import NeverSay, Rules
from tests.desk.conftest import Desk


class Pager:
    """Stands in for a provider: remembers what it was given, or fails."""

    def __init__(self, fails: bool = False) -> None:
        self.sent: list[Outgoing] = []
        self.fails = fails

    def send(self, outgoing: Outgoing) -> Sent:
        if self.fails:
            raise TemporaryFailure("down")
        self.sent.append(outgoing)
        return Sent("x")


def watch(desk: Desk, channels: Mapping[str, Pager], holder: str = "host") -> Watch:
    own = {"sms": "+85264500001", "email": "desk@clinic.example"}
    return Watch(desk.database, desk.vault, desk.library, channels, own, desk.clock, holder)  # type: ignore[arg-type]


def test_an_emergency_nobody_takes_is_told_and_paged_until_it_is_taken(desk: Desk) -> None:
    desk.clock.advance(hours=14)  # eleven at night
    lead = desk.colleague(Role.LEAD, mobile="+85291110000", email="lead@clinic.example")
    agent = desk.colleague(mobile="+85292220000")
    case_id = desk.case("self_harm")
    sms, email = Pager(), Pager()
    round_ = watch(desk, {"sms": sms, "email": email})
    round_.tick()
    assert (sms.sent, len(desk.lines(case_id))) == ([], 1)
    desk.clock.advance(minutes=3)
    round_.tick()
    assert desk.lines(case_id)[-1].text == "<still_waiting_urgent en>"
    assert [label for _, label in desk.lines(case_id)[-1].choices] == ["call_back button en", "back_to_assistant button en"]
    assert [one.their for one in sms.sent] == ["+85291110000"]
    assert [one.their for one in email.sent] == ["lead@clinic.example"]
    assert "1 cases wait, urgent: 1, the oldest for 3 min" in sms.sent[0].text
    for minutes, pages in ((1, 1), (4, 2), (5, 3)):
        desk.clock.advance(minutes=minutes)
        round_.tick()
        assert len(sms.sent) == pages
    assert len(desk.lines(case_id)) == 2, "the patient hears it once"
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, agent, desk.clock())
    desk.clock.advance(minutes=6)
    round_.tick()
    assert len(sms.sent) == 3
    assert lead != agent


def test_two_hosts_page_once(desk: Desk) -> None:
    desk.colleague(Role.LEAD, mobile="+85291110000")
    desk.case("self_harm")
    desk.clock.advance(minutes=5)
    sms = Pager()
    for holder in ("one", "other"):
        watch(desk, {"sms": sms}, holder).tick()
    assert len(sms.sent) == 1


def test_what_can_wait_pages_nobody_before_its_time_is_nearly_over(lite: Desk) -> None:
    lite.colleague(Role.LEAD, mobile="+85291110000")
    case_id = lite.case("compensation")
    sms = Pager()
    round_ = watch(lite, {"sms": sms})
    lite.clock.advance(minutes=31)
    round_.tick()
    assert lite.lines(case_id)[-1].text == "<still_waiting en>"
    assert sms.sent == []
    lite.clock.advance(hours=6)
    round_.tick()
    assert len(sms.sent) == 1


def test_nothing_is_said_at_night_of_what_can_wait(lite: Desk) -> None:
    lite.clock.advance(hours=14)
    case_id = lite.case("compensation")
    lite.clock.advance(hours=3)
    watch(lite, {}).tick()
    assert len(lite.lines(case_id)) == 1


def test_without_a_lead_on_duty_everybody_on_duty_is_called_and_else_all_leads(lite: Desk) -> None:
    lead, agent = lite.colleague(Role.LEAD, on_duty=False), lite.colleague()
    with lite.database.reading() as session:
        assert [one.id for one in paging.whom(session)] == [agent]
    with lite.database.writing() as session:
        session.get_one(StaffAccount, agent).on_duty = False
    with lite.database.reading() as session:
        assert [one.id for one in paging.whom(session)] == [lead]


def test_a_provider_that_is_down_is_tried_again_and_then_given_up(lite: Desk) -> None:
    lite.colleague(Role.LEAD, mobile="+85291110000")
    lite.case("self_harm")
    lite.clock.advance(minutes=4)
    round_ = watch(lite, {"sms": Pager(fails=True)})
    for _ in range(4):
        round_.tick()
    with lite.database.reading() as session:
        row = session.query(Page).one()
        assert (row.status, row.attempts, row.reason) == ("failed", 3, "down")


def test_claims_of_who_has_gone_return_and_those_of_who_works_stay(desk: Desk) -> None:
    gone, works = desk.colleague(), desk.colleague()
    left, answered, kept = desk.case(), desk.case(), desk.case()
    with desk.database.writing() as session:
        for case_id, staff_id in ((left, gone), (answered, gone), (kept, works)):
            claims.claim(session, desk.vault, case_id, staff_id, desk.clock())
        rules = Rules(NeverSay({}))
        composed = Composed(["distress"], "", 1)
        answers.send(session, desk.vault, desk.published, rules, answered, gone, desk.clock(), composed)
    since = desk.look(left).waiting_since
    desk.clock.advance(minutes=10)
    with desk.database.writing() as session:
        session.get_one(StaffAccount, works).seen_at = desk.clock()
    watch(desk, {}).tick()
    assert (desk.look(left).status, desk.look(left).waiting_since) == (CaseStatus.OPEN, since)
    assert desk.look(answered).status == CaseStatus.WAITING
    assert desk.look(kept).status == CaseStatus.CLAIMED


def test_a_page_says_nothing_of_a_patient() -> None:
    for language in ("en", "zh-Hant", "zh-Hans", "tl"):  # one without a text of its own reads English
        for channel in paging.BODY:
            account = StaffAccount(language=language)
            said = paging.words(account, channel, 123, 45, timedelta(hours=3))
            assert len(said) <= 300
            assert "{" not in said
            assert all(number in said for number in ("123", "45", "180"))
    assert unclaimed.PATIENCE[0] < unclaimed.PATIENCE[1] < unclaimed.PATIENCE[2]
