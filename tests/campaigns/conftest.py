"""The clinic, on each kind of database."""

from __future__ import annotations

import pytest

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from tests.campaigns.house import Clinic
from tests.make import FakeClock


@pytest.fixture
def clinic(database: Database, vault: Vault, index: BlindIndex, clock: FakeClock) -> Clinic:
    """Nobody on file yet."""
    return Clinic(database, vault, index, clock)
