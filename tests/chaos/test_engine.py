"""The engine and its action server killed and stopped while patients write."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.house import House
from bot.conversations.engine import REST_S
from tests.chaos.conftest import ENGINE_TIMEOUT_S, MARGIN_S
from tests.chaos.ledger import Ledger
from tests.chaos.patients import Patient

CASE = re.compile(r"\d{4}-\d{4}-\d")


@contextmanager
def stopped(house: House, name: str) -> Iterator[None]:
    """The process stands still for the block."""
    house.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        house.signal(name, signal.SIGCONT)


def is_apology_with_one_case(ledger: Ledger, text: str) -> bool:
    """Whether the newest turn failed, with one case whose number the patient was told."""
    turn = ledger.last_turn()
    cases = ledger.cases_of(turn.thread_id)
    return turn.status == "failed" and len(cases) == 1 and cases[0][0] == "engine_failed" and cases[0][2] in text


def test_a_killed_engine_is_answered_for_and_comes_back(house: House, ledger: Ledger, patient: Patient) -> None:
    killed = house.signal("engine", signal.SIGKILL)
    reply = patient.asks("What happened?")
    assert is_apology_with_one_case(ledger, reply)
    house.await_well("engine", other_than=killed)
    assert not CASE.search(patient.asks("What happened?"))
    assert ledger.last_turn().status == "answered"


def test_a_stopped_engine_is_answered_for_in_time(house: House, ledger: Ledger, patient: Patient) -> None:
    with stopped(house, "engine"):
        began = time.monotonic()
        reply = patient.asks("What happened?")
        assert time.monotonic() - began < ENGINE_TIMEOUT_S + MARGIN_S
        assert is_apology_with_one_case(ledger, reply)


def test_nobody_is_kept_waiting_behind_a_stopped_engine(
    house: House, ledger: Ledger, visitors: Callable[[int], list[Patient]]
) -> None:
    *others, patient = visitors(25)  # the last one: the worker, which goes by their order, cannot be who helps
    with stopped(house, "engine"):
        sent = [(other, other.send("What happened?")) for other in others]
        help_text = patient.asks("I want to end my life")
        assert "2896 0000" in help_text
        assert not any(line.kind == "reply" for other in others for line in other.lines())  # help did not wait for the engine
        for other, number in sent:
            assert CASE.search(other.reply_after(number, ENGINE_TIMEOUT_S * 2 + MARGIN_S))
    time.sleep(REST_S)
    assert not CASE.search(visitors(1)[0].asks("What happened?"))
    per_thread = ledger.rows("SELECT count(*) AS n FROM cases WHERE reason = 'engine_failed' GROUP BY thread_id")
    assert {row.n for row in per_thread} == {1}


def test_a_killed_action_server_is_answered_for_where_it_was_needed(house: House, ledger: Ledger, patient: Patient) -> None:
    killed = house.signal("action server", signal.SIGKILL)
    reply = patient.asks("Is my data involved?")
    assert is_apology_with_one_case(ledger, reply)
    house.await_well("action server", other_than=killed)
    assert not CASE.search(patient.asks("What happened?"))


def test_a_stopped_action_server_is_answered_for_in_time(house: House, ledger: Ledger, patient: Patient) -> None:
    with stopped(house, "action server"):
        began = time.monotonic()
        reply = patient.asks("Is my data involved?")
        assert time.monotonic() - began < ENGINE_TIMEOUT_S + MARGIN_S
        assert is_apology_with_one_case(ledger, reply)
