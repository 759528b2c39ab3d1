"""What nobody handled: turns that were neither answered nor wait with anybody. Empty at the end of every day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from bot.conversations.models import Owner, Reply, Turn, TurnStatus
from bot.conversations.post.models import HookDelivery, HookStatus
from bot.desk.models import LIVE, Case

AFTER = timedelta(minutes=2)
"""A turn younger than this is being answered."""
ATTENDED = "attended by a person"
"""The remark on what could not be read and was seen to by hand."""


class Missed(StrEnum):
    """How a turn was missed."""

    NOT_ANSWERED = "not_answered"  # nobody has even looked at it
    NOT_QUEUED = "not_queued"  # it was left to a person, and no live case holds it
    NOT_READ = "not_read"  # what the provider posted could not be read


@dataclass(frozen=True)
class NotHandled:
    """Something a patient sent that nobody handled; `id` is the turn's, or the hook's for what could not be read."""

    why: Missed
    id: int
    thread_id: int | None
    at: datetime


def not_handled(session: Session, at: datetime, limit: int = 500) -> list[NotHandled]:
    """Everything that was not handled, the oldest first."""
    found = [*_unanswered(session, at, limit), *_unqueued(session, at, limit), *_unread(session, limit)]
    return sorted(found, key=lambda one: (one.at, one.id))[:limit]


def _unanswered(session: Session, at: datetime, limit: int) -> list[NotHandled]:
    late = select(Turn).where(Turn.status == TurnStatus.STORED.value, Turn.received_at <= at - AFTER)
    turns: Sequence[Turn] = session.scalars(late.order_by(Turn.received_at).limit(limit)).all()
    return [NotHandled(Missed.NOT_ANSWERED, turn.id, turn.thread_id, turn.received_at) for turn in turns]


def _unqueued(session: Session, at: datetime, limit: int) -> list[NotHandled]:
    """Turns left to a person: not in a live case of their thread, not answered by one later, not closed with their case."""
    live = [status.value for status in LIVE]
    into = aliased(Case)
    held = (
        exists()
        .where(Case.thread_id == Turn.thread_id)
        .where(
            or_(
                Case.status.in_(live),
                Case.resolved_at >= Turn.received_at,
                exists().where(into.id == Case.merged_into, or_(into.status.in_(live), into.resolved_at >= Turn.received_at)),
            )
        )
    )
    answered = exists().where(
        and_(Reply.thread_id == Turn.thread_id, Reply.number > Turn.number, Reply.author == Owner.STAFF.value)
    )
    left = (TurnStatus.QUEUED.value, TurnStatus.FAILED.value)
    lost = select(Turn).where(Turn.status.in_(left), Turn.received_at <= at - AFTER, ~held, ~answered)
    turns = session.scalars(lost.order_by(Turn.received_at).limit(limit)).all()
    return [NotHandled(Missed.NOT_QUEUED, turn.id, turn.thread_id, turn.received_at) for turn in turns]


def _unread(session: Session, limit: int) -> list[NotHandled]:
    broken = select(HookDelivery).where(HookDelivery.status == HookStatus.BROKEN.value, HookDelivery.remark != ATTENDED)
    hooks = session.scalars(broken.order_by(HookDelivery.id).limit(limit))
    return [NotHandled(Missed.NOT_READ, hook.id, None, hook.received_at) for hook in hooks]
