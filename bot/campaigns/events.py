"""What providers report of notices: kept first, then applied; in any order, repeated, late, or before the call returned."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.lifecycle import may_move, move
from bot.campaigns.models import Campaign, Notice, NoticeEvent, NoticeStatus, Obligation, ObligationStatus
from bot.campaigns.office import Office
from bot.campaigns.plan import plan_of
from bot.campaigns.sending import concluding, fates
from bot.channels.base import DeliveryEvent, Outcome

MARK = "n."
"""How the references of notices begin; those of answers never do."""
UNKNOWN = "unknown_reference"
_TO = {
    Outcome.SENT: NoticeStatus.ACCEPTED,
    Outcome.DELIVERED: NoticeStatus.DELIVERED,
    Outcome.FAILED: NoticeStatus.FAILED,
}


def apply(session: Session, office: Office, event: DeliveryEvent, channel: str, at: datetime) -> str:
    """Move the notice as far as the event proves; returns why nothing could be done with it, or nothing."""
    notice = _notice(session, event, channel)
    if notice is None:
        return UNKNOWN
    if not _kept(session, notice, event, at):
        return ""  # a repeat
    if _is_about_an_earlier_try(notice, event):
        return ""
    notice.provider_id = notice.provider_id or event.provider_id or None
    to = _TO[event.outcome]
    if not may_move(notice, to):
        if to is NoticeStatus.DELIVERED and notice.status != NoticeStatus.DELIVERED:
            _arrived(session, office, notice, at)
        return ""
    move(notice, to)
    notice.settled_at, notice.lease_until, notice.holder = at, None, None
    notice.code, notice.reason = event.code[:20], event.reason[:120]
    session.flush()
    if to is NoticeStatus.DELIVERED:
        _arrived(session, office, notice, at)
    elif to is NoticeStatus.FAILED:
        _failed(session, office, notice, at)
    else:
        _taken(session, notice, at)
    _prove(session, office, notice, to.value, at)
    return ""


def apply_in(office: Office, session: Session, event: DeliveryEvent, channel: str, at: datetime) -> str:
    """`apply`, with the office first: to be handed to whoever reads hooks."""
    return apply(session, office, event, channel, at)


def _notice(session: Session, event: DeliveryEvent, channel: str) -> Notice | None:
    found = None
    if event.reference.startswith(MARK):
        found = session.scalars(select(Notice).where(Notice.reference == event.reference).with_for_update()).first()
    if found is None and event.provider_id and channel != "email":  # SendGrid's id is of a whole request
        named = select(Notice).where(Notice.provider_id == event.provider_id, Notice.channel == channel)
        found = session.scalars(named.with_for_update()).first()
    return found


def _kept(session: Session, notice: Notice, event: DeliveryEvent, at: datetime) -> bool:
    row = {
        "notice_id": notice.id,
        "outcome": event.outcome.value,
        "code": event.code[:20],
        "provider_id": event.provider_id[:80],
        "at": at,
    }
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    added = insert(NoticeEvent).values(row).on_conflict_do_nothing().returning(NoticeEvent.id)
    return session.scalar(added) is not None


def _is_about_an_earlier_try(notice: Notice, event: DeliveryEvent) -> bool:
    """Only what arrived counts whenever it did; that an earlier try failed says nothing of this one."""
    other = bool(notice.provider_id and event.provider_id and notice.provider_id != event.provider_id)
    return event.outcome is not Outcome.DELIVERED and other


def _arrived(session: Session, office: Office, notice: Notice, at: datetime) -> None:
    obligation = session.get_one(Obligation, notice.obligation_id, with_for_update=True)
    if may_move(obligation, ObligationStatus.DELIVERED):
        move(obligation, ObligationStatus.DELIVERED)
        obligation.settled_at, obligation.next_at = at, None


def _taken(session: Session, notice: Notice, at: datetime) -> None:
    obligation = session.get_one(Obligation, notice.obligation_id, with_for_update=True)
    if obligation.status == ObligationStatus.OPEN and obligation.next_at is None:
        plan = plan_of(session.get_one(Campaign, notice.campaign_id).plan)
        obligation.next_at = at + timedelta(hours=plan.receipt_hours)


def _failed(session: Session, office: Office, notice: Notice, at: datetime) -> None:
    if notice.tries < fates.AGAIN.get(notice.code, 0):
        move(notice, NoticeStatus.PLANNED)
        notice.due_at, notice.provider_id = at + fates.AGAIN_AFTER, None
        obligation = session.get_one(Obligation, notice.obligation_id, with_for_update=True)
        obligation.next_at = None
        return
    concluding.next_rung(session, [notice.obligation_id], at)
    if fates.is_account(notice.code):
        concluding.stop_for_account(session, office, notice.campaign_id, notice.code, notice.reason, at)
    concluding.stop_for_text(session, office, notice.campaign_id, notice.code, notice.reason, at)


def _prove(session: Session, office: Office, notice: Notice, what: str, at: datetime) -> None:
    content = {"notice": notice.id, "campaign": notice.campaign_id, "channel": notice.channel, "code": notice.code}
    subject = f"person:{notice.person_id}"
    audit.record(
        session, at=at, actor=notice.channel, kind=f"notice.{what}", subject=subject, content=content, vault=office.vault
    )
