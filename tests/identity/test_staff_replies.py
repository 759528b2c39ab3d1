"""What a responder may say to somebody who has shown who they are, and to nobody else."""

from __future__ import annotations

import pytest

from bot.base.errors import Withheld
from bot.base.settings import REPOSITORY
from bot.conversations.models import Owner, Thread
from bot.conversations.transcript import lines_after
from bot.desk.cases import open_case
from bot.desk.reasons import reason
from bot.desk.staff import accounts
from bot.desk.staff.accounts import Profile
from bot.desk.staff.models import AccountStatus
from bot.desk.staff.roles import Role
from bot.desk.work import answers, claims
from bot.desk.work.composing import Composed
from bot.desk.work.speech import Rules, load_never_say
from bot.identity.state import verified_person
from tests.identity.conftest import Caller, House

RULES = Rules(load_never_say(REPOSITORY / "data" / "never_say.yml"))
SECRET = "my_data"
"""A wording for verified people alone."""


def claimed(house: House, patient: Caller) -> tuple[int, int]:
    """A case that is only read along, so that the assistant still has the thread, and who has taken it."""
    with house.database.writing() as session:
        profile = Profile("Ann", f"ann{patient.thread_id}@clinic.example")
        staff = accounts.invite(session, house.vault, house.index, profile, [Role.AGENT], by=0, at=house.clock()).account
        staff.status = AccountStatus.ACTIVE.value
        opened = open_case(session, thread_id=patient.thread_id, reason=reason("notice_resend"), turn_id=None, at=house.clock())
        claims.claim(session, house.vault, opened.case.id, staff.id, house.clock())
        return staff.id, opened.case.id


def send(house: House, patient: Caller, staff_id: int, case_id: int) -> answers.Accepted:
    with house.database.writing() as session:
        published = house.inbox._library.current(session, house.clock())
        said = Composed([SECRET], seen_number=99)
        at = house.clock()
        return answers.send(session, house.vault, published, RULES, case_id, staff_id, at, said, verified_person)


def leave(house: House) -> list[int]:
    with house.database.writing() as session:
        published = house.inbox._library.current(session, house.clock())
        return answers.send_due(session, house.vault, published, house.clock(), prove=verified_person)


def last_line(house: House, patient: Caller) -> str:
    with house.database.reading() as session:
        return lines_after(session, house.vault, patient.thread_id, 0)[-1].text


def verified(house: House) -> Caller:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    return patient


def test_whoever_is_verified_may_be_told_and_is_asked_about_again_when_the_reply_leaves(house: House) -> None:
    patient = verified(house)
    staff_id, case_id = claimed(house, patient)
    assert send(house, patient, staff_id, case_id).reply is not None
    house.clock.advance(seconds=10)
    assert leave(house) == [patient.thread_id]
    assert last_line(house, patient) == "<my_data>"


def test_a_proof_that_ends_before_the_reply_leaves_keeps_it_back(house: House) -> None:
    patient = verified(house)
    staff_id, case_id = claimed(house, patient)
    assert send(house, patient, staff_id, case_id).reply is not None
    before = last_line(house, patient)
    house.clock.advance(minutes=31)
    assert leave(house) == []
    assert last_line(house, patient) == before


def test_a_stranger_is_told_nothing_whatever_a_responder_chooses(house: House) -> None:
    stranger = house.patient()
    stranger.asks_for_code(house.references["P001"])
    stranger.hears("000000")
    staff_id, case_id = claimed(house, stranger)
    with pytest.raises(Withheld):
        send(house, stranger, staff_id, case_id)


def test_once_a_person_has_taken_the_thread_over_the_proof_is_gone(house: House) -> None:
    patient = verified(house)
    staff_id, case_id = claimed(house, patient)
    with house.database.writing() as session:
        session.get_one(Thread, patient.thread_id).owner = Owner.STAFF.value
    with pytest.raises(Withheld):
        send(house, patient, staff_id, case_id)
