"""Whole installations of Candour to be hurt: real processes, started the way `./candour up` starts them.

Everything goes over HTTP and signals. No test replaces anything inside a process; where the real
engine cannot be made to misbehave as wished (slow, dripping, rubbish), a process of ours stands at
its address.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from bench.house import House, free_ports, trained_model
from bot.base.settings import REPOSITORY
from tests.chaos.ledger import Ledger, until_true
from tests.chaos.patients import Patient

ENGINE_TIMEOUT_S = 4.0
MARGIN_S = 3.0
"""What two busy cores may add to a time that is promised."""
LEFT_BEHIND_S = 35.0
"""Until somebody else answers: the lease of the process that died runs out, the sweeper looks, and the margin."""
MANY = "1000 per second"
EVERYTHING = ("action server", "engine", "web", "worker")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder hurts processes; what has the real engine among them says so."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.chaos)
            if "house" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def model() -> Path:
    """The model of the repository's data, as the product trains it."""
    return trained_model()


@pytest.fixture(scope="session")
def running_house(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One installation with the real engine for the tests that leave it well."""
    house = House(tmp_path_factory.mktemp("house"), model, engine_timeout_s=ENGINE_TIMEOUT_S)
    house.start()
    yield house
    house.stop()


@pytest.fixture
def house(running_house: House) -> Iterator[House]:
    """The shared installation, well before the test and well again after it."""
    running_house.await_well(*EVERYTHING)
    yield running_house
    running_house.await_well(*EVERYTHING)


@pytest.fixture
def ledger(house: House) -> Iterator[Ledger]:
    """The shared installation's database; at the end of every test it must be in order."""
    opened = Ledger(house.home)
    yield opened
    try:
        opened.settle()
        assert opened.faults() == []
    finally:
        opened.close()


@pytest.fixture
def patient(house: House) -> Iterator[Patient]:
    """Somebody who has just come to the shared installation's page."""
    someone = Patient(house.web)
    yield someone
    someone.leave()


@pytest.fixture
def visitors(house: House) -> Iterator[Callable[[int], list[Patient]]]:
    """Makes more patients of the shared installation."""
    came: list[Patient] = []

    def come(number: int) -> list[Patient]:
        came.extend(Patient(house.web) for _ in range(number))
        return came[-number:]

    yield come
    for someone in came:
        someone.leave()


# ---------------------------------------------------------------- an engine that misbehaves


class BadEngine:
    """A process at the engine's address that behaves as it is told."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen([sys.executable, "-m", "tests.chaos.bad_engine", str(port)], cwd=REPOSITORY)
        until_true(lambda: self._answers(), "the stand-in answers", 20)

    def behave(self, how: str) -> None:
        """From now on answer turns in this way."""
        httpx.post(f"{self.url}/behave", content=how.encode(), trust_env=False, timeout=60).raise_for_status()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/webhooks/candour/health", trust_env=False, timeout=60).is_success
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="session")
def bad_engine() -> Iterator[BadEngine]:
    """The stand-in."""
    engine = BadEngine(free_ports(1)[0])
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def badly_served(bad_engine: BadEngine, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation whose engine is the stand-in."""
    place = tmp_path_factory.mktemp("badly")
    house = House(place, model, engine_timeout_s=ENGINE_TIMEOUT_S, engine_url=bad_engine.url, limit_session_turns=MANY)
    house.start()
    yield house
    house.stop()
