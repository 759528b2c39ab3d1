"""A provider that does not answer stops a campaign before more people are in doubt; and a warning before failures stop it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
FAILED = (NoticeStatus.FAILED, NoticeStatus.REJECTED)
ARRIVED = (NoticeStatus.ACCEPTED, NoticeStatus.DELIVERED)
OUT_OF_REACH = "The provider of {0} does not answer ({1})."


def outage(session: Session, campaign: Campaign, channels: Iterable[Way]) -> str:
    """Why a campaign should stop: the last calls of a channel broke off or reached nobody; empty while calls are answered."""
    for channel in channels:
        if why := _silent(session, campaign, channel):
            return why
    return ""


def _silent(session: Session, campaign: Campaign, channel: Way) -> str:
    mine = (NoticeAttempt.campaign_id == campaign.id, NoticeAttempt.channel == channel.value)
    by_age = select(NoticeAttempt).where(*mine).order_by(NoticeAttempt.id.desc())
    last = session.execute(by_age.with_only_columns(NoticeAttempt.outcome, NoticeAttempt.code).limit(1)).first()
    if last is None or _is_answer(*last):
        return ""
    # The last ones by their index, and only these joined: else all of a large campaign would be sorted each second.
    latest = by_age.limit(LOOKED_AT).subquery()
    attempts = (
        select(latest.c.at, latest.c.outcome, latest.c.code, Notice.segment_id, Notice.id)
        .join(Notice, Notice.id == latest.c.notice_id)
        .where(Notice.submitted_at >= campaign.results_from)
        .order_by(latest.c.id.desc())
    )
    calls: set[tuple[datetime, int]] = set()
    for at, outcome, code, segment_id, notice_id in session.execute(attempts):
        if outcome == "unknown" and not code:
            continue  # without a code it was a worker of ours that stopped, not the provider
        if _is_answer(outcome, code):
            return ""
        calls.add((at, segment_id if channel is Way.EMAIL else notice_id))  # an e-mail request is for one segment
        if len(calls) >= CALLS:
            return OUT_OF_REACH.format(channel.value, code or "no code")
    return ""


def _is_answer(outcome: str, code: str) -> bool:
    return outcome not in ("unknown", "again") or code in LIMITS


def too_many(session: Session, campaign: Campaign) -> tuple[int, int] | None:
    """How many did not arrive, and of how many it is known, when that is too many; None otherwise.

    What failed is counted first, and of the others no more than would excuse it: little is read while little fails.
    """
    failed = _known(session, campaign, FAILED, limit=None)
    if failed < PAUSE * LEAST:
        return None
    excuse = int(failed / PAUSE)
    if failed + _known(session, campaign, ARRIVED, limit=excuse + 1) > excuse:
        return None
    return failures(session, campaign)


def _known(session: Session, campaign: Campaign, statuses: Sequence[NoticeStatus], *, limit: int | None) -> int:
    since = (Notice.campaign_id == campaign.id, Notice.settled_at >= campaign.results_from)
    found = select(Notice.id).where(*since, Notice.status.in_([one.value for one in statuses])).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def failures(session: Session, campaign: Campaign) -> tuple[int, int]:
    """How many notices did not arrive, and of how many it is known, since results count."""
    since = (Notice.campaign_id == campaign.id, Notice.settled_at >= campaign.results_from)
    counted = dict(session.execute(select(Notice.status, func.count()).where(*since).group_by(Notice.status)).all())
    failed = sum(counted.get(one.value, 0) for one in FAILED)
    return failed, failed + sum(counted.get(one.value, 0) for one in ARRIVED)


def is_worrying(failed: int, total: int) -> bool:
    """Whether so many failures should be looked at before the campaign stops by itself."""
    return total >= LEAST and failed >= WARNING * total
