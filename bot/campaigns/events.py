"""What providers report of notices: kept first, then applied; in any order, repeated, late, or before the call returned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

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


Told = tuple[DeliveryEvent, str]
"""An event, and the channel on which it was reported."""


@dataclass
class _Round:
    """What one transaction that applies events works with."""

    session: Session
    office: Office
    at: datetime
    hours: dict[int, float] = field(default_factory=dict)
    proofs: dict[str, list[tuple[str, str, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))

    def receipt_hours(self, campaign_id: int) -> float:
        """How long a campaign waits for a receipt."""
        if campaign_id not in self.hours:
            self.hours[campaign_id] = plan_of(self.session.get_one(Campaign, campaign_id).plan).receipt_hours
        return self.hours[campaign_id]


def apply(session: Session, office: Office, event: DeliveryEvent, channel: str, at: datetime) -> str:
    """Move the notice as far as the event proves; returns why nothing could be done with it, or nothing."""
    return apply_all(office, session, [(event, channel)], at)[0]


def apply_in(office: Office, session: Session, event: DeliveryEvent, channel: str, at: datetime) -> str:
    """`apply`, with the office first: to be handed to whoever reads hooks."""
    return apply(session, office, event, channel, at)


def apply_all(office: Office, session: Session, told: Sequence[Told], at: datetime) -> list[str]:
    """`apply` for many events, in their order and in one go; returns a remark for each."""
    by_reference = _notices(session, told)
    found = [by_reference.get(event.reference) or _named(session, event, channel) for event, channel in told]
    known = {one.id: one for one in found if one is not None}
    owed = select(Obligation).where(Obligation.id.in_({one.obligation_id for one in known.values()}))
    # Held by name until the end: the session itself forgets what nobody holds.
    obligations = {one.id: one for one in session.scalars(owed.order_by(Obligation.id).with_for_update())}
    fresh = _kept(session, [(one, event) for one, (event, _) in zip(found, told, strict=True) if one is not None], at)
    this, remarks = _Round(session, office, at), []
    for notice, (event, _) in zip(found, told, strict=True):
        remarks.append("" if notice else UNKNOWN)
        if notice is None or (key := _key(notice, event)) not in fresh:
            continue  # nobody's, or a repeat
        fresh.discard(key)
        _apply(this, notice, obligations[notice.obligation_id], event)
    session.flush()
    for actor, entries in this.proofs.items():
        audit.record_all(session, at=at, actor=actor, entries=entries, vault=office.vault)
    return remarks


def _apply(this: _Round, notice: Notice, obligation: Obligation, event: DeliveryEvent) -> None:
    if _is_about_an_earlier_try(notice, event):
        return
    notice.provider_id = notice.provider_id or event.provider_id or None
    to = _TO[event.outcome]
    if not may_move(notice, to):
        if to is NoticeStatus.DELIVERED and notice.status != NoticeStatus.DELIVERED and _arrived(obligation, this.at):
            late = {"notice": notice.id, "campaign": notice.campaign_id, "obligation": obligation.id}
            this.proofs[notice.channel].append((f"obligation.{to.value}", f"person:{notice.person_id}", late))
        return
    move(notice, to)
    notice.settled_at, notice.lease_until, notice.holder = this.at, None, None
    notice.code, notice.reason = event.code[:20], event.reason[:120]
    if to is NoticeStatus.DELIVERED:
        _arrived(obligation, this.at)
    elif to is NoticeStatus.FAILED:
        _failed(this, notice, obligation)
    elif obligation.status == ObligationStatus.OPEN and obligation.next_at is None:
        obligation.next_at = this.at + timedelta(hours=this.receipt_hours(notice.campaign_id))
    content = {"notice": notice.id, "campaign": notice.campaign_id, "channel": notice.channel, "code": event.code[:20]}
    this.proofs[notice.channel].append((f"notice.{to.value}", f"person:{notice.person_id}", content))


def _notices(session: Session, told: Sequence[Told]) -> dict[str, Notice]:
    references = {event.reference for event, _ in told if event.reference.startswith(MARK)}
    named = select(Notice).where(Notice.reference.in_(references)).order_by(Notice.id).with_for_update()
    return {one.reference: one for one in session.scalars(named)} if references else {}


def _named(session: Session, event: DeliveryEvent, channel: str) -> Notice | None:
    """The notice that the provider calls so; SendGrid's id is of a whole request and names none."""
    if not event.provider_id or channel == "email":
        return None
    named = select(Notice).where(Notice.provider_id == event.provider_id, Notice.channel == channel)
    return session.scalars(named.with_for_update()).first()


_Key = tuple[int, str, str, str]


def _key(notice: Notice, event: DeliveryEvent) -> _Key:
    return notice.id, event.outcome.value, event.code[:20], event.provider_id[:80]


def _kept(session: Session, told: Sequence[tuple[Notice, DeliveryEvent]], at: datetime) -> set[_Key]:
    """Keep what is new of it; returns that."""
    names = ("notice_id", "outcome", "code", "provider_id")
    rows = [dict(zip(names, _key(notice, event), strict=True)) | {"at": at} for notice, event in told]
    if not rows:
        return set()
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    added = insert(NoticeEvent).on_conflict_do_nothing().returning(*(getattr(NoticeEvent, name) for name in names))
    return {tuple(row) for row in session.execute(added, rows)}


def _is_about_an_earlier_try(notice: Notice, event: DeliveryEvent) -> bool:
    """Only what arrived counts whenever it did; that an earlier try failed says nothing of this one."""
    other = bool(notice.provider_id and event.provider_id and notice.provider_id != event.provider_id)
    return event.outcome is not Outcome.DELIVERED and other


def _arrived(obligation: Obligation, at: datetime) -> bool:
    """The person was told; returns whether that was news."""
    if not may_move(obligation, ObligationStatus.DELIVERED):
        return False
    move(obligation, ObligationStatus.DELIVERED)
    obligation.settled_at, obligation.next_at = at, None
    return True


def _failed(this: _Round, notice: Notice, obligation: Obligation) -> None:
    code, reason = notice.code, notice.reason
    if notice.tries < fates.AGAIN.get(code, 0):
        move(notice, NoticeStatus.PLANNED)
        notice.due_at, notice.provider_id = this.at + fates.AGAIN_AFTER, None
        obligation.next_at = None
        return
    if obligation.status == ObligationStatus.OPEN:
        obligation.next_at = this.at
    this.session.flush()  # what follows counts in the database
    if fates.is_account(code):
        concluding.stop_for_account(this.session, this.office, notice.campaign_id, code, reason, this.at)
    concluding.stop_for_text(this.session, this.office, notice.campaign_id, code, reason, this.at)
