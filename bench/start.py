"""`bench start`: from `up` to the first answer, with environments and model in place (warm)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.house import House
from bench.patient import Patient
from bench.turns import machine


def run(home: Path, model: Path) -> dict[str, Any]:
    """Start twice: on an empty home folder that has a model, and again on the same one."""
    results: dict[str, Any] = {"machine": machine(House(home))}
    for name in ("first_start_s", "second_start_s"):
        house = House(home, model)
        began = time.perf_counter()
        house.start()
        try:
            Patient(house.web, "en").ask("What happened?")
            results[name] = round(time.perf_counter() - began, 1)
        finally:
            house.stop()
    return results
