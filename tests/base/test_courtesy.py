"""Giving way: a worker lets a door write first, never for long, and nobody waits for a process that stopped."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from bot.base.courtesy import MOST_S, Courtesy
from bot.base.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "candour.sqlite3"


def took(courtesy: Courtesy) -> float:
    began = time.monotonic()
    courtesy.give_way()
    return time.monotonic() - began


def test_nobody_waits_when_nobody_wants(path: Path) -> None:
    assert took(Courtesy(path)) < MOST_S / 2


def test_a_worker_waits_while_a_door_wants_to_write_and_not_for_long(path: Path) -> None:
    door, worker = Courtesy(path), Courtesy(path)
    with door.wanting():
        assert took(worker) >= MOST_S
    assert took(worker) < MOST_S / 2


def test_two_doors_do_not_wait_for_each_other(path: Path) -> None:
    first, second, worker = Courtesy(path), Courtesy(path), Courtesy(path)
    with first.wanting():
        with second.wanting():
            pass
        assert took(worker) >= MOST_S


def test_a_folder_that_cannot_be_written_costs_the_courtesy_only(tmp_path: Path) -> None:
    courtesy = Courtesy(tmp_path / "gone" / "candour.sqlite3")
    assert took(courtesy) < MOST_S / 2
    with courtesy.wanting():
        pass


def test_a_door_gets_its_turn_while_a_worker_writes_without_a_pause(sqlite_url: str) -> None:
    door, worker = Database(sqlite_url), Database(sqlite_url)
    worker.gives_way = True
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            with worker.writing():
                time.sleep(0.005)

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        times = []
        for _ in range(20):
            began = time.monotonic()
            with door.writing():
                pass
            times.append(time.monotonic() - began)
            time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        door.close()
        worker.close()
    assert sorted(times)[len(times) // 2] < 0.1
