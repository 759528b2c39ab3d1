"""A worker that is killed while it posts: every event arrives, and what arrives twice carries the same id."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bot.base.database import Database
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault
from tests.conftest import Keys
from tests.desk.conftest import Desk, desk_content
from tests.desk.integrations.conftest import Got, Receiver, receiver, registered, room_of
from tests.make import FakeClock
from tests.people import publish

__all__ = ["receiver"]

WORKER = """
import sys, time
from datetime import datetime
from bot.base.database import Database
from bot.base.vault import Vault
from bot.desk.integrations.addresses import Reach
from bot.desk.integrations.delivering import WebhookRoom

url, keys, at, name = sys.argv[1:]
moment = datetime.fromisoformat(at)
base, reach = "https://help.example.hk", Reach(is_development=True)
room = WebhookRoom(Database(url), Vault(keys), lambda: moment, name, base=base, reach=reach)
while True:
    room.tick()
    time.sleep(0.01)
"""
KILLS, CASES = 4, 12


def test_events_survive_workers_that_are_killed_while_they_post(
    database_url: str, keys: Keys, clock: FakeClock, receiver: Receiver, tmp_path: Path
) -> None:
    database = Database(database_url)
    publish(database, desk_content(), clock())
    desk = Desk(database, Vault(keys.vault), BlindIndex(keys.index), clock)
    registered(desk, receiver.url, "case.opened")
    numbers = {desk.look(desk.case()).number for _ in range(CASES)}
    worker: list[subprocess.Popen[bytes]] = []
    killed: list[str] = []

    def answer(got: Got) -> tuple[int, dict[str, str]]:
        # Killed after the other side has it and before the answer is read: the worst moment.
        if len(killed) < KILLS and len(receiver.got) % 2 == 0:
            killed.append(got.uid)  # before the kill: whoever waits for the worker reads it as soon as it is dead
            worker[-1].kill()
            worker[-1].wait(30)
        return 200, {}

    receiver.answer = answer
    for number in range(KILLS):
        arguments = [database_url, keys.vault, clock().isoformat(), f"worker-{number}"]
        worker.append(subprocess.Popen([sys.executable, "-c", WORKER, *arguments], cwd=REPOSITORY))
        assert worker[-1].wait(120) == -9
        clock.advance(seconds=61)  # what the dead one held is free again
    assert len(killed) == KILLS
    room = room_of(desk, holder="last")
    while room.tick():
        pass
    database.close()
    ids = [got.uid for got in receiver.got]
    assert {got.document["data"]["case"] for got in receiver.got} == numbers
    assert len(set(ids)) == CASES
    assert {uid for uid in ids if ids.count(uid) > 1} == set(killed)
    assert len({(got.uid, got.body) for got in receiver.got}) == CASES
