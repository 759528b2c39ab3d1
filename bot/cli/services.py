"""Which processes make up Candour on one machine: their commands, surroundings, ports, and health.

The engine and its action server get nothing of ours but the engine's token; the web process and the
worker get our whole environment and the settings as they were read here.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from bot.base import pulse
from bot.base.errors import Misconfigured
from bot.base.settings import REPOSITORY, Settings
from bot.cli import installation, provider, state
from bot.cli.supervisor import Program, Supervisor, expect_free, surroundings

ENGINE_PYTHON = REPOSITORY / ".venv-engine" / "bin" / "python"
HEALTH_TIMEOUT_S = 5.0
WEB_HEALTH = "/health/live"
ENGINE_HEALTH = "/webhooks/candour/health"

Say = Callable[[str], None]


def programs(settings: Settings, model: Path | None, *, worker: bool = True) -> list[Program]:
    """The processes of an installation, in the order of their start; without a model the engine runs elsewhere."""
    found = [] if model is None else [_actions(settings), _engine(settings, model)]
    names = [program.name for program in found]
    found.append(_web(settings, names))
    if worker:
        found.append(_worker(settings))
        found += [_simulator(settings)] if _is_at_simulator(settings) else []
    return found


def _is_at_simulator(settings: Settings) -> bool:
    return settings.twilio_url == f"http://127.0.0.1:{settings.simulator_port}"


def web_address(settings: Settings) -> str:
    """Where this machine reaches the web process."""
    host = settings.web_host
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.web_port}"


def answers(url: str) -> Callable[[], bool]:
    """A question: does this address answer 200?"""

    def ask() -> bool:
        try:
            return httpx.get(url, timeout=HEALTH_TIMEOUT_S, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return ask


def engine_python() -> str:
    """The engine's interpreter; raises Misconfigured when its environment is not there."""
    if not ENGINE_PYTHON.exists():
        raise Misconfigured("The engine's environment is missing: start through `./candour`, which makes it.")
    return str(ENGINE_PYTHON)


def _engine(settings: Settings, model: Path) -> Program:
    extra = {
        "CANDOUR_ENGINE_TOKEN": settings.secret("engine_token"),
        "CANDOUR_ACTIONS_URL": f"http://127.0.0.1:{settings.actions_port}/webhook",
    }
    command = [engine_python(), "-m", "engine.serve", "--model", str(model), "--port", str(settings.engine_port)]
    return Program(
        name="engine",
        command=command,
        folder=REPOSITORY,
        environment=surroundings(extra, bare=True),
        log=settings.home / "log" / "engine.log",
        healthy=answers(f"http://127.0.0.1:{settings.engine_port}{ENGINE_HEALTH}"),
        port=settings.engine_port,
        setting="CANDOUR_ENGINE_PORT",
    )


def _actions(settings: Settings) -> Program:
    return Program(
        name="action server",
        command=[engine_python(), "-m", "engine.actions", "--port", str(settings.actions_port)],
        folder=REPOSITORY,
        environment=surroundings({}, bare=True),
        log=settings.home / "log" / "actions.log",
        healthy=answers(f"http://127.0.0.1:{settings.actions_port}/health"),
        port=settings.actions_port,
        setting="CANDOUR_ACTIONS_PORT",
    )


def _web(settings: Settings, after: list[str]) -> Program:
    # After the engine: a patient who comes too early would get an apology instead of an answer.
    return replace(
        _ours(settings, "web", "bot.web", after=after),
        healthy=answers(web_address(settings) + WEB_HEALTH),
        port=settings.web_port,
        setting="CANDOUR_WEB_PORT",
    )


def _worker(settings: Settings) -> Program:
    shown = pulse.path_of(settings.home, "worker")
    return replace(_ours(settings, "worker", "bot.worker", after=["web"]), healthy=lambda: pulse.is_fresh(shown))


def _simulator(settings: Settings) -> Program:
    return Program(
        name="simulator",
        command=provider.command(settings),
        folder=REPOSITORY,
        environment=surroundings(provider.addresses(settings), bare=True),
        log=settings.home / "log" / "simulator.log",
        healthy=answers(f"http://127.0.0.1:{settings.simulator_port}{provider.HEALTH}"),
        port=settings.simulator_port,
        setting="CANDOUR_SIMULATOR_PORT",
    )


def _ours(settings: Settings, name: str, module: str, *, after: list[str]) -> Program:
    told = ("home", "data", "secrets_dir", "web_host", "web_port", "engine_port", "engine_url", "actions_port")
    values = {field: getattr(settings, field) for field in told}
    extra = {f"CANDOUR_{field.upper()}": str(value) for field, value in values.items() if value not in (None, "")}
    extra |= provider.told(settings)
    extra["MALLOC_ARENA_MAX"] = "2"  # else glibc keeps a heap for almost every thread, and hardly gives one back
    return Program(
        name=name,
        command=[sys.executable, "-m", module],
        folder=REPOSITORY,
        environment=surroundings(extra, bare=False),
        log=settings.home / "log" / f"{name}.log",
        after=after,
        final=(),
    )


def expect_ports(settings: Settings, patience: float = 3.0) -> None:
    """See that all can listen where they are to, before anything long begins.

    Raises Misconfigured for settings that cannot work, and StartFailed for a port that another program has.
    """
    needed = {"web": "web_port"}
    if not settings.engine_url:
        needed |= {"engine": "engine_port", "action server": "actions_port"}
    if provider.is_simulated(settings) or _is_at_simulator(settings):
        needed["simulator"] = "simulator_port"
    seen: dict[int, str] = {}
    for name, field in needed.items():
        port, setting = getattr(settings, field), f"CANDOUR_{field.upper()}"
        if port in seen:
            raise Misconfigured(f"{seen[port]} and {setting} are both {port}: each process needs a port of its own.")
        seen[port] = setting
        expect_free(name, port, setting, patience)
    if not _is_of_this_machine(settings.web_host):
        raise Misconfigured("CANDOUR_WEB_HOST is no address of this machine.")


def _is_of_this_machine(host: str) -> bool:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True


def on_free_ports(settings: Settings) -> Settings:
    """The same settings with ports nobody uses at this moment."""
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for probe in (one, two, three):
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in (one, two, three)]
    changed = {"web_host": "127.0.0.1", "web_port": ports[0], "engine_port": ports[1], "actions_port": ports[2]}
    return settings.model_copy(update=changed)


@contextmanager
def engine(settings: Settings, say: Say, show: installation.Show) -> Iterator[Settings]:
    """Settings under which an engine of the present data answers for the duration of the block; nothing else is started."""
    prepared = installation.prepare(settings, say, show)
    apart = on_free_ports(prepared.settings)
    needed = [program for program in programs(apart, prepared.model, worker=False) if program.name in ("engine", "action server")]
    supervisor = Supervisor(needed, say)
    try:
        supervisor.start(threading.Event())
        yield apart
    finally:
        supervisor.stop()


@contextmanager
def door(settings: Settings, say: Say, show: installation.Show) -> Iterator[str]:
    """The address of a web door for the duration of the block: that of the running `up`, or of one started for it."""
    for _ in range(120):
        found = state.running(settings.home)
        if found is None:
            break
        if found.get("ready") and answers(str(found["web"]) + WEB_HEALTH)():
            yield str(found["web"])
            return
        time.sleep(0.5)  # an `up` is just starting, or starts its web process again: rather wait than start a second engine
    prepared = installation.prepare(settings, say, show)
    apart = on_free_ports(prepared.settings)
    supervisor = Supervisor(programs(apart, prepared.model, worker=False), say)
    try:
        supervisor.start(threading.Event())
        yield web_address(apart)
    finally:
        supervisor.stop()
