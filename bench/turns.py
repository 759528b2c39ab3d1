"""`bench turns`: how fast a patient is answered, from the POST to the stored reply seen on the event stream."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.house import House
from bench.messages import MESSAGES
from bench.patient import NoReply, Patient, Refused, TakenOver
from bot.base.database import Database
from bot.web.limits import UNLIMITED

SESSION_TURNS = 8
"""Turns until a patient leaves and another one comes."""
WARM_UP = 24
"""Turns before the measurement: first imports, connections, caches."""


@dataclass
class Measured:
    """What one run showed; times in seconds."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    queued: int = 0
    failures: Counter[str] = field(default_factory=Counter)


def lifted_limits() -> dict[str, str]:
    """The settings that lift the allowances per caller: all our patients come from one address."""
    return {f"limit_{name}": str(value) for name, value in asdict(UNLIMITED).items()}


def measure(url: str, clients: int, turns: int) -> Measured:
    """Have so many patients at once send so many turns in all, each waiting for its reply before the next."""
    measured, places, lock = Measured(), count(), threading.Lock()

    def place() -> int | None:
        with lock:
            mine = next(places)
        return mine if mine < turns else None

    def note(change: Callable[[], None]) -> None:
        with lock:
            change()

    threads = [
        threading.Thread(target=_visit, args=(url, number, place, measured, note), name=f"patient-{number}")
        for number in range(clients)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measured.seconds = time.perf_counter() - began
    return measured


def _visit(
    url: str, number: int, place: Callable[[], int | None], measured: Measured, note: Callable[[Callable[[], None]], None]
) -> None:
    patient: Patient | None = None
    sent = 0
    while (mine := place()) is not None:
        # A stride that shares no factor with the list: neighbours ask different things.
        language, words = MESSAGES[(mine * 7 + number) % len(MESSAGES)]
        try:
            if patient is None or sent >= SESSION_TURNS:
                patient, sent = _next(patient, url, language), 0
            heard = patient.ask(words)
            note(lambda seconds=heard.seconds: measured.times.append(seconds))  # type: ignore[misc]
            sent = SESSION_TURNS if heard.may_be_handed_over else sent + 1
        except TakenOver:
            note(lambda: setattr(measured, "queued", measured.queued + 1))
            sent = SESSION_TURNS
        except (Refused, NoReply, OSError) as failed:
            kind = f"{type(failed).__name__} {failed}"
            note(lambda kind=kind: measured.failures.update([kind]))  # type: ignore[misc]
            sent = SESSION_TURNS
    if patient is not None:
        patient.close()


def _next(before: Patient | None, url: str, language: str) -> Patient:
    if before is not None:
        before.close()
    return Patient(url, language)


def percentile(times: list[float], percent: float) -> float | None:
    """The time, in ms, that so many percent did not exceed; None without any."""
    if not times:
        return None
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000, 1)


def report(house: House, measured: Measured, *, clients: int) -> dict[str, Any]:
    """The result as one object; the turns are counted again in the database, where they must all be."""
    answered = len(measured.times)
    return {
        "clients": clients,
        "turns_per_s": round(answered / measured.seconds, 1),
        "p50_ms": percentile(measured.times, 50),
        "p95_ms": percentile(measured.times, 95),
        "p99_ms": percentile(measured.times, 99),
        "engine_rss_mb": _rounded(house.resident_mb("engine")),
        "web_rss_mb": _rounded(house.resident_mb("web")),
        "turns": answered + measured.queued,
        "queued_for_a_person": measured.queued,
        "failures": dict(measured.failures),
        "stored": stored(house),
        "seconds": round(measured.seconds, 1),
    }


def stored(house: House) -> Mapping[str, int]:
    """How many turns the database holds in each status."""
    database = Database(house.database)
    try:
        with database.reading() as session:
            rows = session.execute(text("SELECT status, count(*) FROM turns GROUP BY status")).all()
            return {str(status): int(number) for status, number in rows}
    finally:
        database.close()


def processor_s(house: House) -> dict[str, float]:
    """Processor seconds each process has used so far."""
    return {name: used for name in ("web", "engine", "action server", "worker") if (used := house.cpu_s(name)) is not None}


def machine(house: House) -> dict[str, Any]:
    """What the figures were taken on, and whether anything else was running."""
    return {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "database": house.database.split(":", 1)[0],
        "sqlalchemy": version("sqlalchemy"),
        "uvicorn": version("uvicorn"),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def run(home: Path, model: Path, *, clients: int, turns: int, database_url: str = "") -> dict[str, Any]:
    """Start everything in this folder, measure, stop; returns the result."""
    settings = lifted_limits() | ({"database_url": database_url} if database_url else {})
    house = House(home, model, **settings)
    circumstances = machine(house)
    house.start()
    try:
        measure(house.web, min(clients, 4), WARM_UP)
        before = processor_s(house)
        measured = measure(house.web, clients, turns)
        result = report(house, measured, clients=clients)
        spent = {name: used - before.get(name, 0.0) for name, used in processor_s(house).items()}
        result["cpu_ms_per_turn"] = {name: round(used * 1000 / turns, 1) for name, used in spent.items()}
    finally:
        house.stop()
    return {**result, "machine": circumstances}
