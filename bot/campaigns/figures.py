"""How a campaign stands: the population by state, notices by channel and state, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.campaigns.models import FINAL, Campaign, CampaignApproval, Notice, NoticeStatus, Obligation, ObligationStatus
from bot.campaigns.plan import plan_of
from bot.campaigns.watching.outage import failures, is_worrying

LATELY = timedelta(minutes=10)


@dataclass(frozen=True)
class Standing:
    """A campaign at a moment."""

    name: str
    notice: str
    version: str
    status: str
    population: int
    people: dict[str, int]  # by state; sums up to the population
    left_because: dict[str, int]  # of those left to the team
    notices: dict[str, dict[str, int]]  # channel to state to number
    codes: dict[str, int]  # of what did not arrive, the most frequent first
    wave: int
    waves: int
    messages: int
    segments: int
    cost: float  # HK$
    waits_for: str
    pause_reason: str
    in_doubt: int
    per_minute: float  # messages, over the last minutes
    finish_at: datetime | None  # of the first rung at this rate
    approved_by: str
    digests: dict[str, str] | None
    failed: int  # since results count: what did not arrive
    known: int  # and of how many it is known
    is_worrying: bool  # enough of them that somebody should look

    @property
    def settled(self) -> int:
        """How many people nothing is owed any more."""
        return sum(self.people.get(status.value, 0) for status in FINAL)

    @property
    def adds_up(self) -> bool:
        """Whether the population is the sum of the states."""
        return sum(self.people.values()) == self.population


def standing(session: Session, campaign: Campaign, at: datetime) -> Standing:
    """How a campaign stands now."""
    mine, number = Obligation.campaign_id == campaign.id, func.count()
    people = dict(session.execute(select(Obligation.status, number).where(mine).group_by(Obligation.status)).all())
    left = select(Obligation.because, number).where(mine, Obligation.status == ObligationStatus.MANUAL.value)
    because = dict(session.execute(left.group_by(Obligation.because)).all())
    notices = _by_channel(session, campaign)
    waiting = people.get("planned", 0) + sum(states.get("planned", 0) for states in notices.values())
    failed, known = failures(session, campaign) if campaign.results_from else (0, 0)
    rate = _rate(session, campaign, at)
    approval = select(CampaignApproval.by).where(
        CampaignApproval.campaign_id == campaign.id, CampaignApproval.voided_at.is_(None)
    )
    return Standing(
        name=campaign.name,
        notice=campaign.notice,
        version=campaign.version,
        status=campaign.status,
        population=campaign.population,
        people=people,
        left_because=because,
        notices=notices,
        codes=_codes(session, campaign),
        wave=campaign.wave,
        waves=len(plan_of(campaign.plan).waves) + 1,
        messages=campaign.messages,
        segments=campaign.segments,
        cost=campaign.cost_micros / 1_000_000,
        waits_for=campaign.waits_for,
        pause_reason=campaign.pause_reason,
        in_doubt=sum(states.get("unknown", 0) for states in notices.values()),
        per_minute=round(rate, 1),
        finish_at=at + timedelta(minutes=waiting / rate) if rate and waiting else None,
        approved_by=session.scalar(approval.order_by(CampaignApproval.id.desc()).limit(1)) or "",
        digests=campaign.digests,
        failed=failed,
        known=known,
        is_worrying=is_worrying(failed, known),
    )


def _by_channel(session: Session, campaign: Campaign) -> dict[str, dict[str, int]]:
    """Notices by channel and state."""
    found: dict[str, dict[str, int]] = {}
    counted = select(Notice.channel, Notice.status, func.count()).where(Notice.campaign_id == campaign.id)
    for channel, status, number in session.execute(counted.group_by(Notice.channel, Notice.status)):
        found.setdefault(channel, {})[status] = number
    return found


def _rate(session: Session, campaign: Campaign, at: datetime) -> float:
    """Messages a minute, over the last minutes."""
    since = (Notice.campaign_id == campaign.id, Notice.submitted_at > at - LATELY)
    lately = session.scalar(select(func.count()).select_from(Notice).where(*since)) or 0
    started = max(campaign.started_at or at, at - LATELY)
    return lately / max((at - started).total_seconds() / 60, 1 / 60)


def _codes(session: Session, campaign: Campaign) -> dict[str, int]:
    number = func.count()
    bad = Notice.status.in_((NoticeStatus.FAILED.value, NoticeStatus.REJECTED.value, NoticeStatus.UNKNOWN.value))
    codes = select(Notice.code, number).where(Notice.campaign_id == campaign.id, bad).group_by(Notice.code)
    return {code or "none": count for code, count in session.execute(codes.order_by(number.desc()).limit(5))}


def numbered(session: Session, campaign_id: int, *, lock: bool = False) -> Campaign:
    """The campaign of this number; raises NoResultFound when there is none."""
    return session.get_one(Campaign, campaign_id, with_for_update=lock or None)


def everyone(session: Session) -> list[Campaign]:
    """All campaigns, the newest first."""
    return list(session.scalars(select(Campaign).order_by(Campaign.id.desc())))
