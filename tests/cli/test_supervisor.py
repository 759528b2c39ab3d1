"""The supervisor over real, small processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from bot.base.settings import REPOSITORY
from bot.cli import logfile
from bot.cli.supervisor import Pace, Program, StartFailed, Supervisor, surroundings
from tests.cli.conftest import until
from tests.cli.programs import BEATING, CRASHING, PATIENT, QUICK, STUBBORN, alive, program

Make = Callable[..., Supervisor]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervise(said: list[str]) -> Iterator[Make]:
    made: list[Supervisor] = []

    def make(*programs: Program, pace: Pace = QUICK) -> Supervisor:
        made.append(Supervisor(programs, said.append, pace))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def step_until(supervisor: Supervisor, is_so: Callable[[], object], seconds: float = 15.0) -> None:
    def look() -> object:
        supervisor.step()
        return is_so()

    until(look, seconds)


def test_a_program_that_is_killed_starts_again(tmp_path: Path, supervise: Make, said: list[str]) -> None:
    supervisor = supervise(program(tmp_path, "web", PATIENT))
    assert supervisor.start(Event())
    first = supervisor.pids()["web"]
    os.kill(first, signal.SIGKILL)
    step_until(supervisor, lambda: supervisor.pids().get("web", first) != first)
    assert any("web ended (killed by SIGKILL)" in words for words in said)


def test_a_program_that_keeps_ending_is_started_less_and_less_often(tmp_path: Path, supervise: Make, said: list[str]) -> None:
    well_once = tmp_path / "well"
    supervisor = supervise(program(tmp_path, "web", CRASHING, healthy=well_once.exists))
    supervisor.watched["web"].was_well = True
    step_until(supervisor, lambda: supervisor.watched["web"].crashes >= 3)
    waits = [words.split("starts again in ")[1].split(" s")[0] for words in said]
    assert waits[:3] == ["0.1", "0.1", "0.2"]
    assert "the last words" in said[0]


def test_a_while_of_health_forgets_earlier_crashes(tmp_path: Path, supervise: Make) -> None:
    supervisor = supervise(program(tmp_path, "web", PATIENT))
    supervisor.start(Event())
    os.kill(supervisor.pids()["web"], signal.SIGKILL)
    step_until(supervisor, lambda: supervisor.watched["web"].crashes == 1)
    step_until(supervisor, lambda: supervisor.watched["web"].crashes == 0)


def test_a_program_that_never_comes_up_ends_the_start_and_is_quoted(tmp_path: Path, supervise: Make) -> None:
    supervisor = supervise(program(tmp_path, "engine", CRASHING, healthy=lambda: False))
    with pytest.raises(StartFailed, match=r"engine ended \(exit status 7\)(?s:.)*the last words"):
        supervisor.start(Event())


def test_an_exit_status_that_cannot_be_mended_is_not_tried_again(tmp_path: Path, supervise: Make, said: list[str]) -> None:
    supervisor = supervise(program(tmp_path, "engine", CRASHING, final=(7,), healthy=lambda: False))
    with pytest.raises(StartFailed):
        supervisor.start(Event())
    assert said == []


def test_a_busy_port_is_said_with_its_setting(tmp_path: Path, supervise: Make) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        supervisor = supervise(program(tmp_path, "web", PATIENT, port=port))
        with pytest.raises(StartFailed, match=rf"Port {port} \(web\).*CANDOUR_SOME_PORT"):
            supervisor.start(Event())
    assert supervisor.pids() == {}


def test_a_program_waits_for_those_it_leans_on(tmp_path: Path, supervise: Make) -> None:
    beat = tmp_path / "beat"
    first = program(tmp_path, "engine", "import time\ntime.sleep(0.4)\n" + BEATING, str(beat), healthy=beat.exists)
    second = program(tmp_path, "web", PATIENT, after=("engine",))
    supervisor = supervise(first, second)
    assert supervisor.start(Event())
    assert supervisor.watched["web"].started > supervisor.watched["engine"].started + 0.3


def test_a_program_that_runs_without_answering_is_killed_and_started_again(
    tmp_path: Path, supervise: Make, said: list[str]
) -> None:
    beat = tmp_path / "beat"
    fresh = lambda: beat.exists() and time.time() - beat.stat().st_mtime < 0.3  # noqa: E731
    supervisor = supervise(program(tmp_path, "engine", BEATING, str(beat), healthy=fresh))
    supervisor.start(Event())
    stopped = supervisor.pids()["engine"]
    os.kill(stopped, signal.SIGSTOP)
    step_until(supervisor, lambda: supervisor.pids().get("engine", stopped) != stopped)
    assert any("has not answered" in words for words in said)
    step_until(supervisor, lambda: "engine is well again" in said)


def test_a_supervisor_that_was_stopped_itself_blames_nobody(tmp_path: Path, supervise: Make, said: list[str]) -> None:
    pace = Pace(sick=0.3, start=3.0, ask_every=0.05, overslept=0.2, stop=0.5)
    supervisor = supervise(program(tmp_path, "web", PATIENT), pace=pace)
    supervisor.start(Event())
    time.sleep(0.6)
    supervisor.step()
    assert not any("has not answered" in words for words in said)


def test_being_told_to_stop_during_the_start_ends_it(tmp_path: Path, supervise: Make) -> None:
    supervisor = supervise(program(tmp_path, "engine", PATIENT, healthy=lambda: False))
    stop = Event()
    stop.set()
    assert supervisor.start(stop) is False


def test_a_program_that_ignores_the_wish_to_end_is_killed(tmp_path: Path, supervise: Make) -> None:
    supervisor = supervise(program(tmp_path, "web", STUBBORN))
    supervisor.start(Event())
    pid = supervisor.pids()["web"]
    until(lambda: "deaf" in (tmp_path / "web.log").read_text())
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 3
    assert not alive(pid)


def test_the_programs_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    script = f"""
import sys, threading
from pathlib import Path
from bot.cli.supervisor import Supervisor
from tests.cli.programs import program, QUICK, STUBBORN
watch = Supervisor([program(Path({str(tmp_path)!r}), "web", STUBBORN)], lambda words: None, QUICK)
watch.start(threading.Event())
print(watch.pids()["web"], flush=True)
watch.run(threading.Event())
"""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    supervisor = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    assert alive(pid)
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    until(lambda: not alive(pid), 5)


def test_bare_surroundings_carry_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOUR_VAULT_KEYS", "k1:secret")
    monkeypatch.setenv("SENDGRID_API_KEY", "secret")
    child = surroundings({"CANDOUR_ENGINE_TOKEN": "token"}, bare=True)
    assert {"CANDOUR_ENGINE_TOKEN", "PATH"} <= child.keys()
    assert "secret" not in "".join(child.values())
    assert surroundings({}, bare=False)["CANDOUR_VAULT_KEYS"] == "k1:secret"


def test_a_log_is_turned_over_while_its_program_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "LIMIT_BYTES", 10)
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        for number in range(6):
            writer.write(f"a line with number {number}\n".encode())
            logfile.turn_over(log)
        writer.write(b"the newest\n")
    assert log.read_text() == "the newest\n"
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    assert "number 5" in (tmp_path / "web.log.1").read_text()
