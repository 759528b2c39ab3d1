"""Addresses whose time is over: after a campaign has ended they are emptied, and the proof of what was done with them stays.

What goes: the addresses of its people, the references printed for them, what providers posted, and the files of its letters. What
stays: who (under a number) was told what, when, by which channel, in which version, with which outcome, and the sealed log over
it. Nobody is purged who is still owed something, or whose case is open, and nothing while a legal hold is on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.campaigns import life
from bot.campaigns.models import FINAL, Campaign, CampaignStatus, Obligation
from bot.campaigns.office import Office
from bot.campaigns.paper import batches
from bot.conversations.post import retention
from bot.desk.hours.switches import switched_on
from bot.desk.models import LIVE, Case
from bot.desk.records import CasePerson, Switch
from bot.patients.models import CONTACT, ContactPoint, Retirement

BATCH = 500
"""Persons in one transaction."""
ENDED = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED})


@dataclass
class Purged:
    """How much was emptied, in numbers."""

    people: int = 0
    addresses: int = 0
    kept: int = 0  # people who were not told by it, have a later campaign, or an open case
    batches: int = 0


def purge(office: Office, home: Path, name: str, kept: timedelta, *, by: str) -> Purged:
    """Empty the addresses of a campaign that ended longer ago than `kept`; may be done again. Raises BadInput."""
    done, after = Purged(), 0
    at = office.clock()
    with office.database.reading() as session:
        campaign = life.named(session, name)
        _refuse(session, campaign, at, kept)
    while True:
        with office.database.writing() as session:
            _refuse(session, campaign, at, kept)
            persons = session.scalars(_people(campaign.id, after)).all()
            _empty(session, office, campaign.id, persons, kept, done)
        if len(persons) < BATCH:
            break
        after = persons[-1]
    assert campaign.ended_at is not None
    while True:
        with office.database.writing() as session:
            _refuse(session, campaign, at, kept)
            if not retention.empty(session, before=campaign.ended_at + kept, at=at):
                break
    with office.database.writing() as session:
        _refuse(session, campaign, at, kept)
        done.batches = batches.empty(session, office, home, at, campaign.id)
        if done.addresses or done.batches:
            said = {"people": done.people, "addresses": done.addresses, "kept": done.kept, "batches": done.batches}
            life.log(session, office.vault, campaign, "purged", by, at, **said)
    return done


def _refuse(session: Session, campaign: Campaign, at: datetime, kept: timedelta) -> None:
    if Switch.LEGAL_HOLD in switched_on(session):
        raise BadInput("A legal hold is on: nothing may be removed until the privacy officer ends it.")
    if campaign.status not in ENDED or campaign.ended_at is None:
        raise BadInput(f"The campaign is {campaign.status}: addresses go when it has ended.")
    if at < campaign.ended_at + kept:
        raise BadInput(f"Addresses are kept {kept.days} days after the end of a campaign (CANDOUR_CAMPAIGN_ADDRESSES_KEPT_DAYS).")


def has_addresses(session: Session, campaign_id: int) -> bool:
    """Whether an address of somebody of this campaign is still there."""
    points = select(ContactPoint.id).join(Obligation, Obligation.person_id == ContactPoint.person_id)
    mine = points.where(Obligation.campaign_id == campaign_id, ~ContactPoint.entry.startswith("erased:"))
    return session.scalars(mine.limit(1)).first() is not None


def _people(campaign_id: int, after: int) -> Any:
    mine = select(Obligation.person_id).where(Obligation.campaign_id == campaign_id, Obligation.person_id > after)
    return mine.order_by(Obligation.person_id).limit(BATCH)


def _empty(session: Session, office: Office, campaign_id: int, persons: Sequence[int], kept: timedelta, done: Purged) -> None:
    at = office.clock()
    told = select(Obligation.person_id).where(Obligation.campaign_id == campaign_id, Obligation.person_id.in_(persons))
    settled = set(session.scalars(told.where(Obligation.status.in_([one.value for one in FINAL]))))
    gone = sorted(settled - _needed(session, persons, at - kept))
    done.kept += len(persons) - len(gone)
    done.people += len(gone)
    points = session.scalars(
        select(ContactPoint).where(ContactPoint.person_id.in_(gone), ~ContactPoint.entry.startswith("erased:"))
    ).all()
    for point in points:
        point.entry, point.sealed_value, point.safe = f"erased:{point.id}", office.vault.seal("", CONTACT), False
        point.retired_at, point.retired_because = point.retired_at or at, Retirement.ERASED.value
    done.addresses += len(points)
    session.execute(update(Obligation).where(Obligation.person_id.in_(gone)).values(sealed_reference=None))


def _needed(session: Session, persons: Sequence[int], since: datetime) -> set[int]:
    """Of these persons those whose address is still of use: another campaign goes on or ended since then, or a case is open."""
    recent = Campaign.ended_at.is_(None) | (Campaign.ended_at > since)
    owed = select(Obligation.person_id).join(Campaign, Campaign.id == Obligation.campaign_id)
    live = exists().where(Case.id == CasePerson.case_id, Case.status.in_([one.value for one in LIVE]))
    in_case = select(CasePerson.person_id).where(CasePerson.person_id.in_(persons), live)
    return {*session.scalars(owed.where(Obligation.person_id.in_(persons), recent)), *session.scalars(in_case)}
