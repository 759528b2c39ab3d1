"""The whole life of a case: a machine that does anything in any order, and a day on which the bot keeps silent."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select

from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.lifecycle import may_move
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault, new_key
from bot.conversations.models import Owner, Thread, Turn
from bot.conversations.reading.safety import Lexicon
from bot.desk.cases import open_case, unresolved_case
from bot.desk.models import HELD, LIVE, Case, CaseStatus, Outcome
from bot.desk.reasons import REASONS, reason
from bot.desk.sight.handled import not_handled
from bot.desk.work import claims, ending
from bot.inbox import Inbox
from tests.desk.conftest import Desk, desk_content
from tests.make import FakeClock
from tests.people import FakeEngine, Patient, make_inbox, publish, understood
from tests.servers import PostgresServer


class Life(RuleBasedStateMachine):
    """Two responders and some patients; after each step the desk must still make sense."""

    threads: Bundle[int] = Bundle("threads")
    fresh: Callable[[], tuple[str, Callable[[], object]]]
    """Makes a migrated database; gives its address, and how it is put away."""

    @initialize()
    def open_the_desk(self) -> None:
        address, self.put_away = type(self).fresh()
        self.database = Database(address)
        self.clock = FakeClock()
        publish(self.database, desk_content(), self.clock())
        self.desk = Desk(self.database, Vault(new_key("v1")), BlindIndex(new_key("i1")), self.clock)
        self.staff = [self.desk.colleague(), self.desk.colleague()]
        self.versions: dict[int, int] = {}
        self.numbers: dict[int, str] = {}

    @rule(target=threads, code=st.sampled_from(["self_harm", "patient_wish", "compensation"]))
    def hand_over(self, code: str) -> int:
        return self.desk.look(self.desk.case(code)).thread_id

    @rule(thread_id=threads, code=st.sampled_from(sorted(REASONS)))
    def another_reason(self, thread_id: int, code: str) -> None:
        with self.database.writing() as session:
            open_case(session, thread_id=thread_id, reason=reason(code), turn_id=None, at=self.clock())
            if reason(code).takes_over:
                session.get_one(Thread, thread_id).owner = Owner.STAFF.value

    @rule(thread_id=threads)
    def patient_writes(self, thread_id: int) -> None:
        self.desk.turn(thread_id)

    @rule(minutes=st.sampled_from([1, 11, 600, 60 * 24 * 8]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)
        with self.database.writing() as session:
            ending.wake(session, self.desk.vault, self.clock())
            ending.return_threads(session, self.desk.vault, self.clock())

    @rule(thread_id=threads, who=st.sampled_from([0, 1]))
    def claim(self, thread_id: int, who: int) -> None:
        self._on(thread_id, lambda session, case: claims.claim(session, self.desk.vault, case, self.staff[who], self.clock()))

    @rule(thread_id=threads, who=st.sampled_from([0, 1]))
    def release(self, thread_id: int, who: int) -> None:
        self._on(thread_id, lambda session, case: claims.release(session, self.desk.vault, case, self.staff[who], self.clock()))

    @rule(thread_id=threads, who=st.sampled_from([0, 1]))
    def take_over(self, thread_id: int, who: int) -> None:
        self._on(thread_id, lambda session, case: claims.take_over(session, self.desk.vault, case, self.staff[who], self.clock()))

    @rule(thread_id=threads, who=st.sampled_from([0, 1]))
    def resolve(self, thread_id: int, who: int) -> None:
        more: Any = {"outcome": Outcome.ANSWERED}
        self._on(
            thread_id,
            lambda session, case: ending.resolve(
                session, self.desk.vault, self.desk.published, case, self.staff[who], self.clock(), **more
            ),
        )

    @rule(thread_id=threads, who=st.sampled_from([0, 1]))
    def hand_back(self, thread_id: int, who: int) -> None:
        self._on(
            thread_id,
            lambda session, case: ending.hand_back(
                session, self.desk.vault, self.desk.published, case, self.staff[who], self.clock()
            ),
        )

    def _on(self, thread_id: int, deed: Any) -> None:
        with self.database.reading() as session:
            newest = select(Case.id).where(Case.thread_id == thread_id).order_by(Case.id.desc()).limit(1)
            case_id = session.scalars(newest).one()
        try:
            with self.database.writing() as session:
                deed(session, case_id)
        except BadInput:
            pass

    @invariant()
    def a_thread_has_one_live_case_at_most(self) -> None:
        with self.database.reading() as session:
            live = select(Case.thread_id).where(Case.status.in_([status.value for status in LIVE]))
            found = list(session.scalars(live))
        assert len(found) == len(set(found))

    @invariant()
    def who_has_a_case_is_known_exactly_when_somebody_has_it(self) -> None:
        with self.database.reading() as session:
            cases = session.scalars(select(Case)).all()
            assert set(self.numbers) <= {case.id for case in cases}, "no case is ever lost"
            for case in cases:
                assert (case.claimed_by is not None) == (case.status in HELD) or case.status == CaseStatus.RESOLVED
                assert (case.outcome is not None) == (case.status == CaseStatus.RESOLVED)
                assert (case.resolved_at is not None) == (case.status == CaseStatus.RESOLVED)
                assert case.waiting_since <= self.clock()
                assert case.number == self.numbers.setdefault(case.id, case.number)
                assert case.version >= self.versions.get(case.id, 1)
                self.versions[case.id] = case.version

    @invariant()
    def what_belongs_to_the_team_waits_somewhere(self) -> None:
        with self.database.reading() as session:
            for thread in session.scalars(select(Thread).where(Thread.owner == Owner.STAFF.value)):
                newest = select(Case).where(Case.thread_id == thread.id).order_by(Case.id.desc()).limit(1)
                case = session.scalars(newest).one()
                last = session.scalar(select(func.max(Turn.received_at)).where(Turn.thread_id == thread.id))
                assert case.status in LIVE or (last is not None and case.resolved_at is not None and last <= case.resolved_at)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.put_away()


def test_the_life_of_cases(migrated_file: Path) -> None:
    def fresh() -> tuple[str, Callable[[], object]]:
        folder = Path(tempfile.mkdtemp())
        shutil.copyfile(migrated_file, folder / "c.sqlite3")
        return f"sqlite:///{folder / 'c.sqlite3'}", lambda: shutil.rmtree(folder)

    live(fresh)


def test_the_life_of_cases_on_a_server(postgres_server: PostgresServer, postgres_template: str, postgres_url: str) -> None:
    def fresh() -> tuple[str, Callable[[], object]]:
        name = postgres_server.make(template=postgres_template)
        return postgres_server.url(name), lambda: postgres_server.drop(name)

    live(fresh)


def live(fresh: Callable[[], tuple[str, Callable[[], object]]]) -> None:
    """Live through many days of a desk over databases of one kind."""
    from hypothesis.stateful import run_state_machine_as_test

    Life.fresh = staticmethod(fresh)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Life, settings=settings(max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    )


def test_every_way_out_of_a_live_case_is_in_the_table() -> None:
    for status in LIVE:
        case = Case(status=status)
        assert may_move(case, CaseStatus.RESOLVED)
        assert may_move(case, CaseStatus.MERGED)
    assert not may_move(Case(status=CaseStatus.RESOLVED), CaseStatus.CLAIMED)


@pytest.fixture
def inbox(desk: Desk) -> tuple[FakeEngine, Inbox]:
    engine = FakeEngine(lambda _: understood("what_happened"))
    return engine, make_inbox(desk.database, desk.vault, desk.clock, engine, Lexicon.load(REPOSITORY / "data" / "safety.yml"))


def test_a_hand_over_survives_a_day_with_the_bot_silent(desk: Desk, inbox: tuple[FakeEngine, Inbox]) -> None:
    engine, first = inbox
    patient = Patient(desk.database, desk.vault, first, desk.clock)
    said = patient.says("I want to kill myself")
    assert said[0].startswith("<self_harm en>")
    asked = len(engine.asked)
    for hours in (0.5, 3, 8, 13):
        desk.clock.advance(hours=hours)
        # Another process each time: nothing of it is in memory.
        later = make_inbox(desk.database, desk.vault, desk.clock, engine, Lexicon.load(REPOSITORY / "data" / "safety.yml"))
        patient = _again(patient, later)
        assert patient.says(f"still here after {hours}") == []
    assert len(engine.asked) == asked, "the assistant was not even asked"
    with desk.database.reading() as session:
        case = unresolved_case(session, patient.thread_id)
        assert case is not None
        assert (case.priority, case.status, case.waiting_since) == (0, CaseStatus.OPEN, case.opened_at)
        assert not_handled(session, desk.clock.advance(hours=1)) == []


def test_a_turn_after_the_end_is_with_the_team_again_and_told_in_the_log(desk: Desk, inbox: tuple[FakeEngine, Inbox]) -> None:
    _, answering = inbox
    patient = Patient(desk.database, desk.vault, answering, desk.clock)
    patient.says("I want to kill myself")
    staff_id = desk.colleague()
    with desk.database.reading() as session:
        case = unresolved_case(session, patient.thread_id)
        assert case is not None
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case.id, staff_id, desk.clock())
        ending.resolve(session, desk.vault, desk.published, case.id, staff_id, desk.clock(), outcome=Outcome.SAFE)
    desk.clock.advance(days=2)
    assert patient.says("thank you, one more question") == []
    again = desk.look(case.id)
    assert (again.status, again.number, again.reopened_at) == (CaseStatus.OPEN, case.number, desk.clock())


def test_who_waits_may_ask_for_a_call_by_button_and_by_word(desk: Desk, inbox: tuple[FakeEngine, Inbox]) -> None:
    from bot.desk.alarm import unclaimed
    from bot.desk.hours.switches import calendar

    _, answering = inbox
    for channel, press in (("web", True), ("sms", False)):
        patient = Patient(desk.database, desk.vault, answering, desk.clock, channel)
        patient.says("I want to kill myself")
        desk.clock.advance(minutes=4)
        with desk.database.writing() as session:
            cases = unclaimed.unclaimed(session, calendar(session, desk.clock()), desk.clock())
            assert unclaimed.tell_patients(session, desk.vault, desk.published, cases, desk.clock()) == 1
        label = "call_back button en"
        said = patient.presses(patient.choices()[label]) if press else patient.says("1")
        assert said[0].startswith("<call_back")
        with desk.database.reading() as session:
            case = unresolved_case(session, patient.thread_id)
            assert case is not None
            assert case.call_back_at == desk.clock()
            assert case.priority == 0, "a wish for a call makes nothing less urgent"


def _again(patient: Patient, inbox: Inbox) -> Patient:
    patient._inbox = inbox
    return patient
