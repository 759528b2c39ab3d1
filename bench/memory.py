"""`bench memory`: what engine and web hold after many sessions, and whether it still grows."""

from __future__ import annotations

import sys
import threading
from itertools import count
from pathlib import Path
from typing import Any

from bench.house import House
from bench.messages import MESSAGES
from bench.patient import NoReply, Patient, Refused, TakenOver
from bench.turns import lifted_limits, machine

CLIENTS = 8
STEPS = 10


def run(home: Path, model: Path, *, sessions: int) -> dict[str, Any]:
    """Open so many sessions with one turn each, and look at the memory after every tenth of them."""
    house = House(home, model, **lifted_limits())
    circumstances = machine(house)
    house.start()
    looks = [_look(house, 0)]
    try:
        for step in range(1, STEPS + 1):
            _visit(house.web, sessions // STEPS, step)
            looks.append(_look(house, sessions * step // STEPS))
            print(looks[-1], file=sys.stderr)  # noqa: T201 - it takes minutes: progress for whoever waits
    finally:
        house.stop()
    return {
        "sessions": sessions,
        "engine_rss_mb": looks[-1]["engine"],
        "web_rss_mb": looks[-1]["web"],
        "worker_rss_mb": looks[-1]["worker"],
        "engine_mb_per_1000_sessions": slope(looks, "engine"),
        "web_mb_per_1000_sessions": slope(looks, "web"),
        "looks": looks,
        "machine": circumstances,
    }


def slope(looks: list[dict[str, float]], name: str) -> float:
    """Growth in MB per 1,000 sessions over the last half, by least squares."""
    late = looks[len(looks) // 2 :]
    xs, ys = [look["sessions"] / 1000 for look in late], [look[name] for look in late]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    return round(sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread, 2) if spread else 0.0


def _look(house: House, sessions: int) -> dict[str, float]:
    held = {name: round(house.resident_mb(name) or 0.0, 1) for name in ("engine", "web", "worker", "action server")}
    return {"sessions": sessions, **held}


def _visit(url: str, sessions: int, step: int) -> None:
    places = count()

    def come() -> None:
        while (place := next(places)) < sessions:
            language, words = MESSAGES[(place * 7 + step) % len(MESSAGES)]
            try:
                patient = Patient(url, language)
                patient.ask(words)
                patient.close()
            except (Refused, NoReply, TakenOver, OSError):
                continue

    threads = [threading.Thread(target=come) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
