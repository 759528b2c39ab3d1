"""`up`: everything on this machine, under one supervisor, until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from dataclasses import replace
from types import FrameType
from typing import Annotated

import typer

from bot.base.clock import in_hong_kong, system_clock
from bot.base.errors import CandourError
from bot.base.settings import Settings
from bot.cli import installation, provider, services, state
from bot.cli.demo import day
from bot.cli.supervisor import Supervisor
from bot.cli.terminal import out, say, settings_now, show


def up(
    demo: Annotated[
        bool | None,
        typer.Option(
            "--demo/--no-demo",
            help="Publish the shipped incident when nothing is published yet; --demo plays a day on an empty desk too.",
        ),
    ] = None,
) -> None:
    """Start Candour: engine, action server, web and worker, watched until Ctrl-C.

    The first start makes the secrets, the database, a demo publication and the model.
    """
    settings = settings_now()
    try:
        with state.held(state.up_lock(settings.home), wait=False):
            _up(settings, demo)
    except state.Busy:
        at = (state.running(settings.home) or {}).get("web", "an address it is about to print")
        raise CandourError(f"Candour is already running at {at}; stop that one first (Ctrl-C there).") from None


def _up(settings: Settings, demo: bool | None) -> None:
    state.write_state(settings.home, {"pid": os.getpid(), "ready": False})
    services.expect_ports(settings)
    prepared = installation.prepare(settings, say, show, demo=demo)
    prepared = replace(prepared, settings=provider.with_simulator(prepared.settings))
    if demo:
        day.team(prepared.settings, say)
        day.play(prepared.settings, say)
    stop, hurry = threading.Event(), threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, told)
    watch = Supervisor(services.programs(prepared.settings, prepared.model), say, changed=lambda: note(ready=False))
    began = in_hong_kong(system_clock()).isoformat(timespec="seconds")

    def note(*, ready: bool) -> None:
        ready = ready or all(one.was_well for one in watch.watched.values())
        with contextlib.suppress(OSError):  # a full disk must not stop the processes
            state.write_state(settings.home, _state(prepared.settings, watch, ready=ready, began=began))

    try:
        if watch.start(stop):
            note(ready=True)
            out.print(f"Candour is ready: {services.web_address(prepared.settings)}/   (stop with Ctrl-C)")
            out.print(f"Staff console: {services.web_address(prepared.settings)}/desk")
            if "simulator" in watch.watched:
                out.print(
                    f"Phones and mailboxes: http://127.0.0.1:{prepared.settings.simulator_port}/   (simulated, nothing is sent)"
                )
            watch.run(stop)
    finally:
        say("Stopping …")
        watch.stop(hurry.is_set)
        state.forget_state(settings.home)
        say("All stopped.")


def _state(settings: Settings, watch: Supervisor, *, ready: bool, began: str) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "ready": ready,
        "began": began,
        "web": services.web_address(settings),
        "engine": settings.engine,
        "programs": watch.pids(),
    }
