"""The database locked, the disk full, the doorbell's store gone: refused kindly or answered later, never lost."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.house import House
from bot.base.database import BUSY_TIMEOUT_S
from tests.chaos.conftest import LEFT_BEHIND_S
from tests.chaos.ledger import Ledger, until_true
from tests.chaos.patients import Patient

LONG_TURN = "What happened? " * 1500
FULL_AT = 8192
"""Bytes of a file that a process may still write; one turn needs more."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process's write lock on the database for the block."""
    other = sqlite3.connect(path, isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def full_disk(house: House, *names: str) -> Iterator[None]:
    """The kernel refuses what these processes want to write (RLIMIT_FSIZE), as a full disk does, for the block."""
    pids = [pid for name in names if (pid := house.pid(name)) is not None]
    before = [resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids]
    for pid, (_, hard) in zip(pids, before, strict=True):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_AT, hard))
    try:
        yield
    finally:
        for pid, limits in zip(pids, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def test_a_locked_database_refuses_with_a_sentence_stores_nothing_and_then_works(
    house: House, ledger: Ledger, patient: Patient
) -> None:
    patient.asks("What happened?")
    before, client_id = ledger.turns(), str(uuid.uuid4())
    with locked(house.home / "candour.sqlite3"):
        began = time.monotonic()
        refused = patient.try_to_send("What data was held?", client_id)
        assert time.monotonic() - began >= BUSY_TIMEOUT_S  # it was really waited for
    assert refused.status_code == 503
    assert refused.json()["error"]["text"]
    assert int(refused.headers["retry-after"]) > 0
    assert ledger.turns() == before
    taken = patient.try_to_send("What data was held?", client_id)
    assert taken.status_code == 202
    patient.reply_after(taken.json()["number"])


def test_an_answer_that_meets_a_locked_database_comes_when_it_is_free(house: House, ledger: Ledger, patient: Patient) -> None:
    house.signal("engine", signal.SIGSTOP)
    try:
        number = patient.send("What happened?")
        with locked(house.home / "candour.sqlite3"):
            house.signal("engine", signal.SIGCONT)  # it answers now, and the answer cannot be written
            time.sleep(BUSY_TIMEOUT_S + 1)
            assert ledger.last_turn().status == "stored"
    finally:
        house.signal("engine", signal.SIGCONT)
    patient.reply_after(number, LEFT_BEHIND_S)
    assert ledger.last_turn().status == "answered"


def test_a_full_disk_refuses_with_a_sentence_stores_nothing_and_then_works(
    house: House, ledger: Ledger, patient: Patient
) -> None:
    patient.asks("What happened?")
    before, client_id = ledger.turns(), str(uuid.uuid4())
    with full_disk(house, "web", "worker"):
        refused = patient.try_to_send("What data was held?", client_id)
    assert refused.status_code == 503
    assert refused.json()["error"]["text"]
    assert ledger.turns() == before
    taken = patient.try_to_send("What data was held?", client_id)
    assert taken.status_code == 202
    patient.reply_after(taken.json()["number"])


def test_an_answer_that_meets_a_full_disk_comes_when_there_is_room(house: House, ledger: Ledger, patient: Patient) -> None:
    house.signal("engine", signal.SIGSTOP)
    try:
        number = patient.send("What happened?")
        with full_disk(house, "web", "worker"):
            house.signal("engine", signal.SIGCONT)
            time.sleep(2)
            assert ledger.last_turn().status == "stored"
    finally:
        house.signal("engine", signal.SIGCONT)
    patient.reply_after(number, LEFT_BEHIND_S)
    assert ledger.last_turn().status == "answered"


@pytest.mark.parametrize("how", ["deleted", "emptied", "spoilt", "unreadable", "a folder"])
def test_the_doorbells_store_may_be_hurt_at_any_moment(house: House, ledger: Ledger, patient: Patient, how: str) -> None:
    store = house.home / "huey.sqlite3"
    with hurt(store, how):
        patient.asks("What happened?")
        patient.asks(LONG_TURN)  # too long for the web process: it rings for the worker
    patient.asks(LONG_TURN)
    until_true(lambda: store.is_file() and store.stat().st_size, "the store was begun anew", 20)
    assert all(house.is_well(name) for name in ("web", "worker"))


@contextmanager
def hurt(store: Path, how: str) -> Iterator[None]:
    """The file is as bad as this for the block; afterwards nothing of it is left but what the processes made."""
    if how == "emptied":
        store.write_bytes(b"")
    elif how == "spoilt":
        store.write_bytes(os.urandom(20_000))
    else:
        store.unlink(missing_ok=True)
    if how == "a folder":
        store.mkdir()
    elif how == "unreadable":
        store.symlink_to("/proc/self/mem")  # not even the superuser reads a database out of it
    try:
        yield
    finally:
        if how == "a folder":
            store.rmdir()
        elif how == "unreadable":
            store.unlink(missing_ok=True)
