"""Ten thousand guesses from a hundred network addresses neither find a code nor keep its owner out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.identity.flow import Identity
from bot.identity.steps import Step
from tests.identity.conftest import row, stock
from tests.identity.line import Line
from tests.make import FakeClock

GUESSES, ADDRESSES = 10_000, 100
LAST = f"{GUESSES - 1:06}"
"""The code that is always drawn: of all that the guessers try, the last."""


def test_guessing_finds_nothing_and_locks_nobody_out(
    database: Database, vault: Vault, index: BlindIndex, clock: FakeClock, tmp_path: Path
) -> None:
    reference = stock(database, vault, index, tmp_path / "r.csv", [row("P001", "chan@example.com", "9123 4567")])["P001"]
    identity = Identity(vault, index, new_code=lambda: LAST)
    said: Counter[str] = Counter()
    with database.writing() as session:
        guessers = [Line(session, identity, clock, f"address {n}") for n in range(ADDRESSES)]
    for first in range(0, GUESSES - 1, 200):
        with database.writing() as session:
            for number in range(first, min(first + 200, GUESSES - 1)):
                clock.advance(seconds=9)  # the whole takes a day and an hour
                said[guessers[number % ADDRESSES].guesses(session, reference, f"{number:06}")] += 1
    assert said["verify_done"] == 0
    assert said["verify_code_wrong"] > 0
    assert said.total() == GUESSES - 1
    with database.writing() as session:
        # An hour later the owner asks, from another address, and is in.
        clock.advance(hours=1, seconds=1)
        owner = Line(session, identity, clock, "home")
        assert owner.asks(session, reference) == "verify_code_sent"
        assert owner.takes(session, Step.WORDS, LAST).say[0] == "verify_done"
