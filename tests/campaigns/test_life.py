"""From draft to approval: who is frozen, who may approve, what voids it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.base.errors import BadInput, IllegalMove
from bot.base.lifecycle import move
from bot.campaigns import life
from bot.campaigns.models import CampaignApproval, Obligation, ObligationStatus, Segment
from bot.campaigns.plan import Audience, Plan, plan_of
from bot.patients import disclosure
from bot.patients.models import Category, RosterImport, Way
from tests.campaigns.house import AUTHOR, OTHER, Clinic


def obligations(clinic: Clinic) -> dict[int, Obligation]:
    with clinic.database.reading() as session:
        return {one.person_id: one for one in session.scalars(select(Obligation))}


def test_everybody_is_owed_the_notice_once_or_left_to_the_team_with_a_reason(clinic: Clinic) -> None:
    plain = clinic.person()
    dead, protected = clinic.person(deceased=True), clinic.person(protected=True)
    nobody = clinic.person(email=None, mobile=None, post=None)
    held = clinic.person()
    with clinic.database.writing() as session:
        disclosure.hold(session, held, disclosure.HoldReason.DEATH_REPORTED, clinic.clock())
    clinic.campaign()
    life.submit(clinic.office(), "first", by=AUTHOR)
    found = obligations(clinic)
    reasons = {dead: "deceased", protected: "protected", nobody: "no_contact", held: "held", plain: ""}
    assert {person: one.because for person, one in found.items()} == reasons
    assert {person: one.status for person, one in found.items() if one.because} == dict.fromkeys(set(reasons) - {plain}, "manual")
    assert [rung.split(":")[0] for rung in found[plain].ladder.split()] == ["email", "sms", "whatsapp", "phone", "letter"]
    assert clinic.now().population == 5


def test_minors_are_reached_through_their_guardian_and_safe_contacts_get_the_neutral_form(clinic: Clinic) -> None:
    guardian = clinic.person(language="zh-Hant", not_by="sms")
    child = clinic.person(email=None, mobile=None, post=None, minor=True, guardian=guardian)
    safe = clinic.person(safe=True)
    hidden = clinic.person(minor=True, guardian=guardian, safe=True, email=None)
    clinic.campaign()
    life.submit(clinic.office(), "first", by=AUTHOR)
    found = obligations(clinic)
    with clinic.database.reading() as session:
        segments = {one.id: one for one in session.scalars(select(Segment))}
    forms = {
        person: (segments[one.segment_id].variant, segments[one.segment_id].language)
        for person, one in found.items()
        if one.segment_id
    }
    assert forms[child] == ("guardian", "zh-Hant")
    assert "sms:" not in found[child].ladder
    assert forms[safe][0] == forms[hidden][0] == "neutral"
    assert found[child].ladder.split()[0] == found[guardian].ladder.split()[0]
    assert set(found[hidden].ladder.split()).isdisjoint(found[guardian].ladder.split())


def test_the_audience_is_filtered_and_a_version_is_owed_only_once(clinic: Clinic) -> None:
    medical = clinic.person(categories=(Category.MEDICAL,))
    clinic.person(), clinic.person(language="zh-Hant", categories=(Category.MEDICAL,))
    clinic.campaign(audience=Audience(categories=(Category.MEDICAL,), languages=("en",)))
    life.submit(clinic.office(), "first", by=AUTHOR)
    assert set(obligations(clinic)) == {medical}
    clinic.campaign("second")
    life.submit(clinic.office(), "second", by=AUTHOR)
    assert clinic.now("second").population == 2
    with clinic.database.writing() as session:
        life.cancel(session, clinic.vault, life.named(session, "second"), by=OTHER, why="a mistake", at=clinic.clock())
    clinic.campaign("third")
    life.submit(clinic.office(), "third", by=AUTHOR)
    assert clinic.now("third").population == 2


def test_a_supplement_goes_to_whoever_holds_the_first_version(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.running()
    clinic.works()
    with clinic.database.writing() as session:
        for one in session.scalars(select(Obligation).limit(2)):
            move(one, ObligationStatus.DELIVERED)
    clinic.campaign("second", version="2", audience=Audience(holds=("first-notice", "1")))
    life.submit(clinic.office(), "second", by=AUTHOR)
    assert clinic.now("second").population == 2


def test_a_roster_that_comes_in_while_people_are_frozen_has_them_frozen_again(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.campaign()

    def comes_in(people: int) -> None:
        with clinic.database.writing() as session:
            session.add(RosterImport(digest=str(people), by="operator", at=clinic.clock(), counts={}))

    with pytest.raises(BadInput, match="roster"):
        life.submit(clinic.office(), "first", by=AUTHOR, progress=comes_in)
    assert (clinic.now().status, obligations(clinic)) == ("draft", {})
    life.submit(clinic.office(), "first", by=AUTHOR)
    assert (clinic.now().status, len(obligations(clinic))) == ("submitted", 3)


def test_a_plan_that_changes_while_people_are_frozen_has_them_frozen_again(clinic: Clinic) -> None:
    clinic.person()
    clinic.campaign()
    changed = Plan(audience=Audience(languages=("zh-Hant",)), ladder=(Way.EMAIL,), waves=())

    def changes(people: int) -> None:
        with clinic.database.writing() as session:
            campaign = life.named(session, "first")
            campaign.plan = changed.model_dump(mode="json")

    with pytest.raises(BadInput, match="plan"):
        life.submit(clinic.office(), "first", by=AUTHOR, progress=changes)
    assert (clinic.now().status, obligations(clinic)) == ("draft", {})


def test_nobody_approves_what_they_wrote_or_submitted(clinic: Clinic) -> None:
    clinic.person()
    clinic.campaign()
    life.submit(clinic.office(), "first", by="Ho, officer")
    for author in (AUTHOR, "Ho, officer", AUTHOR.upper(), f" {AUTHOR} "):
        with pytest.raises(BadInput):
            life.approve(clinic.office(), "first", by=author)
    life.approve(clinic.office(), "first", by=OTHER)
    assert clinic.now().status == "approved"


def test_nobody_approves_a_plan_that_they_changed_although_others_wrote_and_submitted_it(clinic: Clinic) -> None:
    clinic.person()
    clinic.campaign()
    with clinic.database.writing() as session:
        life.change(session, clinic.vault, "first", Plan(ladder=(Way.SMS,)), by=OTHER, at=clinic.clock())
    life.submit(clinic.office(), "first", by=AUTHOR)
    for name in (OTHER, f" {OTHER.upper()} "):
        with pytest.raises(BadInput, match="Somebody else"):
            life.approve(clinic.office(), "first", by=name)
    assert clinic.now().status == "submitted"
    life.approve(clinic.office(), "first", by="Yau, another officer")


def test_a_changed_text_or_recipient_is_not_approved_and_not_started(clinic: Clinic) -> None:
    clinic.people(2)
    clinic.campaign()
    life.submit(clinic.office(), "first", by=AUTHOR)
    clinic.texts.edition = "another"
    with pytest.raises(BadInput):
        life.approve(clinic.office(), "first", by=OTHER)
    clinic.texts.edition = "first"
    life.approve(clinic.office(), "first", by=OTHER)
    with clinic.database.writing() as session:
        session.scalars(select(Obligation)).first().ladder = "email:1"  # type: ignore[union-attr]
    with pytest.raises(BadInput):
        life.start(clinic.office(), "first", by=AUTHOR)


def test_a_change_voids_the_approval_and_frees_the_people(clinic: Clinic) -> None:
    clinic.person()
    clinic.approved()
    with clinic.database.writing() as session:
        life.change(session, clinic.vault, "first", Plan(waves=(1,)), by=AUTHOR, at=clinic.clock())
    assert clinic.now().status == "draft"
    assert obligations(clinic) == {}
    with clinic.database.reading() as session:
        assert [one.voided_at is not None for one in session.scalars(select(CampaignApproval))] == [True]
    with pytest.raises(IllegalMove):
        life.start(clinic.office(), "first", by=AUTHOR)


def test_nothing_starts_in_an_installation_that_only_tests_or_under_an_authoritys_hold(clinic: Clinic) -> None:
    clinic.person()
    clinic.approved()
    clinic.is_live = False
    with pytest.raises(BadInput):
        life.start(clinic.office(), "first", by=AUTHOR)
    clinic.is_live = True
    until = clinic.clock() + timedelta(days=1)
    with clinic.database.writing() as session:
        life.hold(
            session, clinic.vault, life.named(session, "first"), authority="Police", until=until, by=OTHER, at=clinic.clock()
        )
    with pytest.raises(BadInput, match="Police"):
        life.start(clinic.office(), "first", by=AUTHOR)
    clinic.clock.advance(days=2)
    life.start(clinic.office(), "first", by=AUTHOR)


def test_submitting_again_after_a_crash_freezes_everybody_once(clinic: Clinic) -> None:
    clinic.people(5)
    clinic.campaign(waves=(2, 1))
    with pytest.raises(RuntimeError):
        life.submit(clinic.office(), "first", by=AUTHOR, progress=lambda _: (_ for _ in ()).throw(RuntimeError))
    clinic.clock.advance(hours=1)
    life.submit(clinic.office(), "first", by=AUTHOR)
    found = obligations(clinic)
    assert len(found) == 5
    assert sorted(one.wave for one in found.values()) == [1, 1, 2, 3, 3]


@pytest.mark.parametrize(
    "wrong", [{"ladder": ["email", "email"]}, {"ladder": []}, {"waves": [0]}, {"unknown": 1}, {"per_second": {"email": 1}}]
)
def test_a_plan_that_cannot_be_is_refused_in_words(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        plan_of(wrong)


def test_quiet_hours_end_in_the_morning_and_only_for_what_rings() -> None:
    from datetime import UTC, datetime

    plan = Plan()
    evening = datetime(2023, 5, 9, 13, 0, tzinfo=UTC)  # nine at night in Hong Kong
    morning = datetime(2023, 5, 10, 1, 0, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert plan.quiet_end(Way.SMS, evening - second) is None
    assert plan.quiet_end(Way.SMS, evening) == plan.quiet_end(Way.WHATSAPP, morning - second) == morning
    assert plan.quiet_end(Way.SMS, morning) is None
    assert plan.quiet_end(Way.EMAIL, evening) is None
    assert Plan(quiet_override="the danger is now").quiet_end(Way.SMS, evening) is None
