"""Silence and the health of the desk: what is told, who is called, and when it is well again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.base import leases
from bot.conversations.models import Turn, TurnStatus
from bot.conversations.post.models import HookDelivery, HookKind, HookStatus
from bot.desk.alarm import health, silence
from bot.desk.alarm.watch import Watch
from bot.desk.records import Page, PageAbout, PageStatus
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk


def waits(desk: Desk, number: int = 1, status: TurnStatus = TurnStatus.STORED) -> None:
    """Patients write, and their turns are left in this status."""
    for _ in range(number):
        desk.turn(desk.thread())
    with desk.database.writing() as session:
        session.query(Turn).update({"status": status.value})


def pages(desk: Desk) -> list[Page]:
    with desk.database.reading() as session:
        return list(session.query(Page).filter(Page.about == PageAbout.SILENCE.value).order_by(Page.id))


def alarm(desk: Desk) -> int:
    with desk.database.writing() as session:
        return silence.alarm(session, desk.vault, desk.clock())


def signs(desk: Desk) -> dict[str, health.Sign]:
    with desk.database.reading() as session:
        return {one.part: one for one in health.signs(session, desk.vault, desk.clock())}


def test_after_two_minutes_without_an_answer_the_lead_is_called_again_and_again(lite: Desk) -> None:
    lite.colleague(Role.LEAD, mobile="+85291110000")
    waits(lite)
    lite.clock.advance(seconds=119)
    assert alarm(lite) == 0
    lite.clock.advance(seconds=1)
    assert alarm(lite) == 1
    assert alarm(lite) == 0
    lite.clock.advance(seconds=300)
    assert alarm(lite) == 1
    [first, _] = pages(lite)
    assert "does not answer" in first.text
    assert "沒有回應" in first.text
    assert len(first.text) <= 300
    waits(lite, 0, TurnStatus.ANSWERED)
    lite.clock.advance(seconds=600)
    assert alarm(lite) == 0


def test_apologies_alone_are_silence_and_one_answer_ends_it(lite: Desk) -> None:
    lite.colleague(Role.LEAD, email="lead@clinic.example")
    waits(lite, 2, TurnStatus.FAILED)
    assert alarm(lite) == 0
    waits(lite, 1, TurnStatus.FAILED)
    assert alarm(lite) == 1
    assert signs(lite)["answers"].key == "only_apologies"
    thread = lite.thread()
    lite.turn(thread)
    with lite.database.writing() as session:
        session.query(Turn).filter(Turn.thread_id == thread).update({"status": TurnStatus.ANSWERED.value})
    lite.clock.advance(seconds=10)
    assert signs(lite)["answers"].well


def test_the_round_of_the_desk_looks_for_silence(lite: Desk) -> None:
    lite.colleague(Role.LEAD, mobile="+85291110000")
    waits(lite)
    lite.clock.advance(seconds=180)
    Watch(lite.database, lite.vault, lite.library, {}, {}, lite.clock, "host").tick()
    assert len(pages(lite)) == 1


def test_every_part_is_well_while_it_works(lite: Desk) -> None:
    lite.colleague(Role.LEAD, mobile="+85291110000")
    with lite.database.writing() as session:
        assert leases.take(session, name=health.WATCH, holder="host", at=lite.clock(), seconds=60)
    assert [one for one in signs(lite).values() if one.well is not True] == []


@pytest.mark.parametrize("part", ["answers", "worker", "hooks", "pager", "queue"])
def test_each_part_that_does_not_work_is_told_apart(lite: Desk, part: str) -> None:
    lead = lite.colleague(Role.LEAD, mobile="+85291110000", on_duty=part != "queue")
    at = lite.clock()
    with lite.database.writing() as session:
        leases.take(session, name=health.WATCH, holder="host", at=at, seconds=10 if part == "worker" else 3600)
        if part == "hooks":
            row = {"kind": HookKind.TWILIO_MESSAGES.value, "provider_id": "SM1", "sealed_content": "x"}
            session.add(HookDelivery(**row, status=HookStatus.STORED.value, received_at=at))
        if part == "pager":
            session.add(Page(staff_id=lead, channel="sms", text="x", status=PageStatus.FAILED.value, made_at=at))
    if part == "answers":
        waits(lite)
    if part == "queue":
        lite.case("self_harm")
    lite.clock.advance(seconds=150)
    wrong = [name for name, one in signs(lite).items() if one.well is False]
    assert wrong == [part, "seal"]  # nobody seals the log here


def test_what_waits_within_its_time_is_no_trouble(lite: Desk) -> None:
    lite.colleague(Role.LEAD, mobile="+85291110000")
    waits(lite)
    lite.clock.now += timedelta(seconds=60)
    assert signs(lite)["answers"].well
