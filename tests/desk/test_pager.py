"""Calls for help end to end: the worker's round, the real channels, the provider simulator, until somebody comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.channels.registry import channels
from bot.desk.alarm import paging
from bot.desk.alarm.watch import Watch
from bot.desk.records import Page, PageStatus
from bot.desk.staff.roles import Role
from bot.desk.work import claims
from tests.channels.signing import OWN, account
from tests.desk.conftest import Desk
from tests.simulator.conftest import Running, start

LEAD = "+85291110000"


@pytest.fixture
def provider() -> Iterator[Running]:
    """A provider that this test may break."""
    running = start()
    yield running
    running.thread.stop()


def watch(desk: Desk, provider: Running, home: Path) -> Watch:
    settings = account(
        home,
        provider.url,
        twilio_account_sid=provider.account,
        twilio_auth_token=SecretStr(provider.token),
        sendgrid_api_key=SecretStr(provider.options.credentials.sendgrid_api_key),
    )
    return Watch(desk.database, desk.vault, desk.library, channels(settings, desk.clock), OWN, desk.clock, "host")


def texts(provider: Running) -> list[str]:
    """The texts that the lead's telephone got."""
    rows = provider.world.store.all("SELECT body FROM texts WHERE recipient = ?", [LEAD])
    return [str(row["body"]) for row in rows]


def trouble(desk: Desk) -> paging.Trouble:
    with desk.database.reading() as session:
        return paging.trouble(session, desk.vault, desk.clock())


def test_the_lead_is_called_again_and_again_until_somebody_comes(lite: Desk, provider: Running, tmp_path: Path) -> None:
    lite.colleague(Role.LEAD, mobile=LEAD)
    agent, case_id = lite.colleague(), lite.case("self_harm")
    round_ = watch(lite, provider, tmp_path)
    for calls in (1, 2, 3):
        lite.clock.advance(minutes=5)
        round_.tick()
        assert len(texts(provider)) == calls
    assert "urgent: 1," in texts(provider)[0]
    with lite.database.writing() as session:
        claims.claim(session, lite.vault, case_id, agent, lite.clock())
    lite.clock.advance(minutes=5)
    round_.tick()
    assert len(texts(provider)) == 3
    assert not trouble(lite).is_there


def test_a_provider_that_is_down_is_seen_and_the_next_call_that_arrives_ends_it(
    lite: Desk, provider: Running, tmp_path: Path
) -> None:
    lite.colleague(Role.LEAD, mobile=LEAD)
    lite.case("self_harm")
    round_ = watch(lite, provider, tmp_path)
    lite.clock.advance(minutes=5)
    provider.post("faults", rates={"error_500": 1.0})
    for _ in range(paging.TRIES):
        round_.tick()
    assert texts(provider) == []
    assert (trouble(lite).failed, trouble(lite).is_there) == (1, True)
    provider.post("faults", rates={})
    lite.clock.advance(minutes=5)
    round_.tick()
    assert len(texts(provider)) == 1
    assert not trouble(lite).is_there
    with lite.database.reading() as session:
        assert [page.status for page in session.query(Page).order_by(Page.id)] == [PageStatus.FAILED, PageStatus.SENT]


def test_a_call_that_no_worker_sends_and_a_team_without_numbers_are_seen(lite: Desk) -> None:
    assert trouble(lite).nobody
    lite.colleague(Role.LEAD)
    assert trouble(lite).nobody, "an account without a number cannot be called"
    lead = lite.colleague(Role.LEAD, mobile=LEAD)
    assert not trouble(lite).is_there
    with lite.database.writing() as session:
        session.add(Page(staff_id=lead, channel="sms", text="x", made_at=lite.clock()))
    assert not trouble(lite).is_there
    lite.clock.now += paging.STUCK_AFTER
    assert (trouble(lite).stuck, trouble(lite).is_there) == (1, True)
