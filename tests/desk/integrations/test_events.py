"""What happens to a case is told to whoever listens, in its transaction, without anything of a patient."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.desk.cases import open_case, reopen
from bot.desk.integrations.clocks import ClockTeller
from bot.desk.integrations.events import EVENTS, OF_LOG
from bot.desk.integrations.models import WebhookDelivery, WebhookEvent
from bot.desk.models import Outcome
from bot.desk.reasons import reason
from bot.desk.records import CallResult, CasePerson, Known
from bot.desk.staff.roles import Role
from bot.desk.work import answers, claims, ending, notebook, persons
from bot.desk.work.composing import Composed
from bot.desk.work.speech import NeverSay, Rules
from tests.desk.conftest import Desk
from tests.desk.integrations.conftest import registered
from tests.desk.onfile import person_on_file

SECRET_WORDS = "the patient said something private"


def types(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        return [one.type for one in session.query(WebhookEvent).order_by(WebhookEvent.id)]


def test_the_life_of_a_case_is_told_fact_by_fact(desk: Desk) -> None:
    registered(desk, "http://localhost/hooks")
    case_id, agent, other = desk.case(), desk.colleague(Role.LEAD), desk.colleague()
    thread_id = desk.look(case_id).thread_id
    desk.turn(thread_id, SECRET_WORDS)
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, agent, desk.clock())
        notebook.add_note(session, desk.vault, case_id, agent, desk.clock(), text=SECRET_WORDS)
        notebook.log_call(session, desk.vault, case_id, agent, desk.clock(), result=CallResult.REACHED, text=SECRET_WORDS)
        claims.take_over(session, desk.vault, case_id, other, desk.clock(), why=SECRET_WORDS)
        claims.release(session, desk.vault, case_id, other, desk.clock())
        claims.claim(session, desk.vault, case_id, agent, desk.clock())
        composed = Composed(("what_happened",), seen_number=99)
        answers.send(session, desk.vault, desk.published, Rules(NeverSay({})), case_id, agent, desk.clock(), composed)
    desk.clock.advance(seconds=11)
    with desk.database.writing() as session:
        answers.send_due(session, desk.vault, desk.published, desk.clock())
        ending.hand_back(session, desk.vault, desk.published, case_id, agent, desk.clock())
        until = desk.clock() + timedelta(hours=1)
        ending.snooze(session, desk.vault, case_id, agent, desk.clock(), until=until)
        claims.transfer(session, desk.vault, case_id, agent, desk.clock(), team="privacy")
        claims.claim(session, desk.vault, case_id, agent, desk.clock())
        ending.resolve(session, desk.vault, desk.published, case_id, agent, desk.clock(), outcome=Outcome.ANSWERED)
        reopen(session, desk.vault, case_id, agent, desk.clock())
        open_case(session, thread_id=thread_id, reason=reason("distress"), turn_id=None, at=desk.clock())
    assert types(desk) == [
        *("case.opened", "case.patient_wrote", "case.claimed", "case.noted", "case.called", "case.taken_over", "case.released"),
        *("case.claimed", "case.replied", "case.handed_back", "case.snoozed", "case.transferred", "case.claimed"),
        *("case.resolved", "case.reopened", "case.reason_added"),
    ]
    with desk.database.reading() as session:
        told = json.dumps([one.data for one in session.query(WebhookEvent)])
        last = session.query(WebhookEvent).order_by(WebhookEvent.id.desc()).first()
    assert SECRET_WORDS not in told
    assert last is not None
    assert (last.data["further_reason"], last.data["reason"], last.data["case"]) == (
        "distress",
        "distress",
        desk.look(case_id).number,
    )


def test_merging_and_its_undoing_are_told(lite: Desk) -> None:
    registered(lite, "http://localhost/hooks", "case.merged", "case.merge_undone")
    one, other, lead, who = lite.case(), lite.case(), lite.colleague(Role.LEAD), person_on_file(lite)
    with lite.database.writing() as session:
        for case_id in (one, other):
            session.add(CasePerson(case_id=case_id, person_id=who, known=Known.VERIFIED.value, by="assistant", at=lite.clock()))
        session.flush()
        persons.merge(session, lite.vault, one, other, staff_id=lead, at=lite.clock())
        persons.undo_merge(session, lite.vault, one, staff_id=lead, at=lite.clock())
    assert types(lite) == ["case.merged", "case.merge_undone", "case.merge_undone"]
    with lite.database.reading() as session:
        first = session.query(WebhookEvent).order_by(WebhookEvent.id).first()
    assert first is not None
    assert (first.data["case"], first.data["into"]) == (lite.look(one).number, lite.look(other).number)


def test_an_event_is_undone_with_what_it_tells(desk: Desk) -> None:
    registered(desk, "http://localhost/hooks")
    case_id, agent = desk.case(), desk.colleague()

    def claim_and_fail() -> None:
        with desk.database.writing() as session:
            claims.claim(session, desk.vault, case_id, agent, desk.clock())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        claim_and_fail()
    assert types(desk) == ["case.opened"]


def test_nobody_who_does_not_listen_is_written_for(lite: Desk) -> None:
    lite.case()
    with lite.database.reading() as session:
        assert session.query(WebhookEvent).count() == 0
    registered(lite, "http://localhost/one", "case.claimed")
    registered(lite, "http://localhost/two", "case.opened", "case.claimed")
    case_id, agent = lite.case(), lite.colleague()
    with lite.database.writing() as session:
        claims.claim(session, lite.vault, case_id, agent, lite.clock())
    with lite.database.reading() as session:
        assert [(one.endpoint_id, one.event_id) for one in session.query(WebhookDelivery).order_by(WebhookDelivery.id)] == [
            *((2, 1), (1, 2), (2, 2)),
        ]


def test_reading_revealing_and_undoing_are_told_to_nobody() -> None:
    assert not {"read", "revealed", "reply_undone", "person_linked", "unclaimed_told"} & set(OF_LOG)
    assert set(OF_LOG.values()) <= set(EVENTS)


def test_a_deadline_is_told_once_when_it_warns_and_once_when_it_passes(desk: Desk) -> None:
    registered(desk, "http://localhost/hooks", "case.warned", "case.breached")
    case_id = desk.case("distress_lasting")
    tellers = [ClockTeller(desk.database, desk.library, desk.clock, name) for name in ("one", "two")]

    def told(hours: float) -> list[str]:
        desk.clock.advance(hours=hours)
        for teller in (*tellers, ClockTeller(desk.database, desk.library, desk.clock, "three")):
            teller.tick()
        return types(desk)

    assert told(2.9) == []
    assert told(0.2) == ["case.warned"]
    assert told(0.5) == ["case.warned"]
    assert told(0.5) == ["case.warned", "case.breached"]
    assert told(1) == ["case.warned", "case.breached"]
    with desk.database.reading() as session:
        last = session.query(WebhookEvent).order_by(WebhookEvent.id.desc()).first()
    assert last is not None
    assert (last.data["clock"], last.data["due_at"], last.data["case"]) == (
        "first",
        desk.look(case_id).first_response_due_at.isoformat(),
        desk.look(case_id).number,
    )


def test_deadlines_in_office_hours_warn_at_three_quarters_of_them(lite: Desk) -> None:
    registered(lite, "http://localhost/hooks", "case.warned")
    lite.case("data_access_request")
    teller = ClockTeller(lite.database, lite.library, lite.clock, "one")
    lite.clock.advance(hours=5.9)
    teller.tick()
    assert types(lite) == []
    lite.clock.advance(hours=0.2)
    teller.tick()
    assert types(lite) == ["case.warned"]


def test_what_passed_before_somebody_listened_is_not_told_afterwards(lite: Desk) -> None:
    lite.case("distress_lasting")
    lite.clock.advance(hours=5)
    registered(lite, "http://localhost/hooks")
    ClockTeller(lite.database, lite.library, lite.clock, "one").tick()
    assert types(lite) == []
