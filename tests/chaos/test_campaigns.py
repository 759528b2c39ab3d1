"""Campaigns whose worker is killed at random moments: nobody is lost, nobody is written to twice without a visible doubt."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bench.notices import Installation, awaits
from bot.campaigns import figures, life
from bot.campaigns.plan import Plan
from bot.patients.models import Way

PEOPLE = 300
KILLS = 5
FAULTS = (
    "error_500=0.02,error_500_after_accept=0.03,burst_429=0.01,repeat=0.1,reorder=0.2,early=0.1,"
    "bounce=0.1,unknown_number=0.05,lose=0.02"
)
LADDER = (Way.EMAIL, Way.SMS)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Where the installation's data lie; empty means SQLite in its home."""
    return str(request.getfixturevalue("empty_postgres_url")) if request.param == "postgres" else ""


@pytest.fixture(params=[1, 2, 3])
def installation(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """One with a provider that fails by this seed."""
    made = Installation(tmp_path / "home", database_url=database_url, seed=request.param, faults=FAULTS, provider_timeout_s=2)
    try:
        yield made
    finally:
        made.close()


def rows(installation: Installation, query: str) -> list[Any]:
    with installation.database.reading() as session:
        return list(session.execute(text(query)).all())


def rests(installation: Installation) -> bool:
    """Nothing is being sent, and no rung is due."""
    [(waiting,)] = rows(installation, "SELECT count(*) FROM notices WHERE status IN ('planned', 'submitting')")
    [(planned,)] = rows(installation, "SELECT count(*) FROM obligations WHERE status = 'planned'")
    [(due,)] = rows(
        installation,
        "SELECT count(*) FROM obligations WHERE status = 'open' AND (next_at IS NULL OR next_at <= CURRENT_TIMESTAMP)",
    )
    return not (waiting or planned or due)


def goes_on(installation: Installation) -> None:
    """A person who looks resumes what the rate of invented failures has paused; on a busy machine they try again."""
    if rows(installation, "SELECT status FROM campaigns")[0][0] != "paused":
        return
    with contextlib.suppress(OperationalError), installation.database.writing() as session:
        campaign = life.named(session, "all", lock=True)
        if campaign.status == "paused":
            life.resume(session, installation.vault, campaign, by="author", at=installation.office().clock())


def reached(installation: Installation) -> Counter[str]:
    """The provider's own log: how often it accepted something under each of our references."""
    found: Counter[str] = Counter()
    for mail in installation.accepted("email"):
        found[str(mail["args"].get("candour"))] += 1
    for one in installation.accepted("sms"):
        found[parse_qs(urlsplit(one["callback"] or "").query).get("ref", [""])[0]] += 1
    return found


def test_a_worker_killed_at_random_moments_loses_and_doubles_nobody(
    installation: Installation, request: pytest.FixtureRequest
) -> None:
    dice = random.Random(request.node.name)
    installation.people(PEOPLE)
    fast = {Way.EMAIL: 1000.0, Way.SMS: 1000.0}
    plan = Plan(ladder=LADDER, waves=(30, 60), release="desk", quiet_override="a test", per_second=fast)
    installation.campaign("all", plan)
    installation.start("simulator", "web", "worker")
    life.start(installation.office(), "all", by="author")
    for _ in range(KILLS):
        before = rows(installation, "SELECT count(*) FROM notice_attempts")[0][0]
        awaits(
            lambda seen=before: rests(installation) or rows(installation, "SELECT count(*) FROM notice_attempts")[0][0] > seen,
            "something is sent",
        )
        time.sleep(dice.uniform(0, 0.3))
        installation.kill("worker")
        installation.start("worker")
        goes_on(installation)
    awaits(lambda: goes_on(installation) or rests(installation), "everybody was written to", 240)

    with installation.database.reading() as session:
        now = figures.standing(session, life.named(session, "all"), installation.office().clock())
    assert now.population == PEOPLE
    assert now.adds_up
    known = {row.reference: row for row in rows(installation, "SELECT * FROM notices")}
    provider = reached(installation)
    assert set(provider) <= set(known)
    in_doubt = {row[0] for row in rows(installation, "SELECT notice_id FROM notice_attempts WHERE outcome = 'unknown'")}
    assert [reference for reference, times in provider.items() if times > 1 and known[reference].id not in in_doubt] == []
    claimed = [row for row in known.values() if row.status in ("accepted", "delivered")]
    assert [row.id for row in claimed if not provider[row.reference]] == []
    lost = "SELECT count(*) FROM obligations o WHERE NOT EXISTS (SELECT 1 FROM notices n WHERE n.obligation_id = o.id)"
    assert rows(installation, lost)[0][0] == 0
    per_person = rows(
        installation, "SELECT person_id, channel, count(*) FROM notices GROUP BY person_id, channel HAVING count(*) > 1"
    )
    assert per_person == []
