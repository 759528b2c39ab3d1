"""What the figures are compared with, measured in the same run on the same cores.

*rules_only*: our engine with the cheapest classifier there is, asked directly at its door: what is
between it and us is our understanding, persistence, encryption, proof and the way to the browser.
*stock*: Rasa's starter project as it ships, asked directly at its REST channel.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any

from bench.house import free_ports
from bench.messages import MESSAGES
from bench.turns import Measured, percentile
from bot.base.settings import REPOSITORY, Settings
from bot.cli import leash, services, training
from bot.cli.supervisor import surroundings

STOCK = REPOSITORY / ".venv-stock"
TOKEN = "token-of-the-bench"  # noqa: S105 - of an engine that lives for a minute on loopback
SESSION_TURNS = 8
WARM_UP = 50
START_S = 180.0
GREETINGS = ("hello", "I am very sad", "good", "did that help?", "yes", "no", "bye", "are you a bot?")


def rules_only(folder: Path, settings: Settings, *, clients: int, turns: int) -> dict[str, Any]:
    """Train and ask an engine with rules alone and a linear classifier."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    for name, content in training.material(settings.data).files.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    model, (engine_port, actions_port) = folder / "linear.tar.gz", free_ports(2)
    python, config = services.engine_python(), str(REPOSITORY / "bench" / "linear.yml")
    _run([python, "-m", "engine.train", "--data", str(data), "--out", str(model), "--config", config], REPOSITORY, folder)
    extra = {"CANDOUR_ENGINE_TOKEN": TOKEN, "CANDOUR_ACTIONS_URL": f"http://127.0.0.1:{actions_port}/webhook"}
    actions = [python, "-m", "engine.actions", "--port", str(actions_port)]
    engine = [python, "-m", "engine.serve", "--model", str(model), "--port", str(engine_port)]
    with (
        _running(actions, folder, extra, actions_port, "/health"),
        _running(engine, folder, extra, engine_port, "/webhooks/candour/health") as process,
    ):
        return _figures(_measure(engine_port, _our_turn, clients=clients, turns=turns), process)


def stock(folder: Path, *, clients: int, turns: int) -> dict[str, Any]:
    """Make the environment, train the starter project and ask it; minutes, and 1.7 GB."""
    folder.mkdir(parents=True, exist_ok=True)
    python = _stock_environment(folder)
    project, port = folder / "starter", free_ports(1)[0]
    shutil.rmtree(project, ignore_errors=True)
    starter = next((STOCK / "lib").glob("python3*/site-packages/rasa/cli/initial_project"))
    shutil.copytree(starter, project)
    rasa = [python, "-m", "engine.rasa"]
    _run([*rasa, "train", "--fixed-model-name", "stock"], project, folder)
    serve = [*rasa, "run", "--model", "models/stock.tar.gz", "--port", str(port), "--interface", "127.0.0.1"]
    with _running(serve, folder, {"PYTHONPATH": str(REPOSITORY)}, port, "/webhooks/rest/", project) as process:
        asked = _measure(port, _stock_turn, clients=clients, turns=turns)
        return _figures(asked, process)


def _stock_environment(folder: Path) -> str:
    python = STOCK / "bin" / "python"
    locks = [f"--requirement={REPOSITORY / 'requirements' / name}.txt" for name in ("engine", "stock")]
    options = ["--quiet", "--no-deps", "--ignore-requires-python", "--require-hashes", "--only-binary=:all:"]
    if not (STOCK / "made").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(STOCK)], REPOSITORY, folder)
        _run([str(python), "-m", "pip", "install", *options, *locks], REPOSITORY, folder)
        (STOCK / "made").touch()
    return str(python)


def _our_turn(door: HTTPConnection, key: str, place: int) -> bool:
    language, text = MESSAGES[place * 7 % len(MESSAGES)]
    body = json.dumps({"key": key, "text": text[:1000], "lang": language})
    door.request("POST", "/webhooks/candour/turn", body, {"Authorization": f"Bearer {TOKEN}"})
    answer = door.getresponse()
    answer.read()
    return answer.status == 200


def _stock_turn(door: HTTPConnection, key: str, place: int) -> bool:
    body = json.dumps({"sender": key, "message": GREETINGS[place % len(GREETINGS)]})
    door.request("POST", "/webhooks/rest/webhook", body, {"Content-Type": "application/json"})
    answer = door.getresponse()
    answer.read()  # an empty list may be a failure or silence: this channel does not tell
    return answer.status == 200


def _measure(port: int, turn: Callable[[HTTPConnection, str, int], bool], *, clients: int, turns: int) -> Measured:
    _rounds(port, turn, clients=min(4, clients), turns=WARM_UP)
    return _rounds(port, turn, clients=clients, turns=turns)


def _rounds(port: int, turn: Callable[[HTTPConnection, str, int], bool], *, clients: int, turns: int) -> Measured:
    measured, places, lock = Measured(), count(), threading.Lock()

    def visit() -> None:
        door, key, sent = HTTPConnection("127.0.0.1", port, timeout=60), "", 0
        while True:
            with lock:
                place = next(places)
            if place >= turns:
                break
            if sent % SESSION_TURNS == 0:
                key = uuid.uuid4().hex
            sent += 1
            began = time.perf_counter()
            try:
                well = turn(door, key, place)
            except (OSError, HTTPException):
                door.close()
                well = False
            with lock:
                if well:
                    measured.times.append(time.perf_counter() - began)
                else:
                    measured.failures.update(["not answered"])
        door.close()

    threads = [threading.Thread(target=visit) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measured.seconds = time.perf_counter() - began
    return measured


def _figures(measured: Measured, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    status = Path(f"/proc/{process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    resident = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), None)
    return {
        "turns_per_s": round(len(measured.times) / measured.seconds, 1),
        "p50_ms": percentile(measured.times, 50),
        "p95_ms": percentile(measured.times, 95),
        "rss_mb": None if resident is None else round(resident, 1),
        "failures": dict(measured.failures),
    }


@contextmanager
def _running(
    command: Sequence[str], folder: Path, extra: dict[str, str], port: int, health: str, where: Path = REPOSITORY
) -> Iterator[subprocess.Popen[bytes]]:
    leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command]
    with (folder / "yardsticks.log").open("ab") as log:
        process = subprocess.Popen(leashed, cwd=where, env=surroundings(extra, bare=True), stdout=log, stderr=log)  # noqa: S603
    try:
        _await(process, f"http://127.0.0.1:{port}{health}", folder)
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _await(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    until, well = time.monotonic() + START_S, services.answers(url)
    while not well():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"A yardstick did not start; see {folder / 'yardsticks.log'}.")
        time.sleep(0.2)


def _run(command: Sequence[str], where: Path, folder: Path) -> None:
    extra = {"PYTHONPATH": str(REPOSITORY), "RASA_TELEMETRY_ENABLED": "false"}
    with (folder / "yardsticks.log").open("ab") as log:
        done = subprocess.run(command, cwd=where, env=surroundings(extra, bare=False), stdout=log, stderr=log, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed; see {folder / 'yardsticks.log'}.")
