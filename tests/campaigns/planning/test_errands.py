"""Long work on a campaign: asked for once, done by one worker, begun anew after a crash, and never left hanging."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.base.errors import BadInput, IllegalMove
from bot.campaigns import figures, life
from bot.campaigns.models import CampaignStatus
from bot.campaigns.plan import Plan
from bot.campaigns.planning import errands
from bot.campaigns.planning.errands import ErrandKind, ErrandStatus
from tests.campaigns.house import AUTHOR, OTHER, Clinic


def asked(clinic: Clinic, kind: ErrandKind = ErrandKind.DRY_RUN) -> None:
    with clinic.database.writing() as session:
        errands.ask(session, life.named(session, "first"), kind, by=AUTHOR, at=clinic.clock())


def last(clinic: Clinic) -> errands.Errand:
    with clinic.database.reading() as session:
        found = errands.last(session, clinic.now().id)
    assert found is not None
    return found


def report(clinic: Clinic) -> dict[str, Any] | None:
    with clinic.database.reading() as session:
        found = errands.last_report(session, clinic.vault, life.named(session, "first"))
    return found[1] if found else None


def test_a_dry_run_is_done_by_a_worker_and_its_report_is_kept_sealed(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.person(deceased=True)
    clinic.campaign()
    assert errands.work(clinic.office()) == 0
    asked(clinic)
    assert errands.work(clinic.office()) == 1
    assert (last(clinic).status, last(clinic).people) == (ErrandStatus.DONE, 4)
    found = report(clinic)
    assert found is not None
    assert found["first_rung"] == {"email": 3}
    assert found["left_to_the_team"] == {"deceased": 1}
    assert "mail" not in (last(clinic).sealed_report or "")
    assert clinic.email.requests == []


def test_a_report_of_another_plan_is_not_shown(clinic: Clinic) -> None:
    clinic.people(1)
    clinic.campaign()
    asked(clinic)
    errands.work(clinic.office())
    with clinic.database.writing() as session:
        life.change(session, clinic.vault, "first", Plan(waves=(1,)), by=AUTHOR, at=clinic.clock())
    assert report(clinic) is None


def test_a_submission_freezes_everybody_and_waits_for_another_person(clinic: Clinic) -> None:
    clinic.people(3)
    clinic.campaign()
    asked(clinic, ErrandKind.SUBMIT)
    errands.work(clinic.office())
    assert clinic.now().status == CampaignStatus.SUBMITTED
    assert clinic.now().submitted_by == AUTHOR
    assert report(clinic) is not None


def test_a_submission_is_refused_while_a_text_cannot_be_made(clinic: Clinic) -> None:
    clinic.person(name="")
    clinic.campaign()
    asked(clinic, ErrandKind.SUBMIT)
    errands.work(clinic.office())
    assert last(clinic).status == ErrandStatus.FAILED
    assert "cannot be made" in last(clinic).error
    assert clinic.now().status == CampaignStatus.DRAFT
    assert (report(clinic) or {})["refused"] > 0


def test_one_at_a_time_and_only_for_a_draft(clinic: Clinic) -> None:
    clinic.people(1)
    clinic.campaign()
    asked(clinic)
    with pytest.raises(BadInput):
        asked(clinic)
    errands.work(clinic.office())
    life.submit(clinic.office(), "first", by=AUTHOR)
    with pytest.raises(IllegalMove):
        asked(clinic)


def test_what_a_dead_worker_was_doing_is_begun_anew_and_its_late_end_changes_nothing(clinic: Clinic) -> None:
    clinic.people(1)
    clinic.campaign()
    asked(clinic)
    dead = errands._take(clinic.office("dead"))
    assert dead is not None
    assert errands.work(clinic.office("other")) == 0
    clinic.clock.advance(seconds=errands.LEASE.total_seconds() + 1)
    assert errands.work(clinic.office("other")) == 1
    errands._end(clinic.office("dead"), dead.id, ErrandStatus.FAILED, None, "late")
    assert last(clinic).status == ErrandStatus.DONE


def test_a_worker_that_is_told_to_stop_leaves_it_to_the_next(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "STEP", 1)
    clinic.people(2)
    clinic.campaign()
    asked(clinic)
    assert errands.work(clinic.office(), stopping=lambda: True) == 0
    assert last(clinic).status == ErrandStatus.WAITING
    assert errands.work(clinic.office()) == 1


def test_an_unexpected_end_is_told_and_does_not_come_back(clinic: Clinic) -> None:
    clinic.people(1)
    clinic.campaign()
    asked(clinic)
    errands.work(replace(clinic.office(), texts=None))  # type: ignore[arg-type]
    assert (last(clinic).status, last(clinic).error) == (ErrandStatus.FAILED, errands.BROKE_OFF)
    assert errands.work(clinic.office()) == 0


def test_what_is_sent_back_is_a_draft_with_a_reason(clinic: Clinic) -> None:
    clinic.people(1)
    clinic.campaign()
    life.submit(clinic.office(), "first", by=AUTHOR)
    given: dict[str, Any] = {"by": OTHER, "at": clinic.clock()}
    with clinic.database.writing() as session:
        campaign = figures.numbered(session, clinic.now().id, lock=True)
        with pytest.raises(BadInput):
            life.send_back(session, clinic.vault, campaign, why=" ", **given)
        life.send_back(session, clinic.vault, campaign, why="Name the day.", **given)
    assert (clinic.now().status, clinic.now().pause_reason, clinic.now().digests) == ("draft", "Name the day.", None)
    assert clinic.counts() == {}
