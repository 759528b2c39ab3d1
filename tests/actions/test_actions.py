"""The actions run in the engine's environment; this runs their tests there."""

from __future__ import annotations

import subprocess

import pytest

from tests.engine.running import PYTHON, ROOT


@pytest.mark.engine
def test_the_ten_actions_lead_to_their_deeds() -> None:
    done = subprocess.run(
        [str(PYTHON), "-W", "ignore", "-m", "unittest", "tests.actions.inside"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
