"""What came of calls, written down; evidence that came meanwhile stays. Errors touch one person or stop the campaign."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import AccountFailure, ChannelError, OutcomeUnknown, TemporaryFailure, Unconfigured
from bot.base.lifecycle import moving
from bot.campaigns import life, pace
from bot.campaigns.masks import masked
from bot.campaigns.models import OPEN, Campaign, CampaignStatus, Notice, NoticeAttempt, NoticeStatus, Obligation, ObligationStatus
from bot.campaigns.office import Office
from bot.campaigns.plan import plan_of
from bot.campaigns.sending.claiming import Taken
from bot.campaigns.sending.fates import CONTENT, EQUAL
from bot.channels.base import Sent

ACTOR = "campaign"
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
REFUSED_TOGETHER = 3
"""A request in which so many, and all, are refused for the same reason is wrong itself."""
NOT_THERE = "21408"
"""Twilio: our account may not write to numbers of this country."""
HOME = "+852"
BROKEN_OFF = "whoever was sending it stopped in the middle"
Result = Sent | ChannelError


def conclude_all(session: Session, office: Office, called: Sequence[tuple[Sequence[Taken], Result]], at: datetime) -> None:
    """Write down what came of many calls: all that was taken together, whatever went wrong one by one."""
    sent: dict[int, list[tuple[Taken, str]]] = defaultdict(list)
    for taken, result in called:
        if isinstance(result, Sent):
            sent[taken[0].campaign_id] += [(one, result.provider_id) for one in taken]
    for group in sent.values():
        _accepted(session, office, group, at)
    for taken, result in called:
        if not isinstance(result, Sent):
            conclude(session, office, taken, result, at)


def conclude(session: Session, office: Office, taken: Sequence[Taken], result: Result, at: datetime) -> None:
    """Write down what came of one call for those it was about."""
    match result:
        case Sent():
            _accepted(session, office, [(one, result.provider_id) for one in taken], at)
        case TemporaryFailure():
            _again(session, office, taken, result, at)
        case AccountFailure() if _is_about_a_country(taken, result):
            _rejected(session, office, taken, result, at)
        case AccountFailure() | Unconfigured():
            _back(session, office, taken, at, result)
            _stop(session, office, taken[0].campaign_id, f"{result.reason} ({result.code})", at)
        case OutcomeUnknown():
            _unknown(session, office, taken, result, at)
        case _ if len(taken) >= REFUSED_TOGETHER:
            _back(session, office, taken, at, result)
            _stop(session, office, taken[0].campaign_id, f"A whole request was refused: {result.reason} ({result.code})", at)
        case _:
            _rejected(session, office, taken, result, at)


def _is_about_a_country(taken: Sequence[Taken], failed: ChannelError) -> bool:
    """Whether our account may only not write where this one person is: everybody else is in Hong Kong."""
    return failed.code == NOT_THERE and not any(one.address.startswith(HOME) for one in taken)


def bury(session: Session, office: Office, at: datetime) -> int:
    """Mark as unknown what somebody was submitting who is no longer there; returns how many. Never sent again blindly."""
    lost = select(Notice.id).where(OPEN, Notice.status == NoticeStatus.SUBMITTING.value, Notice.lease_until <= at).limit(1000)
    ids = list(session.scalars(lost.with_for_update(skip_locked=True)))
    if ids:
        _move(session, ids, NoticeStatus.UNKNOWN, at, {"reason": BROKEN_OFF})
        columns = (Notice.id, Notice.campaign_id, Notice.channel, Notice.obligation_id, Notice.person_id, Notice.text_digest)
        rows = session.execute(select(*columns).where(Notice.id.in_(ids)).order_by(Notice.id)).all()
        _attempts(session, [(row.id, row.campaign_id, row.channel) for row in rows], "unknown", "", at)
        _wait_for_receipt(session, [row.obligation_id for row in rows], at, None)
        _prove_lost(session, office, rows, at)
    return len(ids)


def _prove_lost(session: Session, office: Office, rows: Sequence[Any], at: datetime) -> None:
    entries = [
        (
            "notice.unknown",
            f"person:{row.person_id}",
            {"notice": row.id, "campaign": row.campaign_id, "channel": row.channel, "text": row.text_digest, "code": ""},
        )
        for row in rows
    ]
    audit.record_all(session, at=at, actor=ACTOR, entries=entries, vault=office.vault)


_HAS = (
    update(Notice)
    .where(Notice.id == bindparam("notice"))
    .values(provider_id=bindparam("provider"), lease_until=None, holder=None)
)


def _accepted(session: Session, office: Office, sent: Sequence[tuple[Taken, str]], at: datetime) -> None:
    taken = [one for one, _ in sent]
    ids = [one.notice_id for one in taken]
    _move(session, ids, NoticeStatus.ACCEPTED, at, {})
    # Evidence may have moved it on already: the provider's id is kept all the same.
    kept = [{"notice": one.notice_id, "provider": provider[:80] or None} for one, provider in sent]
    session.connection().execute(_HAS, kept)
    common = {"at": at, "outcome": "accepted", "code": ""}
    rows = [
        {
            "notice_id": one.notice_id,
            "campaign_id": one.campaign_id,
            "channel": one.channel.value,
            "provider_id": provider,
            **common,
        }
        for one, provider in zip(taken, (one["provider"] for one in kept), strict=True)
    ]
    session.execute(insert(NoticeAttempt), rows)
    _wait_for_receipt(session, [one.obligation_id for one in taken], at, _campaign(session, taken))
    audit.record_all(
        session,
        at=at,
        actor=ACTOR,
        entries=[_entry(one, "accepted", provider=provider) for one, provider in sent],
        vault=office.vault,
    )


def _again(session: Session, office: Office, taken: Sequence[Taken], failed: TemporaryFailure, at: datetime) -> None:
    wait = max(failed.retry_after_s, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** max(0, taken[0].tries - 1)))
    due = at + timedelta(seconds=wait * random.uniform(1.0, 1.25))  # noqa: S311 - jitter is no secret
    _back(session, office, taken, due, failed, keep_try=not failed.is_limit)
    if failed.is_limit:
        campaign, channel = _campaign(session, taken), taken[0].channel
        rate = plan_of(campaign.plan).per_second[channel]
        pace.silence(session, office.sender(channel.value), rate, at, failed.retry_after_s or wait)


def _back(
    session: Session, office: Office, taken: Sequence[Taken], due: datetime, failed: ChannelError, *, keep_try: bool = False
) -> None:
    """Surely not sent: it waits again, and only a failure of the way there uses up a try."""
    tries = Notice.tries if keep_try else Notice.tries - 1
    waiting = {"due_at": due, "tries": tries, "code": failed.code[:20], "reason": failed.reason[:120], "lease_until": None}
    back = moving(Notice, NoticeStatus.PLANNED).where(Notice.id.in_([one.notice_id for one in taken]), *_ours(office))
    session.execute(back.values(**waiting, holder=None).execution_options(synchronize_session=False))
    _attempts(session, _called(taken), "again", failed.code, due)


def _unknown(session: Session, office: Office, taken: Sequence[Taken], failed: OutcomeUnknown, at: datetime) -> None:
    still = _ended(session, office, taken, NoticeStatus.UNKNOWN, failed, at)
    _wait_for_receipt(session, [one.obligation_id for one in still], at, _campaign(session, taken))
    _prove(session, office, still, "unknown", at, code=failed.code)


def _rejected(session: Session, office: Office, taken: Sequence[Taken], failed: ChannelError, at: datetime) -> None:
    still = _ended(session, office, taken, NoticeStatus.REJECTED, failed, at)
    next_rung(session, [one.obligation_id for one in still], at)
    _prove(session, office, still, "rejected", at, code=failed.code)
    if still:
        stop_for_text(session, office, taken[0].campaign_id, failed.code, failed.reason, at)


def _ended(
    session: Session, office: Office, taken: Sequence[Taken], to: NoticeStatus, failed: ChannelError, at: datetime
) -> list[Taken]:
    """Those of them that were still ours and came to this end; what was settled otherwise meanwhile begins no rung."""
    values = {"code": failed.code[:20], "reason": failed.reason[:120]}
    moved = _move(session, [one.notice_id for one in taken], to, at, values, *_ours(office))
    _attempts(session, _called(taken), to.value, failed.code, at)
    return [one for one in taken if one.notice_id in moved]


def next_rung(session: Session, obligations: Sequence[int], at: datetime) -> None:
    """Let the next rung of open obligations begin now."""
    still = Obligation.status == ObligationStatus.OPEN.value
    session.execute(update(Obligation).where(Obligation.id.in_(obligations), still).values(next_at=at))


def stop_for_text(session: Session, office: Office, campaign_id: int, code: str, reason: str, at: datetime) -> None:
    """Stop the campaign after a few equal errors about its text."""
    if code not in CONTENT:
        return
    campaign = session.get_one(Campaign, campaign_id)
    failed = (NoticeStatus.REJECTED.value, NoticeStatus.FAILED.value)
    equal = select(func.count()).select_from(Notice).where(
        Notice.campaign_id == campaign_id, Notice.code == code, Notice.status.in_(failed),
        Notice.settled_at >= (campaign.results_from or at),
    )  # fmt: skip
    if (session.scalar(equal) or 0) >= EQUAL:
        _stop(session, office, campaign_id, f"The text is not taken: {reason} ({code})", at)


def stop_for_account(session: Session, office: Office, campaign_id: int, code: str, reason: str, at: datetime) -> None:
    """Stop the campaign because our account cannot send."""
    _stop(session, office, campaign_id, f"{reason} ({code})", at)


def _stop(session: Session, office: Office, campaign_id: int, why: str, at: datetime) -> None:
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True)
    if campaign.status == CampaignStatus.RUNNING:
        life.pause(session, office.vault, campaign, by=ACTOR, why=why, at=at)


def _ours(office: Office) -> tuple[Any, ...]:
    """Still being submitted, and by us: whoever was given up for dead must not undo what another worker does now."""
    return Notice.status == NoticeStatus.SUBMITTING.value, Notice.holder == office.holder


def _move(session: Session, ids: Sequence[int], to: NoticeStatus, at: datetime, values: dict[str, Any], *only: Any) -> set[int]:
    """Move those of them that may; returns which did."""
    moved = moving(Notice, to).where(Notice.id.in_(ids), *only).values(settled_at=at, lease_until=None, holder=None, **values)
    return set(session.scalars(moved.returning(Notice.id).execution_options(synchronize_session=False)))


def _called(taken: Sequence[Taken]) -> list[tuple[int, int, str]]:
    return [(one.notice_id, one.campaign_id, one.channel.value) for one in taken]


def _attempts(session: Session, called: Sequence[tuple[int, int, str]], outcome: str, code: str, at: datetime) -> None:
    common = {"at": at, "outcome": outcome, "code": code[:20], "provider_id": None}
    rows = [{"notice_id": one, "campaign_id": campaign, "channel": channel, **common} for one, campaign, channel in called]
    session.execute(insert(NoticeAttempt), rows)


def _wait_for_receipt(session: Session, obligations: Sequence[int], at: datetime, campaign: Campaign | None) -> None:
    """Without a receipt until then the next rung begins."""
    hours = plan_of(campaign.plan).receipt_hours if campaign else 72.0
    still = Obligation.status == ObligationStatus.OPEN.value
    waits = update(Obligation).where(Obligation.id.in_(obligations), still, Obligation.next_at.is_(None))
    session.execute(waits.values(next_at=at + timedelta(hours=hours)).execution_options(synchronize_session=False))


def _campaign(session: Session, taken: Sequence[Taken]) -> Campaign:
    return session.get_one(Campaign, taken[0].campaign_id)


def _prove(session: Session, office: Office, taken: Sequence[Taken], what: str, at: datetime, **more: str) -> None:
    audit.record_all(session, at=at, actor=ACTOR, entries=[_entry(one, what, **more) for one in taken], vault=office.vault)


def _entry(one: Taken, what: str, **more: str) -> tuple[str, str, dict[str, Any]]:
    content = {
        "notice": one.notice_id,
        "campaign": one.campaign_id,
        "channel": one.channel.value,
        "text": one.text.digest,
        "to": masked(one.channel, one.address),
        **more,
    }
    return f"notice.{what}", f"person:{one.person_id}", content
