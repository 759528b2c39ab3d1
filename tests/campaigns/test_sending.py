"""What leaves, to whom, how often, and what stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select, update

from bot.base.audit import AuditEntry
from bot.base.errors import (
    AccountFailure,
    ChannelError,
    OptedOut,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
    Unconfigured,
)
from bot.base.lifecycle import move
from bot.campaigns import hands, ladder, life, pace
from bot.campaigns.models import Notice, NoticeAttempt, NoticeStatus, Obligation
from bot.campaigns.plan import Caps, Release
from bot.campaigns.sending import claiming, concluding
from bot.campaigns.sending.press import Press
from bot.campaigns.sending.room import NoticeRoom
from bot.channels.base import line
from bot.conversations import threads
from bot.patients import disclosure
from bot.patients.models import ContactPoint, Person, Way
from bot.patients.references import normal
from tests.campaigns.house import AUTHOR, Clinic

SMS_ONLY = {"ladder": (Way.SMS, Way.LETTER)}


def failing(error: ChannelError, *addresses: str) -> Callable[[str], None]:
    def answer(address: str) -> None:
        if not addresses or address in addresses:
            raise error

    return answer


def addresses(clinic: Clinic, kind: str) -> list[str]:
    with clinic.database.reading() as session:
        points = session.scalars(select(ContactPoint).where(ContactPoint.kind == kind).order_by(ContactPoint.id))
        return [clinic.vault.open(one.sealed_value, "contact_points.value") for one in points]


def test_everybody_gets_one_email_in_requests_of_a_hundred_rendered_once(clinic: Clinic) -> None:
    clinic.people(230)
    clinic.running()
    clinic.works()
    assert sorted(map(len, clinic.email.requests)) == [30, 100, 100]
    assert set(clinic.email.got.values()) == {1}
    assert clinic.texts.rendered == 1
    assert not clinic.email.called_while_writing
    assert clinic.counts(Notice) == {"accepted": 230}
    assert clinic.sms.requests == []


def test_one_address_of_five_people_is_written_to_five_times_in_five_requests(clinic: Clinic) -> None:
    for _ in range(5):
        clinic.person(email="family@mail.example")
    clinic.running()
    clinic.works()
    assert clinic.email.requests == [["family@mail.example"]] * 5


def test_each_text_carries_the_persons_own_reference_and_the_same_on_every_rung(clinic: Clinic) -> None:
    clinic.people(2)
    clinic.running(**SMS_ONLY)
    clinic.works()
    printed = [normal(text.split()[-1]) for text in clinic.sms.texts.values()]
    assert len(set(printed)) == 2
    with clinic.database.reading() as session:
        assert all(session.scalars(select(Obligation.sealed_reference)))


@pytest.mark.parametrize(
    ("error", "status", "rung"),
    [
        (OutcomeUnknown("broke", code="500"), "unknown", 1),
        (PermanentFailure("no such number", code="21211"), "rejected", 2),
        (OptedOut("stopped", code="21610"), "rejected", 2),
        (TemporaryFailure("nobody answers"), "planned", 1),
        (TemporaryFailure("slow down", code="20429", retry_after_s=60, is_limit=True), "planned", 1),
    ],
)
def test_an_error_touches_one_person_and_the_others_get_theirs(
    clinic: Clinic, error: ChannelError, status: str, rung: int
) -> None:
    clinic.people(20)
    bad = addresses(clinic, "mobile")[3]
    clinic.sms.answers = failing(error, bad)
    clinic.running(**SMS_ONLY)
    clinic.works(rounds=4)
    assert clinic.now().status == "running"
    found = [one for one in clinic.notices(channel="sms") if one.status != "accepted"]
    if getattr(error, "is_limit", False):
        assert status in {one.status for one in found}  # the sender as a whole waits
        clinic.clock.advance(minutes=5)
        clinic.sms.answers = lambda address: None
        clinic.works()
        assert clinic.counts(Notice) == {"accepted": 20}
        return
    assert [one.status for one in found] == [status]
    assert sum(count for address, count in clinic.sms.got.items() if address != bad) == 19
    with clinic.database.reading() as session:
        assert session.get_one(Obligation, found[0].obligation_id).rung == rung


@pytest.mark.parametrize("error", [AccountFailure("refused", code="20003"), Unconfigured("no account")])
def test_an_error_of_the_account_pauses_the_campaign_in_words_and_loses_nobody(clinic: Clinic, error: ChannelError) -> None:
    clinic.people(50)
    clinic.email.answers = failing(error)
    clinic.running()
    clinic.works(rounds=5)
    assert clinic.now().status == "paused"
    assert error.reason in clinic.now().pause_reason
    assert clinic.counts(Notice) == {"planned": 50}
    clinic.email.answers = lambda address: None
    with clinic.database.writing() as session:
        life.resume(session, clinic.vault, life.named(session, "first"), by=AUTHOR, at=clinic.clock())
    clinic.works()
    assert set(clinic.email.got.values()) == {1}
    assert len(clinic.email.got) == 50


def test_three_equal_errors_about_the_text_pause_the_campaign(clinic: Clinic) -> None:
    clinic.people(40)
    clinic.sms.answers = failing(PermanentFailure("the address is blocked", code="30111"))
    clinic.running(**SMS_ONLY)
    clinic.works(rounds=5)
    assert clinic.now().status == "paused"
    assert "30111" in clinic.now().pause_reason


def test_one_bad_address_in_a_request_is_found_and_the_others_are_sent(clinic: Clinic) -> None:
    clinic.people(64)
    bad = addresses(clinic, "email")[10]
    clinic.email.answers = failing(PermanentFailure("refused", code="400"), bad)
    clinic.running()
    clinic.works()
    assert len(clinic.email.got) == 63
    assert set(clinic.email.got.values()) == {1}
    assert [one.code for one in clinic.notices(status="rejected")] == ["400"]
    assert clinic.now().status == "running"


def test_a_request_refused_for_everybody_pauses_and_rejects_nobody(clinic: Clinic) -> None:
    clinic.people(10)
    clinic.email.answers = failing(PermanentFailure("refused", code="400"))
    clinic.running()
    clinic.works(rounds=4)
    assert clinic.now().status == "paused"
    assert clinic.counts(Notice) == {"planned": 10}


def test_too_many_failures_pause_the_campaign_with_their_codes(clinic: Clinic) -> None:
    clinic.people(220)
    bad = addresses(clinic, "mobile")[:30]
    clinic.sms.answers = failing(PermanentFailure("nobody has it", code="30005"), *bad)
    clinic.running(**SMS_ONLY)
    clinic.works()
    assert clinic.now().status == "paused"
    assert "30005" in clinic.now().pause_reason


def test_whoever_died_while_submitting_leaves_unknowns_that_are_not_sent_again(clinic: Clinic) -> None:
    clinic.people(3)

    died = threading.Event()

    def dies(address: str) -> None:
        died.set()
        raise SystemExit

    clinic.email.answers = dies
    clinic.running()
    room = NoticeRoom(clinic.office())
    room.step(), room.step()
    assert died.wait(60)
    assert clinic.counts(Notice) == {"submitting": 3}
    clinic.email.answers = lambda address: None
    clinic.clock.advance(minutes=3)
    clinic.works(holder="worker-2")
    assert clinic.counts(Notice) == {"unknown": 3}
    assert clinic.email.got == {}
    with clinic.database.reading() as session:
        assert {one.outcome for one in session.scalars(select(NoticeAttempt))} == {"unknown"}


def test_a_pause_stops_what_is_new_and_a_resume_sends_the_rest_once(clinic: Clinic) -> None:
    clinic.people(150)
    clinic.running(**SMS_ONLY)
    room = NoticeRoom(clinic.office())
    room.step(), room.step()
    with clinic.database.writing() as session:
        life.pause(session, clinic.vault, life.named(session, "first"), by=AUTHOR, why="to look", at=clinic.clock())
    before = len(clinic.sms.got) + sum(room._calling.values())
    for _ in range(5):
        assert room.step() == 0
    room.close()
    assert len(clinic.sms.got) <= max(before, 64)
    with clinic.database.writing() as session:
        life.resume(session, clinic.vault, life.named(session, "first"), by=AUTHOR, at=clinic.clock())
    clinic.works()
    assert set(clinic.sms.got.values()) == {1}
    assert len(clinic.sms.got) == 150


def test_resume_is_the_difference_of_sets(clinic: Clinic) -> None:
    clinic.people(100)
    clinic.running()
    clinic.works()
    with clinic.database.writing() as session:
        life.pause(session, clinic.vault, life.named(session, "first"), by=AUTHOR, why="a disk", at=clinic.clock())
        gone = session.scalars(select(Notice).order_by(Notice.id).limit(37)).all()
        lost = {one.person_id for one in gone}
        session.execute(delete(NoticeAttempt))
        session.execute(delete(Notice).where(Notice.id.in_([one.id for one in gone])))
    with clinic.database.writing() as session:
        life.resume(session, clinic.vault, life.named(session, "first"), by=AUTHOR, at=clinic.clock())
    clinic.works()
    with clinic.database.reading() as session:
        again = set(session.scalars(select(Notice.person_id).where(Notice.id > 100)))
    assert again == lost
    assert sorted(clinic.email.got.values()) == [1] * 63 + [2] * 37


def test_cancelling_is_final_and_nobody_is_missing(clinic: Clinic) -> None:
    clinic.people(10), clinic.person(deceased=True)
    clinic.running(waves=(4,))
    clinic.works()
    with clinic.database.writing() as session:
        life.cancel(session, clinic.vault, life.named(session, "first"), by=AUTHOR, why="withdrawn", at=clinic.clock())
    clinic.works()
    assert len(clinic.email.got) == 4
    assert sum(clinic.counts().values()) == 11
    assert set(clinic.counts()) == {"cancelled"}


def test_waves_wait_for_a_person_and_for_the_desk_and_say_so(clinic: Clinic) -> None:
    clinic.people(10)
    clinic.gate = lambda session, at: ""
    clinic.running(waves=(2, 3))
    clinic.works()
    assert len(clinic.email.got) == 2
    assert "release wave 2" in clinic.now().waits_for
    clinic.gate = lambda session, at: "40 cases wait at the desk; the limit is 30."
    with clinic.database.writing() as session:
        life.release(session, clinic.vault, life.named(session, "first"), by=AUTHOR, at=clinic.clock())
    clinic.works()
    assert len(clinic.email.got) == 2
    assert "40 cases" in clinic.now().waits_for
    clinic.gate = lambda session, at: ""
    clinic.works()
    assert len(clinic.email.got) == 5


def test_waves_go_by_themselves_where_the_desk_decides(clinic: Clinic) -> None:
    clinic.people(10)
    clinic.running(waves=(2, 3), release=Release.DESK)
    clinic.works()
    assert len(clinic.email.got) == 10


def test_no_text_rings_at_night(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.clock.now = datetime(2023, 5, 9, 13, 0, tzinfo=UTC)
    clinic.running(**SMS_ONLY)
    clinic.works(rounds=5)
    assert clinic.sms.got == {}
    assert "morning" in clinic.now().waits_for
    clinic.clock.now = datetime(2023, 5, 10, 1, 0, tzinfo=UTC)
    clinic.works()
    assert len(clinic.sms.got) == 3


@pytest.mark.parametrize(
    ("caps", "most"), [(Caps(messages=7), 7), (Caps(segments=12), 12), (Caps(cost=3.0), 5), (Caps(per_hour=4), 4)]
)
def test_caps_stop_the_run_before_they_are_passed(clinic: Clinic, caps: Caps, most: int) -> None:
    clinic.people(15)
    clinic.running(**SMS_ONLY, caps=caps)
    clinic.works()
    assert sum(clinic.sms.got.values()) == most


def test_the_pace_counts_segments_over_all_workers(clinic: Clinic) -> None:
    for _ in range(70):
        clinic.person(name="陳大文" * 12)  # UCS-2: two segments each
    clinic.running(**SMS_ONLY, per_second={Way.SMS: 10})
    rooms = [NoticeRoom(clinic.office(f"worker-{number}")) for number in (1, 2)]
    for _ in range(100):
        for room in rooms:
            room.step()
        clinic.clock.advance(seconds=0.1)
    for room in rooms:
        room.close()
    parts = sum(one.parts for one in clinic.notices(channel="sms"))
    assert 90 <= parts <= 115  # ten seconds at ten a second, and the burst


def test_several_workers_send_each_notice_once(clinic: Clinic) -> None:
    clinic.people(300)
    clinic.running()
    rooms = [NoticeRoom(clinic.office(f"worker-{number}")) for number in range(4)]
    for _ in range(8):
        for room in rooms:
            room.step()
        clinic.clock.advance(seconds=1)
    for room in rooms:
        room.close()
    assert set(clinic.email.got.values()) == {1}
    assert len(clinic.email.got) == 300


def test_what_was_learnt_since_the_plan_keeps_a_notice_back(clinic: Clinic) -> None:
    dead, wrong, stopped, opted, fine = clinic.people(5)
    clinic.running(**SMS_ONLY)
    at = clinic.clock()
    with clinic.database.writing() as session:
        session.get_one(Person, dead).deceased = True
        retired = {"retired_at": at, "retired_because": "wrong_person"}
        session.execute(update(ContactPoint).where(ContactPoint.person_id == wrong).values(**retired))
        disclosure.wish(session, stopped, stopped=True, at=at)
        number = addresses(clinic, "mobile")[3]
        entry = clinic.index.index("line", line("sms", "#Candour", number))
        threads.open_thread(session, channel="sms", address_index=entry, language="en", at=at).opted_out_at = at
    clinic.works()
    assert list(clinic.sms.got) == [addresses(clinic, "mobile")[4]]
    by_person = {one.person_id: one for one in clinic.notices(channel="sms")}
    assert {by_person[one].status for one in (dead, wrong, stopped, opted)} == {"withheld"}
    with clinic.database.reading() as session:
        found = {one.person_id: one for one in session.scalars(select(Obligation))}
    assert (found[dead].status, found[dead].because) == ("manual", "deceased")
    assert {found[one].rung for one in (wrong, stopped, opted)} == {2}
    assert found[fine].rung == 1


@pytest.mark.parametrize("learnt", ["stopped", "held", "died", "protected"])
def test_what_was_learnt_about_a_guardian_keeps_the_wards_notice_back(clinic: Clinic, learnt: str) -> None:
    guardian = clinic.person()
    ward = clinic.person(email=None, mobile=None, post=None, minor=True, guardian=guardian)
    clinic.running(**SMS_ONLY)
    with clinic.database.writing() as session:
        match learnt:
            case "stopped":
                disclosure.wish(session, guardian, stopped=True, at=clinic.clock())
            case "held":
                disclosure.hold(session, guardian, disclosure.HoldReason.DEATH_REPORTED, clinic.clock())
            case "died":
                session.get_one(Person, guardian).deceased = True
            case _:
                session.get_one(Person, guardian).protected = True
    clinic.works()
    assert not clinic.sms.got
    assert {one.person_id: one.status for one in clinic.notices(channel="sms")} == {guardian: "withheld", ward: "withheld"}


def test_a_stop_on_another_of_our_numbers_counts(clinic: Clinic) -> None:
    stopped, fine = clinic.people(2)
    clinic.running(**SMS_ONLY)
    at = clinic.clock()
    with clinic.database.writing() as session:
        number = addresses(clinic, "mobile")[0]
        for own, since in (("+85264500002", at), ("+85264500001", None)):
            entry = clinic.index.index("line", line("sms", own, number))
            threads.open_thread(session, channel="sms", address_index=entry, language="en", at=at).opted_out_at = since
    office = replace(clinic.office("w"), lines={"sms": ("+85264500001", "+85264500002")})
    room = NoticeRoom(office)
    for _ in range(3):
        room.step()
        clinic.clock.advance(seconds=1)
    room.close()
    assert list(clinic.sms.got) == [addresses(clinic, "mobile")[1]]
    assert {one.person_id for one in clinic.notices(channel="sms") if one.status == "withheld"} == {stopped}
    assert fine != stopped


def test_whatsapp_goes_only_to_whoever_wrote_to_us_there_and_to_so_many_a_day(clinic: Clinic) -> None:
    clinic.people(4)
    clinic.running(ladder=(Way.WHATSAPP, Way.LETTER), whatsapp_per_day=2)
    at = clinic.clock()
    with clinic.database.writing() as session:
        for number in addresses(clinic, "mobile")[:3]:
            entry = clinic.index.index("line", line("whatsapp", "+85264500003", number))
            threads.open_thread(session, channel="whatsapp", address_index=entry, language="en", at=at)
    clinic.works()
    assert len(clinic.whatsapp.got) == 2
    clinic.clock.advance(hours=25)
    clinic.works()
    assert len(clinic.whatsapp.got) == 3
    assert [one.reason for one in clinic.notices(status="withheld")] == ["the patient has not written to us on WhatsApp"]


def test_a_text_changed_after_approval_stops_the_run(clinic: Clinic) -> None:
    clinic.people(5)
    clinic.running(waves=(2,))
    clinic.works()
    clinic.texts.edition = "forged"
    clinic.works(rounds=4)
    assert clinic.now().status == "paused"
    assert "approved" in clinic.now().pause_reason


def test_a_record_without_a_name_leaves_one_person_to_the_team(clinic: Clinic) -> None:
    clinic.people(3), clinic.person(name="")
    clinic.running()
    clinic.works()
    assert len(clinic.email.got) == 3
    assert clinic.counts() == {"open": 3, "manual": 1}


def test_nobody_is_written_to_before_the_first_round_after_a_limit(clinic: Clinic) -> None:
    clinic.people(30)
    calls: list[datetime] = []

    def slow(address: str) -> None:
        calls.append(clinic.clock())
        raise TemporaryFailure("slow down", code="429", retry_after_s=60, is_limit=True)

    clinic.email.answers = slow
    clinic.running()
    room = NoticeRoom(clinic.office())
    for _ in range(50):
        room.step()
        while not room.idle():
            room.step()
        clinic.clock.advance(seconds=1)
    assert len(calls) == 1
    clinic.email.answers = lambda address: None
    clinic.clock.advance(seconds=60)
    clinic.works()
    assert set(clinic.email.got.values()) == {1}
    assert {one.tries for one in clinic.notices()} == {1}


def test_every_status_of_a_notice_is_reached_by_some_move() -> None:
    reached = {to for targets in Notice.MOVES.values() for to in targets} | {NoticeStatus.PLANNED}
    assert reached == set(NoticeStatus)


def test_a_country_our_account_may_not_write_to_is_one_persons_trouble_but_not_hong_kong(clinic: Clinic) -> None:
    clinic.people(3)
    away = clinic.person(mobile="+447700900123")
    refused = AccountFailure("not there", code="21408")
    clinic.sms.answers = failing(refused, "+447700900123")
    clinic.running(**SMS_ONLY)
    clinic.works()
    assert clinic.now().status == "running"
    assert [(one.person_id, one.status) for one in clinic.notices(code="21408")] == [(away, "rejected")]
    assert len(clinic.sms.got) == 3
    clinic.people(1)
    clinic.sms.answers = failing(refused)
    clinic.running("second", **SMS_ONLY, version="2")
    clinic.works(rounds=4)
    assert clinic.now("second").status == "paused"


def test_the_providers_queue_is_never_more_than_half_full(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "QUEUE", 2.0)  # seconds' worth
    clinic.people(30)
    clinic.running(**SMS_ONLY, per_second={Way.SMS: 10})
    clinic.works()
    assert len(clinic.sms.got) == 20
    with clinic.database.writing() as session:
        for one in session.scalars(select(Notice).where(Notice.status == "accepted").limit(4)).all():
            move(one, NoticeStatus.DELIVERED)
    clinic.works()
    assert len(clinic.sms.got) == 24
    clinic.clock.advance(hours=11)  # Twilio has given up the rest
    clinic.works()
    assert len(clinic.sms.got) == 30


def test_whoever_was_given_up_for_dead_does_not_undo_what_another_does(clinic: Clinic) -> None:
    clinic.people(1)
    clinic.running(**SMS_ONLY)
    late = clinic.office("worker-1")
    clinic.is_live = False  # the wave begins and nothing leaves
    NoticeRoom(clinic.office()).step()
    clinic.is_live = True
    with clinic.database.writing() as session:
        taken = claiming.claim(session, late, Press(late), clinic.now().id, Way.SMS, 1, clinic.clock())
    clinic.clock.advance(minutes=3)
    NoticeRoom(clinic.office("worker-2")).step()
    [notice] = clinic.notices(status="unknown")
    with clinic.database.writing() as session:
        hands.settle(session, clinic.vault, clinic.now(), notice.id, as_sent=False, by=AUTHOR, at=clinic.clock())
    other = clinic.office("worker-2")
    with clinic.database.writing() as session:
        claiming.claim(session, other, Press(other), clinic.now().id, Way.SMS, 1, clinic.clock())
    for result in (TemporaryFailure("nobody answers"), PermanentFailure("no"), OutcomeUnknown("broke"), AccountFailure("no")):
        with clinic.database.writing() as session:
            concluding.conclude(session, late, taken, result, clinic.clock())
        assert [(one.status, one.holder) for one in clinic.notices()] == [("submitting", "worker-2")]


def test_one_result_that_cannot_be_written_does_not_keep_the_others(clinic: Clinic) -> None:
    clinic.people(3)
    odd = addresses(clinic, "mobile")[1]
    clinic.sms.answers = failing(PermanentFailure("odd", code=None), odd)  # type: ignore[arg-type]
    clinic.running(**SMS_ONLY)
    room = NoticeRoom(clinic.office())
    for _ in range(4):
        room.step()
        clinic.clock.advance(seconds=1)
    room.close()
    assert sorted(one.status for one in clinic.notices(channel="sms")) == ["accepted", "accepted", "submitting"]


def test_a_refusal_that_comes_after_the_notice_was_given_up_begins_no_rung(clinic: Clinic) -> None:
    clinic.people(1)
    clinic.running(**SMS_ONLY)
    office = clinic.office()
    for _ in range(2):  # the wave, then the rung
        with clinic.database.writing() as session:
            ladder.look(session, office, clinic.now().id, clinic.clock())
            ladder.advance(session, office, clinic.now(), clinic.clock())
    with clinic.database.writing() as session:
        taken = claiming.claim(session, office, Press(office), clinic.now().id, Way.SMS, 1, clinic.clock())
    clinic.clock.advance(minutes=3)
    with clinic.database.writing() as session:
        assert concluding.bury(session, office, clinic.clock()) == 1
    with clinic.database.reading() as session:
        waits = session.scalars(select(Obligation.next_at)).one()
    for result in (PermanentFailure("no", code="21211"), OutcomeUnknown("broke")):
        with clinic.database.writing() as session:
            concluding.conclude(session, office, taken, result, clinic.clock())
    with clinic.database.reading() as session:
        assert session.scalars(select(Obligation.next_at)).one() == waits
        told = session.scalars(select(AuditEntry.kind).where(AuditEntry.kind.startswith("notice."))).all()
    assert [one.status for one in clinic.notices()] == ["unknown"]
    assert told == ["notice.unknown"]


def test_what_lies_at_twilio_is_told_as_what_the_campaign_waits_for(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "QUEUE", 3.0)  # seconds' worth of segments
    clinic.people(20)
    clinic.running(**SMS_ONLY, per_second={Way.SMS: 5})
    clinic.works()
    assert sum(one.parts for one in clinic.notices(status="accepted")) == 15
    said = "Texts wait: 15 segments lie at Twilio without a receipt, half of what its queue holds. They go on as it empties."
    assert clinic.now().waits_for == said


def test_a_provider_that_asked_to_slow_down_is_told_as_what_the_campaign_waits_for(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.sms.answers = failing(TemporaryFailure("slow down", code="20429", retry_after_s=600, is_limit=True))
    clinic.running(**SMS_ONLY)
    clinic.works(rounds=3)
    with clinic.database.writing() as session:
        session.execute(update(Notice).values(due_at=clinic.clock()))
        ladder.look(session, clinic.office(), clinic.now().id, clinic.clock())
    assert "asked us to send nothing until" in clinic.now().waits_for
