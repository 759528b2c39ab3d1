"""A hand-over outlives every process, and a day: the assistant stays silent and the case keeps its place."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bench.house import House
from bot.base.database import Database
from tests.chaos.conftest import ENGINE_TIMEOUT_S, EVERYTHING
from tests.chaos.ledger import Ledger, until_true
from tests.chaos.patients import Patient

DAY = 26 * 60 * 60


@pytest.fixture
def own_house(model: Path, tmp_path: Path) -> Iterator[House]:
    """An installation of its own, whose rows a test may make a day older."""
    house = House(tmp_path / "home", model, engine_timeout_s=ENGINE_TIMEOUT_S)
    house.start()
    yield house
    house.stop()


def a_day_passes(home: Path) -> None:
    """Make everything that happened a day older, which is the same as waiting for a day."""
    times = {
        "turns": ("received_at", "answered_at"),
        "replies": ("created_at",),
        "sessions": ("started_at", "active_at"),
        "cases": ("opened_at", "waiting_since", "first_response_due_at", "resolution_due_at"),
    }
    database = Database(f"sqlite:///{home / 'candour.sqlite3'}")
    with database.engine.begin() as connection:
        for table, wanted in times.items():
            known = {row[1] for row in connection.execute(text(f"PRAGMA table_info({table})"))}
            for column in set(wanted) & known:
                shifted = f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '-{DAY} seconds')"
                connection.execute(text(f"UPDATE {table} SET {column} = {shifted} WHERE {column} IS NOT NULL"))
    database.close()


@pytest.mark.engine
def test_a_hand_over_outlives_every_process_and_a_day(own_house: House) -> None:
    patient, ledger = Patient(own_house.web), Ledger(own_house.home)
    said = patient.asks("there is a stranger at my door, I want to end my life")
    [case] = ledger.cases_of(ledger.last_turn().thread_id)
    assert case[2] in said
    for _ in range(2):
        before = {name: own_house.signal(name, signal.SIGKILL) for name in EVERYTHING}
        for name, killed in before.items():
            own_house.await_well(name, other_than=killed)
        a_day_passes(own_house.home)
        patient.send("Is anybody there? What happened?")
        until_true(lambda: ledger.last_turn().status == "queued", "the turn waits for a person", 60)
        turn = ledger.last_turn()
        assert ledger.rows("SELECT id FROM replies WHERE turn_id = :t", t=turn.id) == []
        assert ledger.cases_of(turn.thread_id) == [case]
    asked_by_bot = ledger.rows("SELECT author, turn_id FROM replies WHERE turn_id IS NOT NULL")
    assert len(asked_by_bot) == 1, "the assistant answered once, before the hand-over"
    patient.leave()
    ledger.settle()
    assert ledger.faults() == []
    ledger.close()
