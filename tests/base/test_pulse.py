"""The pulse of a process: shown while all of its loops go round."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bot.base.pulse import FRESH_S, Pulse, is_fresh, path_of


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_of(tmp_path, "worker")


def test_a_process_that_never_showed_a_pulse_is_not_well(path: Path) -> None:
    assert not is_fresh(path)


def test_the_pulse_is_shown_while_every_loop_goes_round(path: Path, seconds: Seconds) -> None:
    pulse = Pulse(path, ["sweeper", "sealer"], patience_s=5, clock=seconds)
    seconds.now += 4
    assert pulse.show()
    assert is_fresh(path)
    assert path.stat().st_mode & 0o077 == 0


def test_one_loop_that_hangs_stops_the_pulse_and_is_named(path: Path, seconds: Seconds) -> None:
    pulse = Pulse(path, ["sweeper", "sealer"], patience_s=5, clock=seconds)
    seconds.now += 6
    pulse.beat("sealer")
    assert not pulse.show()
    assert pulse.late() == ["sweeper"]
    assert not path.exists()


def test_a_loop_that_goes_round_again_brings_the_pulse_back(path: Path, seconds: Seconds) -> None:
    pulse = Pulse(path, ["sweeper"], patience_s=5, clock=seconds)
    seconds.now += 6
    pulse.beat("sweeper")
    assert pulse.show()


def test_a_pulse_shown_long_ago_is_that_of_a_process_that_stopped(path: Path, seconds: Seconds) -> None:
    assert Pulse(path, ["sweeper"], clock=seconds).show()
    long_ago = time.time() - FRESH_S - 1
    os.utime(path, (long_ago, long_ago))
    assert not is_fresh(path)
