"""What providers report of codes, who gets the day's last code, and what ends when a person answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.base.audit import AuditEntry
from bot.base.settings import Settings
from bot.channels.base import DeliveryEvent, Outcome
from bot.conversations.models import Owner, Thread
from bot.desk.records import StaffReply
from bot.desk.staff.models import StaffAccount
from bot.desk.staff.roles import Role
from bot.desk.work import claims
from bot.identity import dispatches
from bot.identity.models import CodeDispatch, DispatchKind, DispatchStatus, Ending
from bot.patients.references import new_reference
from bot.worker import desk_round
from tests.identity.conftest import Caller, House
from tests.people import make_application

# ------------------------------------------------------------ delivery events


def sent(house: House) -> CodeDispatch:
    """A code that has been handed to the provider."""
    house.patient().asks_for_code(house.references["P001"])
    return handed_over(house, DispatchStatus.SENT)


def handed_over(house: House, to: DispatchStatus) -> CodeDispatch:
    row: CodeDispatch
    with house.database.writing() as session:
        for row in session.query(CodeDispatch):
            if row.status == DispatchStatus.QUEUED:
                row.status = to.value
    newest: CodeDispatch = house.rows(CodeDispatch)[-1]
    return newest


def hears_of(house: House, event: DeliveryEvent, channel: str = "sms") -> bool:
    with house.database.writing() as session:
        return dispatches.heard(session, house.vault, event, channel, house.clock())


@pytest.mark.parametrize("before", ["submitting", "sent", "unknown", "failed"])
def test_what_the_provider_delivered_is_delivered_whatever_was_thought_before(house: House, before: str) -> None:
    house.patient().asks_for_code(house.references["P001"])
    row = handed_over(house, DispatchStatus(before))
    assert hears_of(house, DeliveryEvent(row.reference, "SM1", Outcome.DELIVERED))
    [after] = house.rows(CodeDispatch)
    assert (after.status, after.provider_id, after.sealed_code) == (DispatchStatus.DELIVERED, "SM1", None)
    assert hears_of(house, DeliveryEvent(row.reference, "SM1", Outcome.FAILED, "30003"))
    assert house.rows(CodeDispatch)[0].status == DispatchStatus.DELIVERED


def test_an_event_without_our_reference_is_known_by_the_providers_id_on_its_own_channel(house: House) -> None:
    row = sent(house)
    with house.database.writing() as session:
        session.get_one(CodeDispatch, row.id).provider_id = "SM9"
    assert not hears_of(house, DeliveryEvent("", "SM9", Outcome.FAILED, "30006", "Landline"), "email")
    assert not hears_of(house, DeliveryEvent("", "SM8", Outcome.FAILED))
    assert not hears_of(house, DeliveryEvent("somebody else's", "", Outcome.DELIVERED))
    assert hears_of(house, DeliveryEvent("", "SM9", Outcome.FAILED, "30006", "Landline"))
    [after] = house.rows(CodeDispatch)
    assert (after.status, after.code, after.reason) == (DispatchStatus.FAILED, "30006", "Landline")


def test_the_sealed_log_keeps_what_the_provider_reported_and_no_code(house: House) -> None:
    row = sent(house)
    hears_of(house, DeliveryEvent(row.reference, "SM1", Outcome.FAILED, "30003", "Unreachable"))
    [entry] = house.audited("identity.dispatch_failed")
    assert entry["code"] == "30003"
    assert house.rows(AuditEntry)


def test_nobody_is_told_that_a_code_failed_and_after_a_while_everybody_hears_that_none_may_come(house: House) -> None:
    waiting: list[Caller] = []
    for typed in (house.references["P001"], new_reference(), house.references["P002"]):
        waiting.append(house.patient())
        waiting[-1].asks_for_code(typed)
    failed, _, _ = house.rows(CodeDispatch)
    hears_of(house, DeliveryEvent(failed.reference, "SM1", Outcome.FAILED, "30003"))
    assert [one.hears("nothing came") for one in waiting] == ["<verify_code_sent>"] * 3
    house.clock.advance(minutes=2)
    assert [one.hears("still nothing") for one in waiting] == ["<verify_code_overdue>"] * 3
    assert waiting[0].choices().keys() == waiting[1].choices().keys()
    house.clock.advance(minutes=8)
    assert [one.hears("and now?") for one in waiting] == ["<verify_code_expired>"] * 3
    assert waiting[2].chooses("verify_by_email") == "<verify_code_sent>"
    assert waiting[2].hears(house.code()).startswith("<verify_done>")


# ------------------------------------------------------------ who knows a reference cannot use up its codes


def test_a_stranger_at_one_address_leaves_codes_for_the_owner_at_another(house: House) -> None:
    for _ in range(3):
        house.patient(network="stranger").asks_for_code(house.references["P001"])
    house.clock.advance(hours=2)
    assert house.patient(network="stranger").asks_for_code(house.references["P001"]) == "<verify_limit>"
    owner = house.patient(network="home")
    assert owner.asks_for_code(house.references["P001"]) == "<verify_code_sent>"
    assert owner.hears(house.code()).startswith("<verify_done>")


@pytest.mark.parametrize("typed", ["reference", "9123 4567"])
def test_the_last_code_of_a_day_is_for_who_writes_from_the_number_on_file(house: House, typed: str) -> None:
    typed = house.references["P001"] if typed == "reference" else typed
    for number in range(6):
        house.patient(network=f"n{number}").asks_for_code(typed)
        house.clock.advance(minutes=31)
    assert house.patient(network="another").asks_for_code(typed) == "<verify_limit>"
    assert house.patient("sms", "+85269999999").asks_for_code(typed) == "<verify_limit>"
    owner = house.patient("sms", "+85291234567")
    assert owner.asks_for_code(typed) == "<verify_code_sent>"
    assert owner.hears(house.code()).startswith("<verify_done>")
    sent = [row for row in house.rows(CodeDispatch) if row.kind == DispatchKind.CODE and row.contact_point_id]
    assert len(sent) == 5


def test_where_every_code_is_used_up_whatsapp_from_the_number_still_proves(house: House) -> None:
    for number in range(6):
        house.patient(network=f"n{number}").asks_for_code(house.references["P001"])
        house.clock.advance(minutes=31)
    assert house.patient("whatsapp", "+85291234567").starts().startswith("<verify_done>")


# ------------------------------------------------------------ a person answers outside the inbox


def test_who_was_verified_is_so_no_longer_once_a_person_has_answered(house: House, tmp_path: Path) -> None:
    patient = house.patient()
    patient.starts()
    patient.hears("I lost my phone")
    goes_back_to_the_assistant(house, patient)
    patient.asks_for_code(house.references["P001"], "email")
    patient.hears(house.code())
    assert patient.verified() is not None
    [case] = house.cases()
    answers_as_staff(house, case.id, patient.thread_id, Settings(_env_file=None, home=tmp_path))
    assert patient.owner() is Owner.STAFF
    goes_back_to_the_assistant(house, patient)
    assert patient.verified() is None
    assert patient.check().ended_because == Ending.STAFF
    assert "<my_data>" not in patient.hears("am i affected")


def goes_back_to_the_assistant(house: House, patient: Caller) -> None:
    with house.database.writing() as session:
        session.get_one(Thread, patient.thread_id).owner = Owner.BOT.value


def answers_as_staff(house: House, case_id: int, thread_id: int, settings: Settings) -> None:
    """A reply leaves as the worker's round of the desk has it leave."""
    now = house.clock()
    with house.database.writing() as session:
        account = StaffAccount(login_entry="-", sealed_profile="-", roles=[Role.AGENT.value], status="active", created_at=now)
        session.add(account)
        session.flush()
        claims.claim(session, house.vault, case_id, account.id, now)
        more = {"language": "en", "seen_number": 99, "written_at": now, "due_at": now}
        session.add(StaffReply(case_id=case_id, thread_id=thread_id, staff_id=account.id, names=["what_happened"], **more))
    application = make_application(settings, house.database, house.vault, house.index, house.clock, house.engine)
    desk_round(application, "here").tick()
