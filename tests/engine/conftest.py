"""The engine that the tests of its door share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.running import Running, running_engine, trained_model


@pytest.fixture(scope="session")
def model() -> Path:
    """The model of the repository's data."""
    return trained_model()


@pytest.fixture(scope="session")
def engine(model: Path) -> Iterator[Running]:
    """One running engine for all tests which leave it as it was; it logs everything it can."""
    with running_engine(model, options=("--level", "DEBUG")) as running:
        yield running
