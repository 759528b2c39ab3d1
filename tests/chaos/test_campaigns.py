"""Campaigns whose processes are killed at random moments: nobody is lost, nobody is written to twice without a visible doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.campaigns import chaos

PEOPLE = 2000


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Where the installation's data lie; empty means SQLite in its home."""
    return str(request.getfixturevalue("empty_postgres_url")) if request.param == "postgres" else ""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_campaign_under_fire_loses_and_doubles_nobody(seed: int, database_url: str, tmp_path: Path) -> None:
    wrong, _ = chaos.once(tmp_path / "home", seed=seed, people=PEOPLE, database_url=database_url, kills=8)
    assert wrong == []


def test_the_script_counts_every_thing_that_must_not_be() -> None:
    assert len(dict(chaos._queries())) == 11
