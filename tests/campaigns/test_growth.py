"""A round over a campaign reads no more for many people than for few; counted are the database's own steps, never a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.campaigns import ladder, life, pace
from bot.campaigns.plan import Plan
from bot.campaigns.sending import claiming
from bot.campaigns.sending.press import Press
from bot.conversations.post import outbox
from bot.patients.models import Way
from tests.campaigns.house import Clinic
from tests.make import FakeClock

FEW, MANY = 40, 320
NIGHT = datetime(2023, 5, 9, 14, 0, tzinfo=UTC)
LADDER = (Way.EMAIL, Way.SMS, Way.LETTER)


@pytest.fixture
def lite(sqlite_url: str, vault: Vault, index: BlindIndex, clock: FakeClock) -> Iterator[Clinic]:
    """The clinic over SQLite, which tells its steps."""
    database = Database(sqlite_url)
    yield Clinic(database, vault, index, clock)
    database.close()


def steps(clinic: Clinic, name: str) -> int:
    """How many steps SQLite takes for a look at a campaign."""
    number = 0

    def count() -> int:
        nonlocal number
        number += 1
        return 0

    with clinic.database.writing() as session:
        campaign = life.named(session, name)
        driver: Any = session.connection().connection.dbapi_connection
        driver.set_progress_handler(count, 1)
        try:
            ladder.look(session, clinic.office(), campaign.id, clinic.clock())
        finally:
            driver.set_progress_handler(None, 1)
    return number


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_look_at_a_campaign_takes_as_long_for_many_as_for_few(lite: Clinic, channel: str) -> None:
    """Texts all wait for the morning, and e-mails have all left."""
    rungs = (Way.SMS, Way.LETTER) if channel == "sms" else (Way.EMAIL, Way.LETTER)
    lite.clock.now = NIGHT
    lite.people(FEW)
    lite.running("few", version="1", ladder=rungs)
    lite.works()
    few = steps(lite, "few")
    lite.people(MANY - FEW)
    lite.running("many", version="2", ladder=rungs)
    lite.works()
    assert ("morning" in lite.now("many").waits_for) == (channel == "sms")
    assert steps(lite, "many") < 1.5 * few


@contextmanager
def plans(session: Session) -> Iterator[list[str]]:
    """How SQLite goes about the statements asked meanwhile."""
    asked: list[tuple[str, Any]] = []
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, is_many: bool) -> None:
        if not is_many and statement.startswith("SELECT"):
            asked.append((statement, values))

    engine = session.get_bind().engine  # type: ignore[union-attr]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
    for statement, values in asked:
        explained = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        found.append("; ".join(str(row[3]) for row in explained))


def test_open_parts_are_found_in_their_index(lite: Clinic) -> None:
    with lite.database.writing() as session, plans(session) as found:
        outbox.waiting(session, at=lite.clock())
        outbox.bury(session, lite.clock())
        outbox.take(session, lite.vault, channel="sms", limit=5, at=lite.clock())
    assert len(found) == 4
    assert all("ix_outbox_open" in one for one in found)


def test_notices_are_taken_in_the_order_of_their_index_and_the_queue_is_summed_in_its_own(lite: Clinic) -> None:
    lite.people(2)
    lite.running(ladder=LADDER, waves=())
    office, campaign = lite.office(), lite.now()
    with lite.database.writing() as session, plans(session) as found:
        claiming.claim(session, office, Press(office), campaign.id, Way.EMAIL, 10, lite.clock())
    taking = [one for one in found if "ix_notices_" in one and "suppressions" not in one]
    assert all("ix_notices_open" in one and "TEMP B-TREE" not in one for one in taking), taking
    with lite.database.writing() as session, plans(session) as found:
        campaign = life.named(session, campaign.name)
        campaign.segments = 10**9
        session.flush()
        pace.room(session, Plan().per_second[Way.SMS], lite.clock())
    assert "COVERING INDEX ix_notices_lying" in found[-1]
