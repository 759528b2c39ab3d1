"""The web process and the worker killed, alone and under load: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.house import House
from tests.chaos.conftest import ENGINE_TIMEOUT_S, EVERYTHING, LEFT_BEHIND_S, MANY
from tests.chaos.ledger import Ledger, until_true
from tests.chaos.patients import Event, Patient
from tests.chaos.test_engine import stopped

PATIENTS, TURNS_EACH, KILLS = 30, 5, 4
SEED = 20230504
WORDS = (
    "What happened?",
    "Is my data involved?",
    "What data was held?",
    "發生咗咩事？",
    "我要點保護自己？",
    "哪些诊所受影响？",
    "Ano po ang nangyari?",
    "Apa yang terjadi?",
    "Please let me talk to a person",
    "there is a stranger at my door, I want to end my life",
)


@pytest.fixture
def busy_house(model: Path, tmp_path: Path) -> Iterator[House]:
    """An installation of its own: the more often a process was killed, the longer the supervisor waits."""
    house = House(tmp_path / "home", model, engine_timeout_s=ENGINE_TIMEOUT_S, limit_session_turns=MANY)
    house.start()
    yield house
    house.stop()


def numbers_of(events: list[Event]) -> list[int]:
    """The numbers of the lines as they came."""
    return [event.number for event in events if event.number is not None]


def test_a_turn_stored_before_the_web_died_is_answered_and_seen_once(house: House, ledger: Ledger, patient: Patient) -> None:
    patient.asks("What happened?")
    with stopped(house, "engine"):
        number = patient.send("What data was held?")
        until_true(lambda: ledger.last_turn().attempts, "the web process is at it", 5)
        killed = house.signal("web", signal.SIGKILL)
        assert ledger.last_turn().status == "stored"
    house.await_well("web", other_than=killed)
    patient.reply_after(number, LEFT_BEHIND_S)
    assert ledger.last_turn().status == "answered"
    lines = numbers_of(patient.lines())
    assert lines == list(range(patient.first + 1, patient.first + 1 + len(lines)))  # each once, in order, none left out
    assert patient.reconnects >= 1


def test_a_killed_worker_is_missed_by_nobody_and_comes_back(house: House, ledger: Ledger, patient: Patient) -> None:
    killed = house.signal("worker", signal.SIGKILL)
    assert "4 May 2023" in patient.asks("What happened?")
    house.await_well("worker", other_than=killed)


def test_what_web_and_worker_left_behind_is_answered_by_the_next_worker(house: House, ledger: Ledger, patient: Patient) -> None:
    with stopped(house, "engine"):
        number = patient.send("What happened?")
        dead = {name: house.signal(name, signal.SIGKILL) for name in ("web", "worker")}
    for name, killed in dead.items():
        house.await_well(name, other_than=killed)
    patient.reply_after(number, LEFT_BEHIND_S)


def test_every_killed_process_is_started_again(house: House, ledger: Ledger, patient: Patient) -> None:
    dead = {name: house.signal(name, signal.SIGKILL) for name in EVERYTHING}
    for name, killed in dead.items():
        house.await_well(name, other_than=killed)
    assert "4 May 2023" in patient.asks("What happened?")


def test_a_web_process_killed_again_and_again_under_load_loses_and_doubles_nothing(busy_house: House) -> None:
    chance = random.Random(SEED)
    patients = [Patient(busy_house.web) for _ in range(PATIENTS)]
    failed: list[BaseException] = []

    def writes(someone: Patient, own: random.Random) -> None:
        try:
            for _ in range(TURNS_EACH):
                someone.send(own.choice(WORDS))
                time.sleep(own.uniform(0, 3))
        except BaseException as wrong:
            failed.append(wrong)

    threads = [threading.Thread(target=writes, args=(someone, random.Random(chance.random()))) for someone in patients]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.3, 2.0))
        killed = busy_house.signal("web", signal.SIGKILL)
        busy_house.await_well("web", other_than=killed)
    for thread in threads:
        thread.join(90)
    assert failed == []
    _nothing_is_lost(busy_house, patients)


def _nothing_is_lost(house: House, patients: list[Patient]) -> None:
    books = Ledger(house.home)
    try:
        books.settle()
        assert books.turns() == PATIENTS * TURNS_EACH
        assert books.faults() == []
        lasts = sorted(row.last_number for row in books.rows("SELECT last_number FROM threads"))
        until_true(lambda: sorted(_last(one) for one in patients) == lasts, "every stream has brought everything", 20)
    finally:
        books.close()
        for someone in patients:
            someone.leave()
    for someone in patients:
        seen = numbers_of(someone.lines())
        assert seen == list(range(someone.first + 1, seen[-1] + 1))


def _last(someone: Patient) -> int:
    return max(numbers_of(someone.lines()), default=0)
