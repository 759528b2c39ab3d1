"""The check as a machine: whatever is done, in whatever order and when, only the right code of a known person verifies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Owner, Thread
from bot.identity import state
from bot.identity.codes import GOOD_FOR, TRIES
from bot.identity.flow import Identity
from bot.identity.limits import Limits
from bot.identity.models import CODE, Check, CheckStatus, CodeDispatch
from bot.identity.steps import Step
from bot.patients.references import new_reference
from tests.identity.conftest import row, stock
from tests.identity.line import Line
from tests.make import FakeClock

PLENTY = (10**6, 10**6)
UNLIMITED = Limits(
    subject=PLENTY,
    subject_from_network=PLENTY,
    destination=PLENTY,
    thread=PLENTY,
    network=PLENTY,
    system_day=10**6,
    thread_wrong_day=10**6,
    network_wrong_day=10**6,
)


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


class Machine(RuleBasedStateMachine):
    """One patient's thread, and what must be true of it."""

    def __init__(self, session: Session, vault: Vault, index: BlindIndex, references: dict[str, str]) -> None:
        super().__init__()
        self.session, self.vault, self.references = session, vault, references
        self.savepoint = session.begin_nested()
        self.clock = FakeClock()
        self.line = Line(session, Identity(vault, index, UNLIMITED), self.clock, "somewhere")
        self.known = False  # whether what was typed last is on file
        self.sent: tuple[str, datetime] | None = None  # the code that may be right, and until when
        self.wrong, self.wait_until = 0, self.clock()
        self.verified_until: datetime | None = None

    def teardown(self) -> None:
        self.savepoint.rollback()

    def check(self) -> Check | None:
        return state.current(self.session, self.line.thread_id)

    def takes(self, step: Step, text: str = "") -> str:
        return (*self.line.takes(self.session, step, text).say, "")[0]

    def ends(self) -> None:
        self.sent, self.verified_until = None, None

    @rule(step=st.sampled_from([Step.START, Step.DEED]))
    def begins(self, step: Step) -> None:
        still = self.verified_until is not None and self.clock() < self.verified_until
        self.takes(step)
        if not still:
            self.ends()
            self.wrong, self.wait_until, self.known = 0, self.clock(), False

    @rule(step=st.sampled_from([Step.CANCEL, Step.LOG_OUT, Step.NO_ACCESS]))
    def stops(self, step: Step) -> None:
        self.takes(step)
        self.ends()

    @rule(known=st.booleans())
    @precondition(
        lambda self: (
            (check := self.check()) is not None and check.status in (CheckStatus.REFERENCE, CheckStatus.PLACE, CheckStatus.CODE)
        )
    )
    def types_a_reference(self, known: bool) -> None:
        assert self.takes(Step.WORDS, self.references["P001"] if known else new_reference()) == "verify_where"
        self.known, self.sent = known, None

    @rule(step=st.sampled_from([Step.MOBILE, Step.EMAIL]))
    @precondition(lambda self: (check := self.check()) is not None and check.status in (CheckStatus.PLACE, CheckStatus.CODE))
    def asks_for_a_code(self, step: Step) -> None:
        assert self.takes(step) == "verify_code_sent"
        newest = self.session.scalars(select(CodeDispatch).order_by(CodeDispatch.id.desc()).limit(1)).one()
        code = self.vault.open(newest.sealed_code or "", CODE)
        self.sent = (code, self.clock() + GOOD_FOR) if self.known else None

    @rule()
    @precondition(lambda self: self.sent is not None)
    def types_the_code(self) -> None:
        assert self.sent is not None
        (code, until), now = self.sent, self.clock()
        said = self.takes(Step.WORDS, code)
        if now < self.wait_until:
            assert said == "verify_code_wait"
        elif now >= until:
            assert said == "verify_code_expired"
        else:
            assert said == "verify_done"
            self.sent, self.verified_until = None, now + state.LASTS

    @rule()
    @precondition(lambda self: (check := self.check()) is not None and check.status == CheckStatus.CODE)
    def types_a_wrong_code(self) -> None:
        check = self.check()
        assert check is not None
        assert check.code_until is not None
        counts = self.wait_until <= self.clock() < check.code_until
        wrong = f"{(int(self.sent[0]) + 1) % 10**6:06}" if self.sent else "123456"
        said = self.takes(Step.WORDS, wrong)
        assert said != "verify_done"
        if not counts:
            assert said in ("verify_code_wait", "verify_code_expired")
            return
        self.wrong += 1
        self.wait_until = self.clock() + timedelta(minutes=2 ** (self.wrong - 2) if self.wrong > 1 else 0)
        assert said == ("verify_too_many" if self.wrong == TRIES else "verify_code_wrong")
        if self.wrong == TRIES:
            self.ends()

    @rule(seconds=st.sampled_from([1, 30, 59, 61, 121, 241, 599, 601, 1799, 1801]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @invariant()
    def nobody_is_verified_but_by_the_right_code_and_for_half_an_hour(self) -> None:
        verified = state.verified_person(self.session, self.line.session_id, self.clock())
        should_be = self.verified_until is not None and self.clock() < self.verified_until
        assert (verified is not None) == should_be

    @invariant()
    def the_thread_belongs_to_the_check_while_it_runs(self) -> None:
        check = self.check()
        runs = check is not None and check.status != CheckStatus.VERIFIED
        assert (self.session.get_one(Thread, self.line.thread_id).owner == Owner.VERIFYING.value) == runs

    @invariant()
    def what_has_ended_holds_no_code(self) -> None:
        rows = self.session.scalars(select(Check).where(Check.thread_id == self.line.thread_id)).all()
        assert all(row.code_entry is None for row in rows if row.status in (CheckStatus.ENDED, CheckStatus.VERIFIED))
        assert sum(row.status != CheckStatus.ENDED for row in rows) <= 1


def test_only_the_right_code_of_a_known_person_verifies(
    database: Database, vault: Vault, index: BlindIndex, tmp_path: Path
) -> None:
    references = stock(database, vault, index, tmp_path / "r.csv", [row("P001", "chan@example.com", "9123 4567")])
    with database.writing() as session:
        limits: dict[str, Any] = {"max_examples": 60, "stateful_step_count": 40, "deadline": None}
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: Machine(session, vault, index, references),
            settings=settings(**limits, suppress_health_check=list(HealthCheck)),
        )
