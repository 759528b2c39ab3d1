"""Old hooks are emptied: what a provider posted is personal data, and its use is over once it became turns and evidence.

The row stays with the provider's id, its times and what was made of it: that proves that it came, and a repeat of it is
still known. What waits to be read is never emptied.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from bot.conversations.post.models import HookDelivery, HookStatus

BATCH = 500
DONE = (HookStatus.APPLIED.value, HookStatus.IGNORED.value, HookStatus.BROKEN.value)


def due(session: Session, *, before: datetime) -> bool:
    """Whether a hook of before then is still to be emptied."""
    return session.scalars(_old(before).limit(1)).first() is not None


def empty(session: Session, *, before: datetime, at: datetime) -> int:
    """Empty up to a batch of hooks that were received before then and are done with; returns how many."""
    ids = session.scalars(_old(before).order_by(HookDelivery.id).limit(BATCH)).all()
    gone = {"sealed_content": "", "domain_index": None, "emptied_at": at}
    session.execute(update(HookDelivery).where(HookDelivery.id.in_(ids)).values(**gone))
    return len(ids)


def _old(before: datetime) -> Select[int]:
    is_old = HookDelivery.emptied_at.is_(None) & (HookDelivery.received_at < before)
    return select(HookDelivery.id).where(is_old, HookDelivery.status.in_(DONE))
