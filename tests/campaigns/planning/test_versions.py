"""Who holds which version, who is meant by a clinic, who gets the form for shared addresses, under which sender texts leave."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from bot.base.errors import BadInput
from bot.campaigns import life
from bot.campaigns.models import Obligation, Segment, Variant
from bot.campaigns.plan import Audience, Plan, plan_of
from bot.campaigns.planning import senders, versions
from bot.patients.models import Way
from tests.campaigns.house import AUTHOR, Clinic


def forms(clinic: Clinic) -> dict[str, int]:
    life.submit(clinic.office(), "first", by=AUTHOR)
    with clinic.database.reading() as session:
        found: dict[str, int] = {}
        for one in session.scalars(select(Segment)):
            found[one.variant] = found.get(one.variant, 0) + one.people
        return found


def test_whoever_shares_an_address_gets_the_form_that_says_so(clinic: Clinic) -> None:
    clinic.people(2)
    for _ in range(2):
        clinic.person(email="family@mail.example")
    clinic.person(mobile="+85260009999"), clinic.person(mobile="+85260009999", email=None)
    clinic.campaign()
    assert forms(clinic) == {"standard": 2, "shared": 4}


def test_the_discreet_form_can_be_chosen_for_everybody(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.campaign(form=Variant.SHARED)
    assert forms(clinic) == {"shared": 3}


def test_a_campaign_can_be_for_some_clinics(clinic: Clinic) -> None:
    plan = plan_of({"audience": {"clinics": ["Central"]}})
    assert plan.audience.clinics == ("Central",)
    clinic.people(2)
    clinic.campaign(audience=Audience(clinics=("Central",)))
    with pytest.raises(BadInput):
        life.submit(clinic.office(), "first", by=AUTHOR)


def test_holders_of_a_version_are_counted_and_a_delta_campaign_is_for_them_alone(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.running("first", version="1.1", ladder=(Way.EMAIL,), receipt_hours=1)
    clinic.works()
    with clinic.database.writing() as session:
        told = select(Obligation.id).limit(2).scalar_subquery()
        session.execute(update(Obligation).where(Obligation.id.in_(told)).values(status="delivered"))
    with clinic.database.reading() as session:
        [held] = versions.held(session)
        assert (held.notice, held.version, held.people, held.publication) == ("first-notice", "1.1", 2, 1)
        assert versions.on_their_way(session) == {("first-notice", "1.1"): 1}
        assert versions.next_number(session) == 2
        assert versions.free_name(session, "first") == "first (2)"
    plan = versions.plan_about(versions.SUPPLEMENT, ("first-notice", "1.1"), Plan(waves=()))
    clinic.campaign("news", version="2.1", **plan.model_dump(include={"audience"}))
    assert life.submit(clinic.office(), "news", by=AUTHOR).population == 2
    with pytest.raises(BadInput):
        versions.plan_about("first_notice", ("first-notice", "1.1"))


@pytest.mark.parametrize(
    ("sender", "real", "override", "is_well"),
    [
        ("#Candour", True, "", True),
        ("Candour", True, "", False),
        ("Candour", True, "no id yet, agreed with the board", True),
        ("+85264500001", True, "", False),
        ("+85264500001", False, "", True),
        ("#CandourCare1", True, "", False),
        ("#Cand_our", False, "", False),
    ],
)
def test_texts_to_hong_kong_leave_under_the_registered_sender(
    clinic: Clinic, sender: str, real: bool, override: str, is_well: bool
) -> None:
    office = replace(clinic.office(), sms_sender=sender, reaches_patients=real)
    plan = Plan(sender_override=override)
    if is_well:
        senders.checked(office, plan)
    else:
        with pytest.raises(BadInput):
            senders.checked(office, plan)
    senders.checked(office, Plan(ladder=(Way.EMAIL,)))


def test_a_campaign_that_may_not_leave_under_its_sender_is_not_submitted(clinic: Clinic) -> None:
    clinic.people(1)
    clinic.campaign()
    office = replace(clinic.office(), sms_sender="+85264500001", reaches_patients=True)
    with pytest.raises(BadInput, match="begins with #"):
        life.submit(office, "first", by=AUTHOR)
