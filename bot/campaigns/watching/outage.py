"""A provider that does not answer stops a campaign before more people are in doubt; and a warning before failures stop it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.campaigns.models import Campaign, Notice, NoticeAttempt, NoticeStatus
from bot.patients.models import Way

CALLS = 3
"""Calls one after the other, of which none was answered, after which it is an outage."""
LOOKED_AT = 500
"""Attempts looked at: an e-mail request has up to a hundred of them."""
LIMITS = frozenset({"429", "20429", "21611", "63018"})
"""The provider answers, and asks us to slow down."""
LEAST = 200
WARNING, PAUSE = 0.05, 0.10
OUT_OF_REACH = "The provider of {0} does not answer ({1})."


def outage(session: Session, campaign: Campaign) -> str:
    """Why a campaign should stop: the last calls of a channel broke off or reached nobody; empty while calls are answered."""
    since = campaign.results_from
    attempts = (
        select(NoticeAttempt.at, NoticeAttempt.outcome, NoticeAttempt.code, Notice.channel, Notice.segment_id, Notice.id)
        .join(Notice, Notice.id == NoticeAttempt.notice_id)
        .where(Notice.campaign_id == campaign.id, Notice.submitted_at >= since)
        .order_by(NoticeAttempt.id.desc())
        .limit(LOOKED_AT)
    )
    troubles: dict[str, set[tuple[datetime, int]]] = {}
    answered: set[str] = set()
    for at, outcome, code, channel, segment_id, notice_id in session.execute(attempts):
        if channel in answered or (outcome == "unknown" and not code):
            continue  # without a code it was a worker of ours that stopped, not the provider
        if outcome not in ("unknown", "again") or code in LIMITS:
            answered.add(channel)
            continue
        calls = troubles.setdefault(channel, set())
        calls.add((at, segment_id if channel == Way.EMAIL else notice_id))  # an e-mail request is for one segment
        if len(calls) >= CALLS:
            return OUT_OF_REACH.format(channel, code or "no code")
    return ""


def failures(session: Session, campaign: Campaign) -> tuple[int, int]:
    """How many notices did not arrive, and of how many it is known, since results count."""
    since = (Notice.campaign_id == campaign.id, Notice.settled_at >= campaign.results_from)
    counted = dict(session.execute(select(Notice.status, func.count()).where(*since).group_by(Notice.status)).all())
    failed = counted.get(NoticeStatus.FAILED.value, 0) + counted.get(NoticeStatus.REJECTED.value, 0)
    return failed, failed + counted.get(NoticeStatus.ACCEPTED.value, 0) + counted.get(NoticeStatus.DELIVERED.value, 0)


def is_worrying(failed: int, total: int) -> bool:
    """Whether so many failures should be looked at before the campaign stops by itself."""
    return total >= LEAST and failed >= WARNING * total
