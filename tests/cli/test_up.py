"""The whole of Candour under its supervisor: started, asked, hurt and stopped as an operator would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.base.settings import REPOSITORY, Settings
from bot.cli.training import material, model_path
from tests.cli.conftest import until
from tests.cli.programs import alive
from tests.engine.running import free_port

pytestmark = [pytest.mark.engine, pytest.mark.chaos]


@dataclass
class Installation:
    """A home of its own on ports of its own."""

    home: Path
    environment: dict[str, str]

    def command(self, *argv: str) -> list[str]:
        return [sys.executable, "-P", "-m", "bot.cli", *argv]

    def up(self) -> subprocess.Popen[bytes]:
        """Start everything and wait until it is ready."""
        with (self.home.parent / "up.txt").open("ab") as log:
            process = subprocess.Popen(self.command("up"), env=self.environment, stdout=log, stderr=log, start_new_session=True)
        until(lambda: process.poll() is not None or (self.state().get("ready") and self.state()["pid"] == process.pid), 180)
        assert process.poll() is None, (self.home.parent / "up.txt").read_text()
        return process

    def state(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.home / "run" / "up.json").read_text())
        except OSError:
            return {}
        return found

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*argv), env=self.environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = tmp_path_factory.mktemp("installation") / "home"
    model = model_path(Settings(_env_file=None), material(REPOSITORY / "data").digest)
    if model.exists():  # `./candour test` has trained it; without it the first start does
        (home / "models").mkdir(parents=True)
        shutil.copy(model, home / "models" / model.name)
    ports = {f"CANDOUR_{name}_PORT": str(free_port()) for name in ("WEB", "ENGINE", "ACTIONS", "SIMULATOR")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CANDOUR_")}
    return Installation(home, {**kept, **ports, "CANDOUR_HOME": str(home), "PYTHONPATH": str(REPOSITORY)})


@pytest.fixture
def up(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    process = installation.up()
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(30)


def test_up_serves_recovers_and_stops(installation: Installation, up: subprocess.Popen[bytes]) -> None:
    state = installation.state()
    assert sorted(state["programs"]) == ["action server", "engine", "simulator", "web", "worker"]
    assert httpx.get(state["web"] + "/health/ready", trust_env=False, timeout=60).json()["ready"] is True

    stopped = state["programs"]["worker"]
    os.kill(stopped, signal.SIGSTOP)  # alive, and does nothing: noticed while the rest of this goes on

    again = installation.run("up")
    assert again.returncode == 1
    assert state["web"] in again.stderr

    answer = json.loads(installation.run("ask", "What happened?", "--json").stdout)
    assert answer["say"] == ["what_happened"]

    os.kill(state["programs"]["engine"], signal.SIGKILL)
    until(lambda: installation.state()["programs"].get("engine") not in (None, state["programs"]["engine"]), 20)
    until(lambda: httpx.get(state["web"] + "/health/ready", trust_env=False, timeout=20).json()["engine"]["ok"], 60)

    until(lambda: installation.state()["programs"].get("worker") not in (None, stopped), 90)
    pids = list(installation.state()["programs"].values())
    began = time.monotonic()
    up.send_signal(signal.SIGINT)
    assert up.wait(30) == 0
    assert time.monotonic() - began < 12
    assert not any(alive(pid) for pid in pids)
    assert installation.state() == {}


def test_nothing_outlives_a_killed_up_and_the_next_one_starts(installation: Installation, up: subprocess.Popen[bytes]) -> None:
    pids = list(installation.state()["programs"].values())
    up.kill()
    up.wait()
    until(lambda: not any(alive(pid) for pid in pids), 5)
    assert "not running" in installation.run("doctor").stdout
    next_one = installation.up()
    next_one.terminate()
    assert next_one.wait(30) == 0


def test_up_told_to_stop_while_it_starts_leaves_nothing(installation: Installation) -> None:
    process = subprocess.Popen(
        installation.command("up"), env=installation.environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    pids = until(lambda: list(installation.state().get("programs", {}).values()), 60)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert not any(alive(pid) for pid in pids)


def test_a_question_without_up_starts_what_it_needs_and_stops_it(installation: Installation) -> None:
    done = installation.run("ask", "發生咗咩事？", "--lang", "zh-Hant", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lang"] == "zh-Hant"
    assert "not running" in installation.run("doctor").stdout


def test_no_log_holds_what_a_patient_wrote_or_a_secret(installation: Installation) -> None:
    marker = "zanzibar pineapple"
    installation.run("ask", f"What happened? {marker}", "--json")
    written = b"".join(path.read_bytes() for path in (installation.home / "log").iterdir())
    assert marker.encode() not in written
    for secret in (installation.home / "secrets").iterdir():
        assert secret.read_text().strip().encode() not in written
