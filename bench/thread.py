"""`bench long-thread`: what a turn costs in a thread that has become long, against its first ones."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from bench.house import House
from bench.patient import Patient
from bench.turns import lifted_limits, machine

WINDOW = 25
QUESTIONS = ("What happened?", "What data was held?", "Which clinics are affected?", "Did you tell the police?")


def run(home: Path, model: Path, *, turns: int) -> dict[str, Any]:
    """Ask so many questions in one thread; compares the median of the last ones with that of the first."""
    house = House(home, model, **lifted_limits())
    circumstances = machine(house)
    house.start()
    try:
        warm = Patient(house.web, "en")
        for place in range(WINDOW):
            warm.ask(QUESTIONS[place % len(QUESTIONS)])
        warm.close()
        patient = Patient(house.web, "en")
        times = [patient.ask(QUESTIONS[place % len(QUESTIONS)]).seconds * 1000 for place in range(turns)]
        patient.close()
    finally:
        house.stop()
    first, last = median(times[:WINDOW]), median(times[-WINDOW:])
    return {
        "turns": turns,
        "first_p50_ms": round(first, 1),
        "last_p50_ms": round(last, 1),
        "ratio": round(last / first, 2),
        "machine": circumstances,
    }
