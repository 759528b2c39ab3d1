"""What processes of one installation know of each other."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.base.settings import REPOSITORY
from bot.cli import state
from tests.cli.conftest import until

HOLDER = """
import sys, time
from pathlib import Path
from bot.cli import state
with state.held(state.up_lock(Path(sys.argv[1])), wait=False):
    state.write_state(Path(sys.argv[1]), {"web": "http://127.0.0.1:1", "ready": True})
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_holder_is_told_at_once(tmp_path: Path) -> None:
    with (
        state.held(tmp_path / "lock", wait=False),
        pytest.raises(state.Busy),
        state.held(tmp_path / "lock", wait=False),
    ):
        pass
    with state.held(tmp_path / "lock", wait=False):
        pass


def test_who_waits_for_a_holder_says_so_first(tmp_path: Path) -> None:
    told = threading.Event()
    holder = threading.Thread(target=_hold_until, args=(tmp_path / "lock", told))
    holder.start()
    until((tmp_path / "lock.held").exists)
    with state.held(tmp_path / "lock", wait=True, waiting=told.set):
        assert told.is_set()
    holder.join()


def _hold_until(lock: Path, told: threading.Event) -> None:
    with state.held(lock, wait=False):
        lock.with_suffix(".held").touch()
        told.wait(10)


def test_a_state_file_is_believed_only_while_its_process_lives(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert state.running(tmp_path) == {"web": "http://127.0.0.1:1", "ready": True}
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert (tmp_path / "run" / "up.json").exists()
    assert state.running(tmp_path) is None


def test_looking_does_not_keep_another_from_starting(tmp_path: Path) -> None:
    assert state.running(tmp_path) is None
    with state.held(state.up_lock(tmp_path), wait=False):
        assert state.running(tmp_path) == {}


def test_private_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    state.private_folder(tmp_path / "home" / "secrets")
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "home", tmp_path / "home" / "secrets")] == [0o700, 0o700]
