"""A provider that does not answer stops a campaign; one that answers, slowly or with refusals, does not; hours are counted."""

from __future__ import annotations

from bot.base.errors import OutcomeUnknown, PermanentFailure, TemporaryFailure
from bot.campaigns import figures, life
from bot.campaigns.models import CampaignStatus
from bot.campaigns.watching import outage, tables
from bot.patients.models import Way
from tests.campaigns.house import AUTHOR, Clinic

LANGUAGES = ("en", "zh-Hant", "zh-Hans", "tl", "id")


def several(clinic: Clinic) -> None:
    """People in five languages: five requests."""
    for language in LANGUAGES:
        clinic.people(2, language=language)


def test_calls_that_break_off_one_after_the_other_stop_it(clinic: Clinic) -> None:
    def breaks(address: str) -> None:
        raise OutcomeUnknown("the call broke off", code="500")

    several(clinic)
    clinic.email.answers = breaks
    clinic.running(ladder=(Way.EMAIL,))
    clinic.works()
    now = clinic.now()
    assert (now.status, now.pause_reason) == (CampaignStatus.PAUSED, "The provider of email does not answer (500).")


def test_after_resuming_only_new_calls_count(clinic: Clinic) -> None:
    def nobody_there(address: str) -> None:
        raise TemporaryFailure("the provider cannot be reached", code="refused")

    several(clinic)
    clinic.email.answers = nobody_there
    clinic.running(ladder=(Way.EMAIL,))
    clinic.works()
    assert clinic.now().status == CampaignStatus.PAUSED
    clinic.email.answers = lambda address: None
    clinic.clock.advance(seconds=600)
    with clinic.database.writing() as session:
        life.resume(session, clinic.vault, life.named(session, "first", lock=True), by=AUTHOR, at=clinic.clock())
    clinic.works()
    assert clinic.now().status == CampaignStatus.RUNNING
    assert sum(clinic.email.got.values()) == 10


def test_a_provider_that_asks_to_slow_down_is_no_outage(clinic: Clinic) -> None:
    def slower(address: str) -> None:
        raise TemporaryFailure("slow down", code="429", is_limit=True)

    several(clinic)
    clinic.email.answers = slower
    clinic.running(ladder=(Way.EMAIL,))
    clinic.works()
    assert clinic.now().status == CampaignStatus.RUNNING


def test_refused_addresses_are_answers(clinic: Clinic) -> None:
    def no(address: str) -> None:
        raise PermanentFailure("no such number", code="21211")

    clinic.people(6)
    clinic.sms.answers = no
    clinic.running(ladder=(Way.SMS,))
    clinic.works()
    assert clinic.now().status == CampaignStatus.RUNNING


def test_a_warning_comes_at_one_in_twenty_of_two_hundred() -> None:
    assert not outage.is_worrying(9, 199)
    assert not outage.is_worrying(9, 200)
    assert outage.is_worrying(10, 200)


def test_what_left_is_counted_over_time_by_channel(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.person(email=None)
    clinic.running(ladder=(Way.EMAIL, Way.SMS))
    clinic.works()
    clinic.clock.advance(hours=2)
    with clinic.database.reading() as session:
        campaign = life.named(session, "first")
        series = tables.over_time(session, campaign, clinic.clock())
        assert {name: sum(numbers) for name, numbers in series.rows.items()} == {"email": 3, "sms": 1}
        assert 2 <= len(series.starts) <= tables.MOST_BUCKETS
        before = tables.fingerprint(session, campaign.id)
        assert before == tables.fingerprint(session, campaign.id)
        standing = figures.standing(session, campaign, clinic.clock())
    assert (standing.failed, standing.known, standing.is_worrying) == (0, 4, False)
    with clinic.database.writing() as session:
        life.pause(session, clinic.vault, life.named(session, "first"), by=AUTHOR, why="a look", at=clinic.clock())
    with clinic.database.reading() as session:
        assert tables.fingerprint(session, campaign.id) != before
        assert next(act.kind for act in tables.acts(session, campaign)) == "campaign.paused"
