"""What became of a part, written where its table allows it and proven in the sealed log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.lifecycle import may_move, move
from bot.base.vault import Vault
from bot.conversations.post.models import Part, PartStatus


def settle(session: Session, vault: Vault, part: Part, to: PartStatus, *, at: datetime, code: str = "", reason: str = "") -> bool:
    """Move a part where its table allows it, with its proof in the sealed log; returns whether it moved."""
    if not may_move(part, to):
        return False
    move(part, to)
    part.settled_at, part.lease_until = at, None
    part.code, part.reason = code[:20], reason[:120]
    prove(session, vault, part, to.value, at)
    return True


def prove(session: Session, vault: Vault, part: Part, what: str, at: datetime) -> None:
    """Put into the sealed log what became of a part."""
    content = {"part": part.id, "reply": part.reply_id, "place": part.place, "channel": part.channel, "code": part.code}
    content |= {"provider": part.provider_id} if part.provider_id else {}
    subject = f"thread:{part.thread_id}"
    audit.record(session, at=at, actor="assistant", kind=f"reply.{what}", subject=subject, content=content, vault=vault)
