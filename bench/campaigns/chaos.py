"""`bench chaos`: campaigns whose workers, web and provider are killed at random moments, counted afterwards by an SQL script.

Two workers send over one database; the provider fails by a seed. Afterwards `chaos.sql` counts over what the database and the
provider each say: nobody lost, nobody written to twice without a visible doubt.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bench.campaigns.house import Installation, awaits
from bench.webhooks import postgres
from bot.base.evidence import verify
from bot.campaigns import life
from bot.campaigns.plan import Plan
from bot.patients.models import Way

SCRIPT = Path(__file__).with_suffix(".sql")
FAULTS = (
    "error_500=0.02,error_500_after_accept=0.03,burst_429=0.01,repeat=0.1,reorder=0.2,early=0.1,"
    "bounce=0.1,unknown_number=0.05,lose=0.02"
)
VICTIMS = ("worker:1", "worker:2", "worker:1", "worker:2", "web", "simulator")
PACE = {Way.EMAIL: 400.0, Way.SMS: 60.0}
KILLS = 12
TAKES_S = 900.0
TABLES = {
    "campaigns": "SELECT id, population FROM campaigns",
    "persons": "SELECT id FROM persons",
    "obligations": "SELECT id, person_id, status FROM obligations",
    "notices": "SELECT id, obligation_id, person_id, channel, reference, status FROM notices",
    "attempts": "SELECT notice_id, outcome FROM notice_attempts",
    "events": "SELECT notice_id, outcome FROM notice_events",
}


def run(folder: Path, *, seeds: int, first: int, people: int, on_postgres: bool) -> dict[str, Any]:
    """That many campaigns, one after the other; raises RuntimeError naming the seed and what was wrong."""
    began, doubts = time.perf_counter(), 0
    for seed in range(first, first + seeds):
        with postgres() if on_postgres else contextlib.nullcontext("") as database_url:
            wrong, in_doubt = once(folder / str(seed), seed=seed, people=people, database_url=database_url)
        if wrong:
            raise RuntimeError(f"Seed {seed}: {'; '.join(wrong)}")
        doubts += in_doubt
        sys.stderr.write(f"seed {seed}: nobody lost, nobody doubled; {in_doubt} in doubt for a while\n")
    return {
        "runs": seeds,
        "people": people,
        "kills": seeds * KILLS,
        "in_doubt": doubts,
        "wrong": 0,
        "database": "postgresql" if on_postgres else "sqlite",
        "seconds": round(time.perf_counter() - began, 1),
    }


def once(home: Path, *, seed: int, people: int, database_url: str = "", kills: int = KILLS) -> tuple[list[str], int]:
    """One campaign under fire: what is wrong afterwards, and how many calls were in doubt."""
    dice = random.Random(seed)  # noqa: S311 - to be repeated
    at = Installation(home, database_url=database_url, seed=seed, faults=FAULTS, provider_timeout_s=2)
    try:
        at.people(people)
        waves = (people // 10, people // 5)
        plan = Plan(ladder=(Way.EMAIL, Way.SMS), waves=waves, release="desk", quiet_override="a test", per_second=PACE)
        at.campaign("all", plan)
        at.start("simulator", "web", "worker:1", "worker:2")
        life.start(at.office(), "all", by="author")
        for _ in range(kills):
            before = _number(at, "SELECT count(*) FROM notice_attempts")
            awaits(lambda seen=before: _rests(at) or _moved(at, seen), "something is sent", TAKES_S)
            time.sleep(dice.uniform(0, 0.4))
            victim = dice.choice(VICTIMS)
            at.kill(victim)
            at.start(victim)
        awaits(lambda: _rests(at), "everybody was written to", TAKES_S)
        return _wrong(at), _number(at, "SELECT count(*) FROM notice_attempts WHERE outcome = 'unknown'")
    finally:
        at.close()


def _wrong(at: Installation) -> list[str]:
    books = sqlite3.connect(":memory:")
    with contextlib.closing(books), at.database.reading() as session:
        for name, query in TABLES.items():
            found = session.execute(text(query))
            columns = list(found.keys())
            books.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            places = ", ".join("?" * len(columns))
            books.executemany(f"INSERT INTO {name} VALUES ({places})", [tuple(row) for row in found])  # noqa: S608
        books.execute("CREATE TABLE taken (reference, channel)")
        books.executemany("INSERT INTO taken VALUES (?, ?)", _taken(at))
        wrong = [f"{number} {what}" for what, query in _queries() if (number := books.execute(query).fetchone()[0])]
    awaits(lambda: not _number(at, "SELECT count(*) FROM audit WHERE sequence IS NULL"), "the log is sealed", TAKES_S)
    proof = verify(at.database, at.settings.secret("audit_keys"), at.settings.home / "evidence", at.vault)
    return wrong if proof.ok else [*wrong, f"the log: {proof.problem}"]


def _queries() -> Iterator[tuple[str, str]]:
    """The queries of the script with what each counts."""
    for part in SCRIPT.read_text(encoding="utf-8").split("\n\n"):
        words, _, query = part.partition("\nSELECT")
        if query:
            yield words.removeprefix("-- "), f"SELECT{query}"


def _taken(at: Installation) -> Iterator[tuple[str, str]]:
    """The provider's own log: each message it accepted, by the reference that it carried."""
    for mail in at.accepted("email"):
        yield str(mail["args"].get("candour")), "email"
    for one in at.accepted("sms"):
        yield parse_qs(urlsplit(one["callback"] or "").query).get("ref", [""])[0], "sms"


def _moved(at: Installation, seen: int) -> bool:
    _go_on(at)
    return _number(at, "SELECT count(*) FROM notice_attempts") > seen


def _rests(at: Installation) -> bool:
    """Nothing is being sent and no rung is due."""
    _go_on(at)
    due = "status = 'open' AND (next_at IS NULL OR next_at <= CURRENT_TIMESTAMP)"
    busy = "SELECT count(*) FROM notices WHERE status IN ('planned', 'submitting')"
    stored = "SELECT count(*) FROM hook_deliveries WHERE status = 'stored'"
    waiting = f"SELECT count(*) FROM obligations WHERE status = 'planned' OR ({due})"  # noqa: S608 - our own words
    return not (_number(at, busy) or _number(at, waiting) or _number(at, stored))


def _go_on(at: Installation) -> None:
    """A person who looks resumes what failures and outages have paused; on a busy machine they try again."""
    with at.database.reading() as session:
        if life.named(session, "all").status != "paused":
            return
    with contextlib.suppress(OperationalError), at.database.writing() as session:
        campaign = life.named(session, "all", lock=True)
        if campaign.status == "paused":
            life.resume(session, at.vault, campaign, by="author", at=at.office().clock())


def _number(at: Installation, query: str) -> int:
    with at.database.reading() as session:
        return int(session.scalar(text(query)) or 0)
