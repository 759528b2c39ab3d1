"""Ten thousand guesses from a hundred network addresses neither find a code nor keep its owner out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.base.database import Database
from bot.base.languages import Language
from bot.base.vault import BlindIndex, Vault
from bot.conversations import threads
from bot.conversations.models import Owner, Thread
from bot.identity.flow import Identity
from bot.identity.steps import Asked, Outcome, Step
from tests.identity.conftest import row, stock
from tests.make import FakeClock

GUESSES, ADDRESSES = 10_000, 100
LAST = f"{GUESSES - 1:06}"
"""The code that is always drawn: of all that the guessers try, the last."""


class Line:
    """One thread on which somebody takes steps of the check, without an inbox around it."""

    def __init__(self, session: Session, identity: Identity, clock: FakeClock, network: str) -> None:
        self._identity, self._clock, self._network = identity, clock, network
        name = f"line of {network}"
        self.thread_id = threads.open_thread(session, channel="web", address_index=name, language="en", at=clock()).id
        self.session_id = threads.session_for(session, self.thread_id, clock()).id

    def takes(self, session: Session, step: Step, text: str = "") -> Outcome:
        """One step."""
        thread = session.get_one(Thread, self.thread_id)
        asked = Asked(step, thread, self.session_id, self._network, Language.EN, self._clock(), text)
        outcome = self._identity.answer(session, asked)
        thread.owner = outcome.owner.value
        session.flush()
        return outcome

    def asks(self, session: Session, reference: str) -> str:
        """From the beginning to a code; returns what was said last."""
        if self.takes(session, Step.START).owner is not Owner.VERIFYING:
            return "verify_limit"
        self.takes(session, Step.WORDS, reference)
        return self.takes(session, Step.MOBILE).say[0]

    def guesses(self, session: Session, reference: str, code: str) -> str:
        """Try one code, on a new check where the last has ended."""
        thread = session.get_one(Thread, self.thread_id)
        if thread.owner != Owner.VERIFYING.value and self.asks(session, reference) != "verify_code_sent":
            return "verify_limit"
        return self.takes(session, Step.WORDS, code).say[0]


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """A database in a file: what is counted here is the same in both."""
    opened = Database(sqlite_url)
    yield opened
    opened.close()


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
