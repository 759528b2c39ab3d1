"""What a campaign's page shows beside its standing: hours, channels by state, what was done and by whom, what needs a person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from bot.base.audit import AuditEntry
from bot.campaigns.models import (
    Campaign,
    CampaignApproval,
    CampaignHold,
    Notice,
    NoticeAttempt,
    NoticeEvent,
    Obligation,
    ObligationStatus,
)
from bot.campaigns.planning.errands import last

MOST_BUCKETS = 24
STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 720, 1440, 10080))


@dataclass(frozen=True)
class Series:
    """Counts over time: one row for each channel, in equal steps."""

    starts: tuple[datetime, ...]
    step: timedelta
    rows: dict[str, list[int]]


def over_time(session: Session, campaign: Campaign, at: datetime) -> Series:
    """Notices handed to providers by channel, from the start until now or the end, in at most two dozen steps."""
    begin = campaign.started_at or at
    end = max(campaign.ended_at or at, begin + STEPS[0])
    step = next((one for one in STEPS if begin + one * MOST_BUCKETS >= end), STEPS[-1])
    number = min(MOST_BUCKETS, -(-(end - begin) // step))
    starts = tuple(begin + step * place for place in range(number))
    within = [
        func.sum(case(((Notice.submitted_at >= start) & (Notice.submitted_at < start + step), 1), else_=0)) for start in starts
    ]
    sent = select(Notice.channel, *within).where(Notice.campaign_id == campaign.id, Notice.submitted_at.is_not(None))
    rows = {channel: [int(one or 0) for one in numbers] for channel, *numbers in session.execute(sent.group_by(Notice.channel))}
    return Series(starts, step, rows)


def acts(session: Session, campaign: Campaign, limit: int = 200) -> Sequence[AuditEntry]:
    """What was done to a campaign, the latest first."""
    mine = select(AuditEntry).where(AuditEntry.subject == f"campaign:{campaign.id}")
    return session.scalars(mine.order_by(AuditEntry.id.desc()).limit(limit)).all()


def tests_sent(session: Session, campaign: Campaign) -> int:
    """How many test sends there were."""
    sent = (AuditEntry.subject == f"campaign:{campaign.id}", AuditEntry.kind == "campaign.tested")
    return session.scalar(select(func.count()).select_from(AuditEntry).where(*sent)) or 0


def standing_holds(session: Session, campaign: Campaign, at: datetime) -> Sequence[CampaignHold]:
    """Orders of authorities that stand."""
    mine = select(CampaignHold).where(CampaignHold.campaign_id == campaign.id, CampaignHold.lifted_at.is_(None))
    return [one for one in session.scalars(mine) if one.until is None or one.until > at]


def approval(session: Session, campaign: Campaign) -> CampaignApproval | None:
    """The approval that stands."""
    mine = (CampaignApproval.campaign_id == campaign.id, CampaignApproval.voided_at.is_(None))
    return session.scalars(select(CampaignApproval).where(*mine).order_by(CampaignApproval.id.desc()).limit(1)).first()


def waiting_again(session: Session, campaign: Campaign) -> dict[str, int]:
    """Notices that were surely not sent and wait to be tried again, by the code of what hindered them."""
    back = (Notice.campaign_id == campaign.id, Notice.status == "planned", Notice.reason != "")
    return {
        code or "": number
        for code, number in session.execute(select(Notice.code, func.count()).where(*back).group_by(Notice.code))
    }


def left_to_the_team(session: Session, campaign: Campaign, limit: int = 100) -> Sequence[Obligation]:
    """People somebody has to see to, in the order of their numbers."""
    return session.scalars(select(Obligation).where(*_manual(campaign)).order_by(Obligation.person_id).limit(limit)).all()


def number_left(session: Session, campaign: Campaign) -> int:
    """How many people somebody has to see to, beyond those a page shows too."""
    return session.scalar(select(func.count()).select_from(Obligation).where(*_manual(campaign))) or 0


def _manual(campaign: Campaign) -> tuple[Any, ...]:
    return (Obligation.campaign_id == campaign.id, Obligation.status == ObligationStatus.MANUAL.value)


def fingerprint(session: Session, campaign_id: int) -> str:
    """A short text that differs after any change that a campaign's page shows."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        return "-"
    done = last(session, campaign_id)
    errand = f"{done.id}{done.status}{done.people}" if done else ""
    newest = [session.scalar(select(func.max(table.id))) or 0 for table in (NoticeAttempt, NoticeEvent)]
    logged = session.scalar(select(func.max(AuditEntry.id)).where(AuditEntry.subject == f"campaign:{campaign_id}")) or 0
    standing = (campaign.status, campaign.wave, campaign.hold_released, campaign.waits_for, campaign.messages)
    return short((*standing, *newest, logged, errand))


def fingerprint_of_all(session: Session) -> str:
    """The same for the list of campaigns."""
    shown = (Campaign.id, Campaign.status, Campaign.population, Campaign.messages, Campaign.wave, Campaign.waits_for)
    return short(map(tuple, session.execute(select(*shown).order_by(Campaign.id))))


def short(parts: Iterable[object]) -> str:
    """The same few characters for the same parts, in every process."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]
