"""Evidence of delivery, applied to the part it is about: in any order, repeated, late, or before the call returned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.lifecycle import may_move
from bot.base.vault import Vault
from bot.channels import windows
from bot.channels.base import DeliveryEvent, Outcome
from bot.conversations.models import Thread
from bot.conversations.post import invitations
from bot.conversations.post.models import Part, PartStatus
from bot.conversations.post.settling import settle

UNKNOWN = "unknown_reference"
_TO = {
    Outcome.SENT: PartStatus.SENT,
    Outcome.DELIVERED: PartStatus.DELIVERED,
    Outcome.FAILED: PartStatus.FAILED,
}


def apply(
    session: Session, vault: Vault, event: DeliveryEvent, channel: str, at: datetime, templates: Mapping[str, str] | None = None
) -> str:
    """Move the part as far as the event proves; returns why nothing could be done with it, or nothing."""
    part = _part(session, event, channel)
    if part is None:
        return UNKNOWN
    part.provider_id = part.provider_id or event.provider_id or None
    if event.opts_out:
        thread = session.get_one(Thread, part.thread_id)
        thread.opted_out_at = thread.opted_out_at or at
    if event.outcome is Outcome.FAILED and event.code in windows.SHUT and may_move(part, PartStatus.HELD):
        invitations.hold(session, vault, part, templates or {}, at=at, code=event.code, reason=event.reason)
        return ""
    settle(session, vault, part, _TO[event.outcome], at=at, code=event.code, reason=event.reason)
    return ""


def _part(session: Session, event: DeliveryEvent, channel: str) -> Part | None:
    found = None
    if event.reference:
        found = session.scalars(select(Part).where(Part.reference == event.reference).with_for_update()).first()
    if found is None and event.provider_id:
        named = select(Part).where(Part.provider_id == event.provider_id, Part.channel == channel)
        found = session.scalars(named.with_for_update()).first()
    return found
