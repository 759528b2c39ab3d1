"""What providers report, in any order; and the ladder it drives, until everybody is in a final state."""

from __future__ import annotations

from itertools import permutations

import pytest
from sqlalchemy import func, select

from bot.base import audit
from bot.base.errors import OutcomeUnknown
from bot.base.evidence import verify
from bot.campaigns import events, hands
from bot.campaigns.models import Notice, NoticeEvent, Obligation
from bot.channels.base import DeliveryEvent, Outcome
from bot.patients.models import Way
from tests.campaigns.house import AUTHOR, Clinic
from tests.conftest import Keys

SENT, DELIVERED, FAILED = Outcome.SENT, Outcome.DELIVERED, Outcome.FAILED
SMS_ONLY = (Way.SMS, Way.LETTER)


def report(clinic: Clinic, notice: Notice, outcome: Outcome, code: str = "", provider_id: str = "") -> str:
    event = DeliveryEvent(notice.reference, provider_id or notice.provider_id or "SMx", outcome, code)
    with clinic.database.writing() as session:
        return events.apply(session, clinic.office(), event, notice.channel, clinic.clock())


def sent(clinic: Clinic, number: int = 1, ladder: tuple[Way, ...] = SMS_ONLY) -> list[Notice]:
    clinic.people(number)
    clinic.running(ladder=ladder)
    clinic.works()
    return clinic.notices()


@pytest.mark.parametrize("order", list(permutations([SENT, SENT, FAILED, DELIVERED])))
def test_delivered_outweighs_all_in_every_order(clinic: Clinic, order: tuple[Outcome, ...]) -> None:
    [notice] = sent(clinic)
    for outcome in order:
        report(clinic, notice, outcome, "30005" if outcome is FAILED else "")
    assert clinic.notices()[0].status == "delivered"
    assert clinic.counts() == {"delivered": 1}


def test_the_same_event_forty_six_times_is_one(clinic: Clinic) -> None:
    [notice] = sent(clinic)
    for _ in range(46):
        report(clinic, notice, FAILED, "30005")
    with clinic.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(NoticeEvent)) == 1


def test_an_unknown_is_settled_by_an_event_with_our_own_id(clinic: Clinic) -> None:
    def broke(address: str) -> None:
        raise OutcomeUnknown("no answer")

    clinic.sms.answers = broke
    [notice] = sent(clinic)
    assert notice.status == "unknown"
    report(clinic, notice, SENT, provider_id="SM-late")
    assert clinic.notices()[0].status == "accepted"
    report(clinic, notice, DELIVERED, provider_id="SM-late")
    assert clinic.counts() == {"delivered": 1}


def test_a_reference_nobody_gave_out_is_told_as_unknown(clinic: Clinic) -> None:
    [notice] = sent(clinic)
    event = DeliveryEvent("n.invented", "SM-other", DELIVERED)
    with clinic.database.writing() as session:
        assert events.apply(session, clinic.office(), event, "sms", clinic.clock()) == "unknown_reference"
    assert clinic.notices()[0].status == notice.status


def test_a_failure_begins_the_next_rung_and_silence_does_after_three_days(clinic: Clinic) -> None:
    failed, silent = sent(clinic, 2, (Way.EMAIL, Way.SMS))
    report(clinic, failed, FAILED, "550")
    clinic.works()
    assert [one.person_id for one in clinic.notices(channel="sms")] == [failed.person_id]
    clinic.clock.advance(hours=71)
    clinic.works()
    assert len(clinic.notices(channel="sms")) == 1
    clinic.clock.advance(hours=2)
    clinic.works()
    assert {one.person_id for one in clinic.notices(channel="sms")} == {failed.person_id, silent.person_id}


def test_a_late_delivery_is_kept_although_the_ladder_went_on(clinic: Clinic) -> None:
    [notice] = sent(clinic, 1, (Way.EMAIL, Way.SMS))
    clinic.clock.advance(hours=73)
    clinic.works()
    clinic.clock.advance(days=1)
    report(clinic, notice, DELIVERED)
    assert [one.status for one in clinic.notices()] == ["delivered", "accepted"]
    assert clinic.counts() == {"delivered": 1}


def test_a_handset_that_was_off_is_tried_again_and_then_the_next_rung_begins(clinic: Clinic) -> None:
    sent(clinic)
    for tries in (1, 2, 3):
        [notice] = clinic.notices(channel="sms")
        assert notice.tries == tries
        report(clinic, notice, FAILED, "30003")
        clinic.clock.advance(hours=24)
        clinic.works()
    assert [one.status for one in clinic.notices()] == ["failed", "listed"]
    assert set(clinic.sms.got.values()) == {3}


def test_news_of_an_earlier_try_says_nothing_of_this_one(clinic: Clinic) -> None:
    [first] = sent(clinic)
    report(clinic, first, FAILED, "30003")
    clinic.clock.advance(hours=24)
    clinic.works()
    report(clinic, first, FAILED, "30005")
    assert [one.status for one in clinic.notices()] == ["accepted"]
    report(clinic, first, DELIVERED)
    assert clinic.counts() == {"delivered": 1}


def test_our_account_in_an_event_pauses_the_campaign(clinic: Clinic) -> None:
    [notice] = sent(clinic)
    report(clinic, notice, FAILED, "30002")
    assert clinic.now().status == "paused"


def test_three_filtered_texts_pause_the_campaign(clinic: Clinic) -> None:
    for notice in sent(clinic, 5)[:3]:
        report(clinic, notice, FAILED, "30007")
    assert clinic.now().status == "paused"
    assert "30007" in clinic.now().pause_reason


def test_it_is_complete_only_when_everybody_is_in_a_final_state(clinic: Clinic, keys: Keys) -> None:
    clinic.person(deceased=True)
    arrived, posted, returned = sent(clinic, 3)
    at = clinic.clock()
    report(clinic, arrived, DELIVERED)
    for one in (posted, returned):
        report(clinic, one, FAILED, "30005")
    clinic.works()
    assert clinic.counts() == {"delivered": 1, "manual": 1, "open": 2}
    letters = clinic.notices(channel="letter")
    with clinic.database.writing() as session:
        assert hands.handed(session, clinic.vault, clinic.now(), Way.LETTER, [one.id for one in letters], by=AUTHOR, at=at) == 2
        hands.came_back(session, clinic.vault, clinic.now(), [letters[1].id], by=AUTHOR, at=at)
    clinic.works()
    assert clinic.counts() == {"delivered": 1, "manual": 2, "posted": 1}
    assert clinic.now().status == "running"
    with clinic.database.reading() as session:
        left = {one.because: one.id for one in session.scalars(select(Obligation).where(Obligation.status == "manual"))}
    with clinic.database.writing() as session:
        hands.close(session, clinic.vault, clinic.now(), left["deceased"], why="the widow was told", by=AUTHOR, at=at)
        hands.substitute(
            session, clinic.vault, clinic.now(), where="https://clinic.example/notice", digest="0" * 64, by=AUTHOR, at=at
        )
    clinic.works()
    assert clinic.counts() == {"delivered": 1, "posted": 1, "closed": 1, "substitute": 1}
    assert clinic.now().status == "completed"
    audit.seal(clinic.database, keys.audit, at)
    assert verify(clinic.database, keys.audit, vault=clinic.vault).ok


def test_whoever_spoke_on_the_phone_is_told_and_whoever_did_not_gets_a_letter(clinic: Clinic) -> None:
    spoke, missed = sent(clinic, 2, (Way.PHONE, Way.LETTER))
    with clinic.database.writing() as session:
        hands.called(session, clinic.vault, clinic.now(), spoke.id, reached=True, by=AUTHOR, at=clinic.clock())
        hands.called(session, clinic.vault, clinic.now(), missed.id, reached=False, by=AUTHOR, at=clinic.clock())
    clinic.works()
    assert [one.person_id for one in clinic.notices(channel="letter")] == [missed.person_id]
    assert clinic.counts() == {"delivered": 1, "open": 1}


@pytest.mark.parametrize(("as_sent", "status", "again"), [(True, "accepted", 1), (False, "accepted", 2)])
def test_a_person_settles_what_stays_unknown(clinic: Clinic, as_sent: bool, status: str, again: int) -> None:
    def broke(address: str) -> None:
        clinic.sms.got[address] += 1
        raise OutcomeUnknown("no answer")

    clinic.sms.answers = broke
    [notice] = sent(clinic)
    clinic.sms.answers = lambda address: None
    with clinic.database.writing() as session:
        hands.settle(session, clinic.vault, clinic.now(), notice.id, as_sent=as_sent, by=AUTHOR, at=clinic.clock())
    clinic.works()
    assert clinic.notices()[0].status == status
    assert list(clinic.sms.got.values()) == [again]


def test_no_log_entry_holds_an_address(clinic: Clinic) -> None:
    [notice] = sent(clinic)
    report(clinic, notice, DELIVERED)
    number = next(iter(clinic.sms.got))
    with clinic.database.reading() as session:
        contents = [audit.content_of(one, clinic.vault) for one in session.scalars(select(audit.AuditEntry))]
    assert number not in str(contents)
    assert f"****{number[-4:]}" in str(contents)
