"""Evidence of delivery, applied to the part it is about: in any order, repeated, late, or before the call returned."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.lifecycle import may_move, move
from bot.base.vault import Vault
from bot.channels.base import DeliveryEvent, Outcome
from bot.conversations.models import Thread
from bot.conversations.post.models import Part, PartStatus

_TO = {
    Outcome.SENT: PartStatus.SENT,
    Outcome.DELIVERED: PartStatus.DELIVERED,
    Outcome.FAILED: PartStatus.FAILED,
}


def apply(session: Session, vault: Vault, event: DeliveryEvent, channel: str, at: datetime) -> str:
    """Move the part as far as the event proves; returns why nothing could be done with it, or nothing."""
    part = _part(session, event, channel)
    if part is None:
        return "unknown_reference"
    part.provider_id = part.provider_id or event.provider_id or None
    if event.opts_out:
        thread = session.get_one(Thread, part.thread_id)
        thread.opted_out_at = thread.opted_out_at or at
    settle(session, vault, part, _TO[event.outcome], at=at, code=event.code, reason=event.reason)
    return ""


def settle(session: Session, vault: Vault, part: Part, to: PartStatus, *, at: datetime, code: str = "", reason: str = "") -> bool:
    """Move a part where its table allows it, with its proof in the sealed log; returns whether it moved."""
    if not may_move(part, to):
        return False
    move(part, to)
    part.settled_at, part.lease_until = at, None
    part.code, part.reason = code[:20], reason[:120]
    content = {"part": part.id, "reply": part.reply_id, "place": part.place, "channel": part.channel, "code": part.code}
    content |= {"provider": part.provider_id} if part.provider_id else {}
    subject = f"thread:{part.thread_id}"
    audit.record(session, at=at, actor="assistant", kind=f"reply.{to.value}", subject=subject, content=content, vault=vault)
    return True


def _part(session: Session, event: DeliveryEvent, channel: str) -> Part | None:
    found = None
    if event.reference:
        found = session.scalars(select(Part).where(Part.reference == event.reference).with_for_update()).first()
    if found is None and event.provider_id:
        named = select(Part).where(Part.provider_id == event.provider_id, Part.channel == channel)
        found = session.scalars(named.with_for_update()).first()
    return found
