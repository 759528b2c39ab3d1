"""An engine that is slow, drips or answers rubbish: an apology and one case, every time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bench.house import House
from bot.conversations.engine import REST_S
from tests.chaos.bad_engine import BODIES, STATUSES
from tests.chaos.conftest import ENGINE_TIMEOUT_S, MARGIN_S, BadEngine
from tests.chaos.ledger import Ledger
from tests.chaos.patients import Patient
from tests.chaos.test_engine import is_apology_with_one_case

RUBBISH = sorted((set(BODIES) | set(STATUSES) | {"cut"}) - {"well"})


@pytest.fixture
def books(badly_served: House) -> Iterator[Ledger]:
    """The database of the badly served installation, which must be in order at the end."""
    opened = Ledger(badly_served.home)
    yield opened
    try:
        opened.settle()
        assert opened.faults() == []
    finally:
        opened.close()


@pytest.fixture
def someone(badly_served: House, bad_engine: BadEngine) -> Iterator[Patient]:
    """A patient of that installation, whose engine behaves again afterwards."""
    bad_engine.behave("well")
    came = Patient(badly_served.web)
    assert "4 May 2023" in came.asks("What happened?")
    yield came
    came.leave()
    bad_engine.behave("well")


def test_every_kind_of_rubbish_becomes_an_apology_and_never_a_word_of_it(
    bad_engine: BadEngine, books: Ledger, someone: Patient
) -> None:
    for how in RUBBISH:
        bad_engine.behave(how)
        reply = someone.asks("What happened?")
        assert is_apology_with_one_case(books, reply), how
    bad_engine.behave("well")
    assert "4 May 2023" in someone.asks("What happened?")


@pytest.mark.parametrize("how", ["slow", "drip"])
def test_an_engine_that_takes_too_long_is_answered_for_in_time(
    bad_engine: BadEngine, books: Ledger, someone: Patient, how: str
) -> None:
    bad_engine.behave(how)
    began = time.monotonic()
    reply = someone.asks("What happened?")
    assert time.monotonic() - began < ENGINE_TIMEOUT_S + MARGIN_S
    assert is_apology_with_one_case(books, reply)


def test_after_several_silences_the_apology_comes_at_once_and_then_all_is_well(
    badly_served: House, bad_engine: BadEngine, books: Ledger, someone: Patient
) -> None:
    bad_engine.behave("slow")
    three = [Patient(badly_served.web) for _ in range(3)]
    for number, other in [(other.send("What happened?"), other) for other in three]:
        other.reply_after(number)
        other.leave()
    began = time.monotonic()
    assert is_apology_with_one_case(books, someone.asks("What happened?"))
    assert time.monotonic() - began < ENGINE_TIMEOUT_S  # the engine was not waited for
    bad_engine.behave("well")
    time.sleep(REST_S)
    assert "4 May 2023" in someone.asks("What happened?")
