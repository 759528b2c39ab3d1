"""The demo day: a desk on which there is something of everything, made by the real inbox, and never over real people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.settings import REPOSITORY, Settings
from bot.cli.demo import day
from bot.cli.demo.crowd import MANY, crowd
from bot.cli.demo.script import TALKS
from bot.conversations.models import Reply, Thread, Turn, TurnStatus
from bot.conversations.post.models import Part, PartStatus
from bot.conversations.speaking import proposal
from bot.desk.models import Case
from bot.desk.records import CaseCall, CaseDraft, CaseNote
from bot.desk.sight.handled import not_handled
from bot.desk.sight.listing import listing
from bot.desk.staff import approvals, demo
from bot.desk.staff.models import StaffAccount
from bot.desk.surge import booked
from bot.desk.work.queue import Filters
from bot.patients.models import Person
from tests.conftest import Keys
from tests.people import publish

OWN = {"sms_numbers": "+85264500001", "whatsapp_numbers": "+85264500002", "email_addresses": "care@clinic.example"}


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str, keys: Keys) -> Settings:
    """A fresh installation with its keys."""
    secrets = {"vault_keys": SecretStr(keys.vault), "index_keys": SecretStr(keys.index)}
    return Settings(_env_file=None, home=tmp_path, database_url=sqlite_url).model_copy(update={**secrets, **OWN})


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """Its database, with the shipped texts in force."""
    made = Database(settings.database)
    publish(made, proposal.read(REPOSITORY / "data"), system_clock())
    yield made
    made.close()


def test_the_day_has_people_languages_channels_and_cases_of_every_priority(settings: Settings, database: Database) -> None:
    said: list[str] = []
    day.play(settings, said.append)
    assert len(said) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count(Person.id))) == 200
        threads = session.scalar(select(func.count(Thread.id))) or 0
        assert len(TALKS) + MANY - 25 <= threads <= len(TALKS) + MANY  # who shares a telephone shares its thread
        assert set(session.scalars(select(Thread.channel))) == {"web", "sms", "whatsapp", "email"}
        assert set(session.scalars(select(Thread.language))) == {"en", "zh-Hant", "zh-Hans", "tl", "id"}
        priorities = set(session.scalars(select(Case.priority)))
        assert priorities == {0, 1, 2, 3}
        assert session.scalar(select(func.count(Turn.id)).where(Turn.status == TurnStatus.STORED.value)) == 0
        assert session.scalar(select(func.count(Turn.id)).where(Turn.status == TurnStatus.FAILED.value)) == 0
        assert (session.scalar(select(func.count(Reply.id))) or 0) >= len(TALKS) + MANY
        assert not_handled(session, system_clock()) == []
        # WhatsApp takes free text only where a patient has just written, and the simulator heard none.
        waiting = select(Part.channel).where(Part.status != PartStatus.DELIVERED.value)
        assert "whatsapp" not in set(session.scalars(waiting))


def test_it_is_played_once(settings: Settings, database: Database) -> None:
    said: list[str] = []
    for _ in range(2):
        day.play(settings, said.append)
    assert len(said) == 1


def test_it_is_not_played_where_anybody_has_written(settings: Settings, database: Database) -> None:
    with database.writing() as session:
        session.add(Thread(channel="web", address_index="i.1.x", language="en", created_at=system_clock()))
    said: list[str] = []
    day.play(settings, said.append)
    assert said == []
    with database.reading() as session:
        assert session.scalar(select(func.count(Person.id))) == 0


def test_the_demo_team_is_told_with_its_way_in_and_is_made_once(settings: Settings, database: Database) -> None:
    said: list[str] = []
    for _ in range(2):
        day.team(settings, said.append)
    assert demo.PASSWORD in said[0]
    assert [line.split()[0] for line in said[1 : len(demo.TEAM) + 1]] == [one.login for one in demo.TEAM]
    with database.reading() as session:
        assert session.scalar(select(func.count(StaffAccount.id))) == len(demo.TEAM)


def test_no_demo_team_is_made_where_others_can_reach_us(settings: Settings, database: Database) -> None:
    said: list[str] = []
    day.team(settings.model_copy(update={"public_url": "https://clinic.example"}), said.append)
    assert "Demo accounts are made" in said[0]
    with database.reading() as session:
        assert session.scalar(select(func.count(StaffAccount.id))) == 0


def test_with_a_team_the_day_has_something_of_everything(settings: Settings, database: Database) -> None:
    said: list[str] = []
    day.team(settings, said.append)
    day.play(settings, said.append)
    at = system_clock()
    with database.reading() as session:
        assert set(session.scalars(select(Case.status))) == {"open", "claimed", "waiting", "snoozed", "resolved", "merged"}
        assert len(set(session.scalars(select(Case.outcome).where(Case.outcome.is_not(None))))) >= 3
        states = {clock.state.value for row in listing(session, Filters(), at).rows for clock in (row.answer, row.end) if clock}
        assert "breached" in states
        assert len(states) >= 2
        assert len(booked.planned(session, at)) >= 2
        assert {one.result for one in session.scalars(select(CaseCall))} == {"reached", "no_answer"}
        assert session.scalar(select(func.count(CaseNote.id)))
        assert session.scalar(select(func.count(CaseDraft.case_id)))
        assert {one.what for one in approvals.waiting(session, at)} == {"export", "bulk_resolve"}
        hours = Counter(in_hong_kong(turn).hour for turn in session.scalars(select(Turn.received_at)))
        assert len(hours) >= 8
        assert max(hours.values()) >= 4 * min(hours.values())
        assert not_handled(session, at) == []


def test_the_day_is_the_same_whenever_it_is_played() -> None:
    assert list(crowd()) == list(crowd())
    assert {talk.language for talk in crowd()} == {"en", "zh-Hant", "zh-Hans", "tl", "id"}
