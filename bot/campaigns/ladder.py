"""Waves and rungs: who is written to next, and by which channel, until everybody is in a final state."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.base.clock import in_hong_kong
from bot.base.lifecycle import moving
from bot.campaigns import life, pace
from bot.campaigns.audience import Because, rungs_of
from bot.campaigns.events import MARK
from bot.campaigns.models import OPEN, Campaign, CampaignStatus, Notice, NoticeStatus, Obligation, ObligationStatus
from bot.campaigns.office import Office
from bot.campaigns.plan import BY_HAND, Plan, Release, plan_of
from bot.campaigns.sending import withholding
from bot.campaigns.watching.outage import FAILED, outage, too_many
from bot.patients.models import Way

BATCH = 1000
QUEUE_FULL = "Texts wait: {0} segments lie at Twilio without a receipt, half of what its queue holds. They go on as it empties."
ASKED_TO_WAIT = "{0} waits: the provider asked us to send nothing until {1} in Hong Kong."
WAITS_FOR_PERSON = "Wave {0} is out. Look at what came of it, then release wave {1}."


def advance(session: Session, office: Office, campaign: Campaign, at: datetime) -> int:
    """Begin the next rung of up to a batch of people whose time has come; returns how many."""
    due = select(Obligation.id, Obligation.person_id, Obligation.segment_id, Obligation.ladder, Obligation.rung).where(
        Obligation.campaign_id == campaign.id, Obligation.status == ObligationStatus.OPEN.value, Obligation.next_at <= at
    )
    rows = session.execute(due.order_by(Obligation.next_at).limit(BATCH).with_for_update(skip_locked=True)).all()
    notices, ended = [], []
    for row in rows:
        rungs = rungs_of(row.ladder)
        if row.rung >= len(rungs):
            ended.append(row.id)
            continue
        way, point = rungs[row.rung]
        notices.append(_notice(campaign, row, way, point, at))
    if notices:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.execute(insert(Notice).on_conflict_do_nothing(), notices)
        begun = update(Obligation).where(Obligation.id.in_([one["obligation_id"] for one in notices]))
        session.execute(begun.values(rung=Obligation.rung + 1, next_at=None))
    if ended:
        withholding.to_team(session, office.vault, ended, Because.EXHAUSTED, at)
    return len(rows)


def _notice(campaign: Campaign, row: Any, way: Way, point: int, at: datetime) -> dict[str, Any]:
    return {
        "obligation_id": row.id,
        "campaign_id": campaign.id,
        "person_id": row.person_id,
        "segment_id": row.segment_id,
        "channel": way.value,
        "contact_point_id": point,
        "reference": MARK + secrets.token_urlsafe(18),
        "status": (NoticeStatus.LISTED if way in BY_HAND else NoticeStatus.PLANNED).value,
        "tries": 0,
        "parts": 0,
        "code": "",
        "reason": "",
        "due_at": at,
    }


def look(session: Session, office: Office, campaign_id: int, at: datetime) -> None:
    """One round over a running campaign: the next wave, too many failures, the end."""
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True)
    if campaign.status != CampaignStatus.RUNNING:
        return
    plan = plan_of(campaign.plan)
    if trouble := outage(session, campaign, _messages(plan)) or too_many_failures(session, campaign):
        life.pause(session, office.vault, campaign, by="campaign", why=trouble, at=at)
        return
    waits = _next_wave(session, office, campaign, plan, at)
    campaign.waits_for = (waits or _standing(session, office, campaign, plan, at))[:300]
    if campaign.wave > len(plan.waves) and not _owes(session, campaign):
        life.finish(session, office.vault, campaign, at)


def _next_wave(session: Session, office: Office, campaign: Campaign, plan: Plan, at: datetime) -> str:
    """Open the next wave, or say what it waits for."""
    following = campaign.wave + 1
    if following > len(plan.waves) + 1 or _busy(session, campaign, plan, at):
        return ""
    if not _has_people(session, campaign):
        campaign.wave = len(plan.waves) + 1
        return ""
    if following > 1 and plan.release is Release.PERSON and campaign.hold_released < following:
        return WAITS_FOR_PERSON.format(campaign.wave, following)
    if loaded := office.gate(session, at):
        return f"Wave {following} waits: {loaded}"
    opened = moving(Obligation, ObligationStatus.OPEN).where(
        Obligation.campaign_id == campaign.id, Obligation.wave > 0, Obligation.wave <= following
    )
    session.execute(opened.values(next_at=at).execution_options(synchronize_session=False))
    campaign.wave = following
    life.log(session, office.vault, campaign, "wave_begun", "campaign", at, wave=following)
    return ""


def _busy(session: Session, campaign: Campaign, plan: Plan, at: datetime) -> bool:
    """Whether the present wave's first messages are still leaving."""
    first = Notice.channel == plan.ladder[0].value
    leaving = Notice.status.in_((NoticeStatus.PLANNED.value, NoticeStatus.SUBMITTING.value))
    still = exists().where(Notice.campaign_id == campaign.id, first, OPEN, leaving, Notice.due_at <= at)
    due = (Obligation.status == ObligationStatus.OPEN.value, Obligation.next_at <= at)
    return bool(session.scalar(select(still | exists().where(Obligation.campaign_id == campaign.id, *due))))


def _has_people(session: Session, campaign: Campaign) -> bool:
    planned = Obligation.status == ObligationStatus.PLANNED.value
    return bool(session.scalar(select(exists().where(Obligation.campaign_id == campaign.id, planned))))


def _owes(session: Session, campaign: Campaign) -> bool:
    """Whether anybody is in a state in which a notice is still owed; counted is only when nobody is."""
    still = (ObligationStatus.PLANNED.value, ObligationStatus.OPEN.value, ObligationStatus.MANUAL.value)
    return bool(session.scalar(select(exists().where(Obligation.campaign_id == campaign.id, Obligation.status.in_(still)))))


def _messages(plan: Plan) -> list[Way]:
    """The rungs that we send ourselves."""
    return [way for way in plan.ladder if way not in BY_HAND]


def _standing(session: Session, office: Office, campaign: Campaign, plan: Plan, at: datetime) -> str:
    """Why messages that are due do not leave."""
    due = (Notice.campaign_id == campaign.id, OPEN, Notice.status == NoticeStatus.PLANNED.value, Notice.due_at <= at)
    # One look into the index for each channel, however many wait.
    waits = [select(exists().where(*due, Notice.channel == way.value)).scalar_subquery() for way in _messages(plan)]
    found = session.execute(select(*waits)).one() if waits else ()
    channels = [way for way, is_due in zip(_messages(plan), found, strict=True) if is_due]
    quiet = [way for way in channels if plan.quiet_end(way, at)]
    if quiet and quiet == channels:
        return f"{' and '.join(sorted(quiet))} wait for the morning: quiet until {plan.quiet_until:%H:%M} in Hong Kong."
    caps = plan.caps
    reached = [
        name
        for name, most, now in (
            ("messages", caps.messages, campaign.messages),
            ("segments", caps.segments, campaign.segments),
            ("cost", caps.cost and caps.cost * 1_000_000, campaign.cost_micros),
        )
        if most is not None and now >= most
    ]
    if channels and reached:
        return f"The cap of {' and '.join(reached)} is reached."
    loud = (way for way in channels if way not in quiet)
    return next((why for way in loud if (why := _at_provider(session, office, plan, way, at))), "")


def _at_provider(session: Session, office: Office, plan: Plan, way: Way, at: datetime) -> str:
    """Why a provider takes no more just now."""
    if until := pace.silent_until(session, office.sender(way.value), at):
        return ASKED_TO_WAIT.format(way.value, f"{in_hong_kong(until):%H:%M}")
    if way is Way.SMS and pace.room(session, plan.per_second[way], at) < pace.LONGEST:
        return QUEUE_FULL.format(f"{int(plan.per_second[way] * pace.QUEUE):,}")
    return ""


def too_many_failures(session: Session, campaign: Campaign) -> str:
    """Why a campaign should stop by itself, with the five most frequent codes; empty while it may go on."""
    found = too_many(session, campaign)
    if found is None:
        return ""
    failed, total = found
    since = (Notice.campaign_id == campaign.id, Notice.settled_at >= campaign.results_from)
    bad = [one.value for one in FAILED]
    number = func.count()
    codes = select(Notice.code, number).where(*since, Notice.status.in_(bad)).group_by(Notice.code).order_by(number.desc())
    named = ", ".join(f"{code or 'no code'}: {times}" for code, times in session.execute(codes.limit(5)))
    return f"{failed} of {total} did not arrive ({named})."
