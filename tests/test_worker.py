"""The worker: what web left behind is answered, evidence is sealed, and one failure stops nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from bot.assembly import Application
from bot.base.audit import AuditEntry
from bot.base.database import Database
from bot.base.pulse import is_fresh, path_of
from bot.base.settings import Settings
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Turn, TurnStatus
from bot.worker import LEASE, LEFT_BEHIND_AFTER, Sealer, run, sweep
from tests.conftest import Keys
from tests.make import FakeClock
from tests.people import FakeEngine, Patient, make_application, publish, small_content


@pytest.fixture
def application(tmp_path: Path, database: Database, vault: Vault, index: BlindIndex, keys: Keys, clock: FakeClock) -> Application:
    publish(database, small_content(), clock())
    settings = Settings(_env_file=None, home=tmp_path, audit_keys=SecretStr(keys.audit))
    return make_application(settings, database, vault, index, clock, FakeEngine())


@pytest.fixture
def patient(application: Application, clock: FakeClock) -> Patient:
    return Patient(application.database, application.vault, application.inbox, clock)


def sealed(application: Application) -> list[int | None]:
    with application.database.reading() as session:
        return list(session.scalars(select(AuditEntry.sequence).order_by(AuditEntry.id)))


def test_a_turn_left_behind_is_answered_and_a_fresh_one_left_to_the_web(
    application: Application, patient: Patient, clock: FakeClock
) -> None:
    patient.writes("what is going on at the clinic")
    assert sweep(application) == 0
    clock.advance(seconds=LEFT_BEHIND_AFTER.total_seconds())
    assert sweep(application) == 1
    assert sweep(application) == 0


def test_when_it_rings_a_fresh_turn_is_answered_too(application: Application, patient: Patient) -> None:
    patient.writes("what is going on at the clinic")
    assert sweep(application, timedelta(0)) == 1


def test_one_thread_that_cannot_be_answered_keeps_no_other_waiting(
    application: Application, patient: Patient, clock: FakeClock, logged: Callable[[], str]
) -> None:
    broken = Patient(application.database, application.vault, application.inbox, clock)
    broken.writes("what is going on at the clinic")
    patient.writes("what is going on at the clinic")
    with application.database.writing() as session:
        session.execute(text("UPDATE turns SET sealed_text = 'spoilt' WHERE thread_id = :id"), {"id": broken.thread_id})
    assert sweep(application, timedelta(0)) == 1
    assert f"thread {broken.thread_id} could not be swept" in logged()
    assert "spoilt" not in logged()


def test_the_evidence_is_sealed_by_the_one_who_holds_the_lease(
    application: Application, patient: Patient, clock: FakeClock
) -> None:
    first, second = Sealer(application, "first"), Sealer(application, "second")
    patient.says("what is going on at the clinic")
    assert first.tick() == 1
    patient.says("what is going on at the clinic")
    assert second.tick() == 0
    assert first.tick() == 1
    clock.advance(seconds=LEASE.total_seconds() + 1)  # the first one died
    patient.says("what is going on at the clinic")
    assert second.tick() == 1
    assert sealed(application) == [1, 2, 3]


def test_the_head_of_the_evidence_is_exported_once_a_day(application: Application, patient: Patient, clock: FakeClock) -> None:
    patient.says("what is going on at the clinic")
    sealer = Sealer(application, "one")
    for _ in range(3):
        sealer.tick()
    clock.advance(days=1)
    sealer.tick()
    names = sorted(path.name for path in (application.settings.home / "evidence").iterdir())
    assert names == ["head-2023-05-09.json", "head-2023-05-10.json"]


def test_a_running_worker_answers_what_is_rung_for_seals_it_and_stops(application: Application, patient: Patient) -> None:
    stop = threading.Event()
    worker = threading.Thread(target=run, args=(application, stop))
    worker.start()
    try:
        patient.writes("what is going on at the clinic")
        application.doorbell.ring("turns")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and None in (sealed(application) or [None]):
            time.sleep(0.05)
    finally:
        stop.set()
        worker.join(60)
    assert not worker.is_alive()
    assert is_fresh(path_of(application.settings.home, "worker"), within_s=60)
    assert sealed(application) == [1]
    with application.database.reading() as session:
        assert session.scalars(select(Turn.status)).all() == [TurnStatus.ANSWERED]
