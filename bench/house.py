"""A whole Candour in a folder of its own, started the way `./candour up` starts it.

Its processes are real, on ports of their own, and known by their ids, so that they can be measured,
stopped and killed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from bot.base.settings import REPOSITORY, Settings, load_settings
from bot.cli import leash, training

START_S = 240.0


class NotUp(Exception):
    """The processes did not come up; the text ends with what they said."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses right now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def trained_model(settings: Settings | None = None) -> Path:
    """The model of the present data in the ordinary home folder; trained when it is not there."""
    known = settings or load_settings()
    return training.ensure_model(known, lambda text: None, _in_silence)


@contextmanager
def _in_silence(title: str) -> Iterator[Callable[[int, int, str], None]]:
    yield lambda step, of, words: None


class House:
    """One installation and its `up`; `settings` are names of settings with their values."""

    def __init__(self, home: Path, model: Path | None = None, **settings: object) -> None:
        self.home = home
        self.web_port, self.engine_port, self.actions_port = free_ports(3)
        given = {
            "home": home,
            "web_host": "127.0.0.1",
            "web_port": self.web_port,
            "engine_port": self.engine_port,
            "actions_port": self.actions_port,
            "simulator": False,
            **settings,
        }
        self.variables = {f"CANDOUR_{name.upper()}": str(value) for name, value in given.items()}
        self.process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True, exist_ok=True)
        if model is not None:
            (home / "models").mkdir(exist_ok=True)
            shutil.copy2(model, home / "models" / model.name)

    @property
    def web(self) -> str:
        """The address of the web door."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def database(self) -> str:
        """The address of the database."""
        return self.variables.get("CANDOUR_DATABASE_URL") or f"sqlite:///{self.home / 'candour.sqlite3'}"

    @property
    def said(self) -> Path:
        """What `up` says."""
        return self.home / "up.log"

    def environment(self) -> dict[str, str]:
        """Ours, with the settings of this house and without anybody else's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CANDOUR_")}
        data = {"CANDOUR_DATA": os.environ["CANDOUR_DATA"]} if "CANDOUR_DATA" in os.environ else {}
        return {**kept, **data, **self.variables}

    def run(self, *command: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run one of Candour's commands to its end in this house."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "bot.cli", *command],
            cwd=REPOSITORY,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, seconds: float = START_S) -> float:
        """Start everything and wait until it is ready; returns the seconds it took."""
        began = time.monotonic()
        with self.said.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                # On the leash: whoever kills us must not leave an installation running.
                [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), sys.executable, "-m", "bot.cli", "up"],
                cwd=REPOSITORY,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while time.monotonic() - began < seconds:
            if self.process.poll() is not None:
                raise NotUp(self.said.read_text()[-3000:])
            if self.state().get("ready"):
                return time.monotonic() - began
            time.sleep(0.05)
        self.stop()
        raise NotUp(f"not ready after {seconds} s: {self.said.read_text()[-3000:]}")

    def state(self) -> Mapping[str, object]:
        """What `up` wrote about itself."""
        try:
            found: Mapping[str, object] = json.loads((self.home / "run" / "up.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def pid(self, name: str) -> int | None:
        """The process id of `web`, `worker`, `engine` or `action server`; None while it is not running."""
        programs = self.state().get("programs")
        return programs.get(name) if isinstance(programs, dict) else None

    def signal(self, name: str, which: signal.Signals) -> int:
        """Send a signal, such as SIGKILL, to one process; returns its id."""
        pid = self.pid(name)
        if pid is None:
            raise ProcessLookupError(name)
        os.kill(pid, which)
        return pid

    def resident_mb(self, name: str) -> float | None:
        """Resident memory in MB (2**20 bytes) of one process, or None where the system does not say."""
        try:
            status = Path(f"/proc/{self.pid(name)}/status").read_text()
        except OSError:
            return None
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def cpu_s(self, name: str) -> float | None:
        """Processor seconds one process has used, or None where the system does not say."""
        try:
            fields = Path(f"/proc/{self.pid(name)}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_well(self, name: str) -> bool:
        """Whether a process answers its health question."""
        where = {
            "web": f"{self.web}/health/live",
            "engine": f"http://127.0.0.1:{self.engine_port}/webhooks/candour/health",
            "action server": f"http://127.0.0.1:{self.actions_port}/health",
        }
        if name not in where:
            return self.pid(name) is not None
        try:
            return httpx.get(where[name], timeout=2.0, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def await_well(self, *names: str, seconds: float = 60, other_than: int | None = None) -> None:
        """Wait until the processes answer; `other_than` is the id of one that was just killed."""
        until = time.monotonic() + seconds
        for name in names:
            while self.pid(name) in (None, other_than) or not self.is_well(name):
                if time.monotonic() > until:
                    raise NotUp(f"{name} is not well: {self.said.read_text()[-3000:]}")
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop everything as Ctrl-C does."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
