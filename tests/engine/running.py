"""A real engine for tests: trains once per state of the data, runs engine and action server, stops them.

Other tests re-use it: `with running_engine(trained_model()) as engine: engine.turn("k", text="…")`.
Both processes can be stopped, continued or killed by their pids, and their logs can be read.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bot.base.settings import Settings
from bot.cli import training

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"
KEPT = ROOT / "var" / "tests" / "engine"
"""Where trained models and sentence vectors stay between runs."""
TOKEN = "token-of-the-tests"
LEARNT_FROM = ("data/domain.yml", "data/han.json", "data/*/*.yml", "config.yml", "engine/**/*.py")


_PORTS = range(10_240, 32_768)  # below those that the system gives to outgoing calls, so that none takes one in between
_next_ports = itertools.cycle([*_PORTS[(start := os.getpid() * 97 % len(_PORTS)) :], *_PORTS[:start]])


def free_port() -> int:
    """A port of the loopback that nobody uses right now, and that is not given twice in this run."""
    for port in _next_ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("unreachable: the ports never end")


def engine_command(module: str, *arguments: str) -> list[str]:
    """The command line of one of the engine's modules."""
    return [str(PYTHON), "-m", f"engine.{module}", *arguments]


def run(module: str, *arguments: str, seconds: float = 240, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a module to its end, with variables added to the environment; standard output and error are kept."""
    return subprocess.run(
        engine_command(module, *arguments),
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def digest_of_training() -> str:
    """A name for everything that a model is learnt from."""
    seen = hashlib.sha256()
    for pattern in LEARNT_FROM:
        for path in sorted(ROOT.glob(pattern)):
            seen.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return seen.hexdigest()[:16]


def trained_model() -> Path:
    """The model of the repository's data, trained unless it was before, here or by `train`; raises with what training said."""
    released = training.model_path(Settings(_env_file=None, home=ROOT / "var"), training.material(ROOT / "data").digest)
    if released.exists():
        return released
    model = KEPT / f"{digest_of_training()}.tar.gz"
    if not model.exists():
        cache = str(ROOT / "var" / "training" / "vectors")  # shared with `./candour train`: encoding takes most of the time
        done = run("train", "--data", "data", "--config", "config.yml", "--out", str(model), "--cache", cache, seconds=1200)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
    return model


@dataclass
class Running:
    """A running engine: its door, its processes and its logs."""

    model: Path
    url: str
    token: str
    actions_url: str
    folder: Path
    options: tuple[str, ...] = ()
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start `engine` or `actions`, appending to its log."""
        variables = {"CANDOUR_ENGINE_TOKEN": self.token, "CANDOUR_ACTIONS_URL": f"{self.actions_url}/webhook"}
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **variables}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def start_engine(self) -> None:
        """Start the engine and wait until its door is open."""
        port = self.url.rpartition(":")[2]
        self.start("engine", *engine_command("serve", "--model", str(self.model), "--port", port, *self.options))
        self._await("engine", f"{self.url}/webhooks/candour/health")

    def start_actions(self) -> None:
        """Start the action server and wait until it answers."""
        level = [option for option in self.options if option in {"--level", "DEBUG"}]
        self.start("actions", *engine_command("actions", "--port", self.actions_url.rpartition(":")[2], *level))
        self._await("actions", f"{self.actions_url}/health")

    def pid(self, name: str) -> int:
        """The process id of `engine` or `actions`."""
        return self.processes[name].pid

    def log(self, name: str) -> Path:
        """The log file of `engine` or `actions`."""
        return self.folder / f"{name}.log"

    def kill(self, name: str) -> None:
        """Kill one process at once and wait until it is gone; harmless when it is."""
        process = self.processes.pop(name, None)
        if process is not None:
            process.kill()
            process.wait(timeout=60)

    def signal(self, name: str, which: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP and SIGCONT."""
        os.kill(self.pid(name), which)

    def resident_mb(self, name: str = "engine") -> float:
        """Resident memory of a process in MB."""
        status = Path(f"/proc/{self.pid(name)}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def post(self, content: bytes, **headers: str) -> httpx.Response:
        """Post raw bytes to the door with the right token, unless `authorization` says otherwise."""
        given = {"authorization": f"Bearer {self.token}", **headers}
        return httpx.post(f"{self.url}/webhooks/candour/turn", content=content, headers=given, timeout=30, trust_env=False)

    def turn(self, key: str, *, lang: str = "en", **what: Any) -> httpx.Response:
        """Post a turn with `text` or `topic`."""
        body = {"key": key, "lang": lang, **what}
        given = {"authorization": f"Bearer {self.token}"}
        return httpx.post(f"{self.url}/webhooks/candour/turn", json=body, headers=given, timeout=30, trust_env=False)

    def _await(self, name: str, url: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.processes[name].poll() is not None:
                raise RuntimeError(f"{name} ended: {self.log(name).read_text()}")
            try:
                if httpx.get(url, timeout=20, trust_env=False).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"{name} is not ready after {seconds} s: {self.log(name).read_text()}")


@contextmanager
def running_engine(
    model: Path, port: int | None = None, token: str = TOKEN, *, actions: bool = True, options: tuple[str, ...] = ()
) -> Iterator[Running]:
    """An engine and its action server on loopback; `options` are more of `engine.serve`'s arguments."""
    with TemporaryDirectory(prefix="candour-engine-") as folder:
        engine = Running(
            model=model,
            url=f"http://127.0.0.1:{port or free_port()}",
            token=token,
            actions_url=f"http://127.0.0.1:{free_port()}",
            folder=Path(folder),
            options=options,
        )
        try:
            if actions:
                engine.start_actions()
            engine.start_engine()
            yield engine
        finally:
            for name in list(engine.processes):
                engine.kill(name)
