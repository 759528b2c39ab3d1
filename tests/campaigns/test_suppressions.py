"""SendGrid's suppression lists, read back from the simulator over the official library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bot.base.audit import AuditEntry
from bot.campaigns.models import Notice
from bot.campaigns.office import Office
from bot.campaigns.sending import suppressing
from bot.campaigns.sending.room import NoticeRoom
from bot.campaigns.sending.suppressed import Suppression, SuppressionReading
from bot.channels.base import Suppressed
from bot.channels.email import Email
from bot.patients.models import CONTACT, ContactPoint, Way
from tests.campaigns.house import Clinic
from tests.simulator.conftest import Running, start, until

LADDER = (Way.EMAIL, Way.SMS)


@dataclass
class Interrupted(Email):
    """Whoever reads is killed at this page."""

    dies_at: int = 0

    def suppressed(self, name: str, since: int, skip: int) -> list[Suppressed]:
        if name == "bounces" and skip == self.dies_at:
            raise SystemExit
        return super().suppressed(name, since, skip)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    simulator = start(speed=1.0)
    yield simulator
    simulator.thread.stop()


@pytest.fixture
def provider(running: Running) -> Running:
    running.post("reset", configuration=True)
    return running


def office(clinic: Clinic, provider: Running, dies_at: int = -1) -> Office:
    made = Interrupted(provider.options.credentials.sendgrid_api_key, "", "", base_url=provider.url, dies_at=dies_at)
    plain = clinic.office()
    return replace(plain, channels={**plain.channels, "email": made})


def listed(provider: Running, name: str, addresses: list[str], at: datetime) -> None:
    rows = [[name, address, int(at.timestamp()) - place, '{"status": "5.1.1"}'] for place, address in enumerate(addresses)]
    for row in rows:
        provider.world.store.run("INSERT INTO suppressions VALUES (?, ?, ?, ?)", row)


def addresses(clinic: Clinic) -> list[str]:
    with clinic.database.reading() as session:
        points = session.scalars(select(ContactPoint).where(ContactPoint.kind == "email").order_by(ContactPoint.id))
        return [clinic.vault.open(one.sealed_value, CONTACT) for one in points]


def known(clinic: Clinic) -> int:
    with clinic.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Suppression)) or 0


def test_a_bounce_that_no_event_told_of_begins_the_next_rung(clinic: Clinic, provider: Running) -> None:
    clinic.people(5)
    clinic.running(ladder=LADDER)
    clinic.works()
    bounced, blocked, complained, gone, _ = addresses(clinic)
    later = clinic.clock() + timedelta(hours=1)
    for name, address in (("bounces", bounced), ("blocks", blocked), ("spam_reports", complained), ("global", gone)):
        listed(provider, name, [address], later)
    assert suppressing.read(office(clinic, provider)) == 4
    # Who complained or unsubscribed afterwards has read it.
    assert [one.status for one in clinic.notices(channel="email")] == ["failed", "failed", "accepted", "accepted", "accepted"]
    assert {one.code for one in clinic.notices(status="failed")} == {"5.1.1"}
    clinic.works()
    assert len(clinic.sms.got) == 2
    assert suppressing.read(office(clinic, provider)) == 0  # not due


def test_what_sendgrid_would_drop_is_not_sent_and_the_next_rung_begins_at_once(clinic: Clinic, provider: Running) -> None:
    clinic.people(6)
    found = addresses(clinic)
    group = provider.sendgrid().client.asm.groups.post(request_body={"name": "news", "description": "news"})
    assert group.status_code == 201
    number = provider.world.store.one("SELECT id FROM groups")["id"]
    for name, address in zip(
        ("bounces", "invalid_emails", "spam_reports", "global", f"group:{number}", "blocks"), found, strict=True
    ):
        listed(provider, name, [address.upper()], clinic.clock() - timedelta(days=9))
    provider.world.store.run("UPDATE suppressions SET email = lower(email)")
    assert suppressing.read(office(clinic, provider)) == 6
    clinic.running(ladder=LADDER)
    clinic.works()
    assert list(clinic.email.got) == [found[5]]  # a block passes
    assert clinic.counts(Notice) == {"withheld": 5, "accepted": 6}
    assert len(clinic.sms.got) == 5


def test_reading_goes_on_at_the_page_where_it_was_killed_and_from_the_time_it_had_reached(
    clinic: Clinic, provider: Running
) -> None:
    now = clinic.clock()
    listed(provider, "bounces", [f"gone{one}@mail.example" for one in range(1203)], now)
    with pytest.raises(SystemExit):
        suppressing.read(office(clinic, provider, dies_at=1000))
    assert known(clinic) == 1000
    clinic.clock.advance(minutes=3)
    assert suppressing.read(office(clinic, provider)) == 203
    assert known(clinic) == 1203
    clinic.clock.advance(minutes=6)
    listed(provider, "bounces", ["new@mail.example"], now + timedelta(minutes=5))
    # The last ten minutes are read again, and no more: one entry a second.
    assert suppressing.read(office(clinic, provider)) == 602
    assert known(clinic) == 1204


def test_a_request_to_slow_down_is_obeyed_until_the_time_it_names(clinic: Clinic, provider: Running) -> None:
    listed(provider, "bounces", ["gone@mail.example"], clinic.clock())
    provider.world.start_burst("sendgrid")
    assert suppressing.read(office(clinic, provider)) == 0
    with clinic.database.reading() as session:
        assert min(one.due_at for one in session.scalars(select(SuppressionReading))) > clinic.clock()
    until(lambda: provider.world.burst_left_s("sendgrid") == 0)
    assert suppressing.read(office(clinic, provider)) == 0
    clinic.clock.advance(minutes=3)
    assert suppressing.read(office(clinic, provider)) == 1


def test_the_room_reads_the_lists_while_a_campaign_is_under_way_and_one_reader_is_enough(
    clinic: Clinic, provider: Running
) -> None:
    clinic.people(1)
    listed(provider, "bounces", addresses(clinic), clinic.clock() + timedelta(hours=1))
    with clinic.database.reading() as session:
        assert not suppressing.due(session, clinic.clock())
    clinic.running(ladder=LADDER, waves=())
    room = NoticeRoom(office(clinic, provider))
    room.step()
    until(lambda: known(clinic) == 1)
    room.close()
    clinic.clock.advance(minutes=6)
    first, second = office(clinic, provider), replace(office(clinic, provider), holder="another")
    suppressing.read(first)
    clinic.clock.advance(minutes=1)
    with clinic.database.reading() as session:
        before = session.scalars(select(SuppressionReading.due_at)).all()
    suppressing.read(second)
    with clinic.database.reading() as session:
        assert session.scalars(select(SuppressionReading.due_at)).all() == before


def test_whom_sendgrid_took_off_a_list_is_written_to_again_and_it_is_noted(clinic: Clinic, provider: Running) -> None:
    first, second = clinic.people(2)
    found, at = addresses(clinic), clinic.clock()
    listed(provider, "bounces", found, at - timedelta(days=9))
    clinic.running(ladder=LADDER, waves=())
    assert suppressing.read(office(clinic, provider)) == 2
    provider.world.store.run("DELETE FROM suppressions WHERE email = ?", [found[0]])
    for left in (2, 1):  # missed by one whole reading it may have slipped between two pages
        clinic.clock.advance(hours=4)
        suppressing.read(office(clinic, provider))
        assert known(clinic) == left
    with clinic.database.reading() as session:
        lifted = session.scalars(select(AuditEntry.subject).where(AuditEntry.kind == "suppression.lifted")).all()
    assert lifted == [f"person:{first}"]
    clinic.works()
    assert list(clinic.email.got) == [found[0]]
    assert [one.status for one in clinic.notices(channel="email", person_id=second)] == ["withheld"]


def test_who_joins_a_group_again_is_off_its_list_with_the_next_reading(clinic: Clinic, provider: Running) -> None:
    clinic.people(1)
    provider.sendgrid().client.asm.groups.post(request_body={"name": "news", "description": "news"})
    number = provider.world.store.one("SELECT id FROM groups")["id"]
    listed(provider, f"group:{number}", addresses(clinic), clinic.clock())
    clinic.running(ladder=LADDER, waves=())
    suppressing.read(office(clinic, provider))
    assert known(clinic) == 1
    provider.world.store.run("DELETE FROM suppressions")
    clinic.clock.advance(minutes=6)
    suppressing.read(office(clinic, provider))
    assert known(clinic) == 0
