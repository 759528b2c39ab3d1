"""Answers that a channel does not take now: kept until the patient writes again, who is invited to.

The invitation is an approved text of the provider's (a template) and says only that an answer is there. It goes out
once for each silence; with the patient's next turn what waits leaves in its order, before the answer to that turn.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.channels import windows
from bot.conversations.models import Reply, Turn
from bot.conversations.post.models import Part, PartStatus
from bot.conversations.post.settling import prove, settle

TEXT = "outbox.text"
NO_TEMPLATE = "WhatsApp allows no free text after 24 hours of silence, and no template is set"


def hold(
    session: Session, vault: Vault, part: Part, templates: Mapping[str, str], *, at: datetime, code: str, reason: str
) -> bool:
    """Keep a part until the patient writes again and lay an invitation down; without a template it has failed."""
    template = windows.template_for(session.get_one(Reply, part.reply_id).language, templates)
    if template is None or part.template is not None:
        settle(session, vault, part, PartStatus.FAILED, at=at, code=code, reason=NO_TEMPLATE if template is None else reason)
        return False
    move(part, PartStatus.HELD)
    part.code, part.reason, part.lease_until, part.due_at = code[:20], reason[:120], None, at
    # What is still told of the first try must not be taken for news of the second one.
    part.reference, part.provider_id = secrets.token_urlsafe(18), None
    prove(session, vault, part, PartStatus.HELD.value, at)
    session.flush()
    if not _invited(session, part.thread_id):
        _invite(session, vault, part, template, at)
    return True


def release(session: Session, thread_id: int, at: datetime) -> int:
    """Let what was held leave now that the patient has written; returns how many parts."""
    held = select(Part).where(Part.thread_id == thread_id, Part.status == PartStatus.HELD.value).order_by(Part.id)
    parts = session.scalars(held.with_for_update()).all()
    for part in parts:
        move(part, PartStatus.QUEUED)
        part.due_at, part.code, part.reason = at, "", ""
    return len(parts)


def waits(session: Session, thread_id: int) -> bool:
    """Whether an answer is kept for the patient's next turn."""
    held = select(Part.id).where(Part.thread_id == thread_id, Part.status == PartStatus.HELD.value).limit(1)
    return session.scalars(held).first() is not None


def heard_at(session: Session, thread_id: int) -> datetime | None:
    """When the patient last wrote on this line."""
    return session.scalar(select(func.max(Turn.received_at)).where(Turn.thread_id == thread_id))


def _invited(session: Session, thread_id: int) -> bool:
    heard = heard_at(session, thread_id)
    sent = select(Part.id).where(Part.thread_id == thread_id, Part.template.is_not(None)).limit(1)
    return session.scalars(sent.where(Part.created_at > heard) if heard else sent).first() is not None


def _invite(session: Session, vault: Vault, part: Part, template: str, at: datetime) -> None:
    lowest = session.scalar(select(func.min(Part.place)).where(Part.reply_id == part.reply_id))
    session.add(
        Part(
            thread_id=part.thread_id,
            reply_id=part.reply_id,
            place=min(1 if lowest is None else lowest, 1) - 1,  # before its answer: 0, for another silence -1
            channel=part.channel,
            reference=secrets.token_urlsafe(18),
            sealed_text=vault.seal("", TEXT),
            template=template,
            despite_opt_out=part.despite_opt_out,
            due_at=at,
            created_at=at,
        )
    )
    session.flush()
