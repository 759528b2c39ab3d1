"""The encoders and everything around them, against strings that nobody would write."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.engine.running import PYTHON, ROOT

pytestmark = pytest.mark.engine

STRINGS = 3000


def test_thousands_of_hostile_strings_are_judged_and_none_breaks_the_engine(model: Path) -> None:
    command = [str(PYTHON), "-W", "ignore", "-m", "engine.fuzz", "--model", str(model), "--strings", str(STRINGS), "--seed", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {"strings": STRINGS, "odd": 0}
