"""The outbox: replies laid down in parts, taken up in order, and concluded after the call.

A part is committed as `submitting` before the provider is called. When the call breaks off, or whoever
made it dies, the part is `unknown`: evidence settles it (its reference travels with it), and it is never
sent again blindly.
"""

from __future__ import annotations

import json
import logging
import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from bot.base.errors import (
    AccountFailure,
    ChannelError,
    OptedOut,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
    Unconfigured,
)
from bot.base.languages import Language
from bot.base.lifecycle import may_move, move
from bot.base.vault import Vault
from bot.channels import windows
from bot.channels.base import Outgoing, Sent, Template
from bot.channels.shapes import LIMITS, shape
from bot.conversations.models import Reply, Thread, Turn
from bot.conversations.post import invitations
from bot.conversations.post.arrivals import ADDRESS, LETTER
from bot.conversations.post.models import LOOKED_FOR, OPEN, Part, PartStatus
from bot.conversations.post.settling import settle

log = logging.getLogger(__name__)

TEXT = invitations.TEXT
LEASE = timedelta(seconds=90)
"""Longer than any provider's time-out: after that whoever called is dead, or as good as that."""
TRIES = 6
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
MEND_WAIT_S = 300.0
"""How long everything waits for an operator before our account is tried again."""
FAILED_FOR = timedelta(minutes=1)
"""How long a failure stands before a person is told: evidence comes in any order, and `delivered` outweighs it."""
UNKNOWN_FOR = timedelta(minutes=15)
QUEUED_FOR = timedelta(minutes=30)
"""Longer than all tries of a temporary failure take; what still waits then waits for an operator."""
HELD_FOR = timedelta(hours=24)
"""How long an invitation may stay unanswered before a person looks for another way."""
CHANNELS = frozenset(LIMITS)
"""Channels whose replies leave through the outbox."""

OPTED_OUT = "the patient stopped messages on this channel"
TOO_LATE = "WhatsApp allows no free text after 24 hours of silence"
BROKEN_OFF = "whoever was sending it stopped in the middle"


@dataclass(frozen=True)
class Taken:
    """A part that may be sent now."""

    part_id: int
    channel: str
    outgoing: Outgoing


def lay(
    session: Session, vault: Vault, reply: Reply, *, channel: str, text: str, despite_opt_out: bool, at: datetime
) -> list[Part]:
    """Lay a reply's parts down in the transaction that writes the reply; nothing for a channel that needs none."""
    if channel not in CHANNELS:
        return []
    session.flush()
    letter, labels = _letter(session, reply.thread_id), [choice["label"] for choice in reply.choices]
    parts = [
        Part(
            thread_id=reply.thread_id,
            reply_id=reply.id,
            place=place,
            channel=channel,
            reference=secrets.token_urlsafe(18),
            sealed_text=vault.seal(piece, TEXT),
            sealed_letter=letter,
            despite_opt_out=despite_opt_out,
            due_at=at,
            created_at=at,
        )
        for place, piece in enumerate(shape(channel, text, labels, Language(reply.language)), start=1)
    ]
    for part in parts:
        session.add(part)
        session.flush()  # one by one: ids tell the order
    return parts


def take(
    session: Session, vault: Vault, *, channel: str, limit: int, at: datetime, templates: Mapping[str, str] | None = None
) -> list[Taken]:
    """Commit up to `limit` parts as being sent: of each thread only the earliest that is still open, in its turn."""
    earlier = aliased(Part)
    still_open = (PartStatus.QUEUED.value, PartStatus.SUBMITTING.value)
    before = exists().where(earlier.thread_id == Part.thread_id, earlier.id < Part.id, earlier.status.in_(still_open))
    due = (
        select(Part)
        .where(Part.channel == channel, OPEN, Part.status == PartStatus.QUEUED.value, Part.due_at <= at, ~before)
        .order_by(Part.id)
        .with_for_update(skip_locked=True, of=Part)
    )
    taken: list[Taken] = []
    while len(taken) < limit:
        parts = session.scalars(due.limit(limit - len(taken))).all()
        for part in parts:
            one = _begin(session, vault, part, at, templates or {})
            taken += [one] if one else []
        session.flush()
        if not parts:  # what was withheld or held made room for the part behind it
            break
    return taken


def _begin(session: Session, vault: Vault, part: Part, at: datetime, templates: Mapping[str, str]) -> Taken | None:
    thread = session.get_one(Thread, part.thread_id)
    heard = invitations.heard_at(session, thread.id)
    if thread.opted_out_at is not None and not part.despite_opt_out:
        settle(session, vault, part, PartStatus.WITHHELD, at=at, reason=OPTED_OUT)
        return None
    if part.template is None and not windows.is_open(part.channel, heard, at):
        invitations.hold(session, vault, part, templates, at=at, code=windows.CLOSED, reason=TOO_LATE)
        return None
    move(part, PartStatus.SUBMITTING)
    part.attempts += 1
    part.submitted_at, part.lease_until = at, at + LEASE
    return Taken(part.id, part.channel, _outgoing(vault, thread, part, heard))


def conclude(
    session: Session,
    vault: Vault,
    taken: Taken,
    result: Sent | ChannelError,
    at: datetime,
    templates: Mapping[str, str] | None = None,
) -> Part:
    """Write down what came of the call; evidence that came meanwhile stays."""
    part = session.get_one(Part, taken.part_id, with_for_update=True)
    part.lease_until = None
    match result:
        case Sent():
            part.provider_id = result.provider_id or part.provider_id
            settle(session, vault, part, PartStatus.SENT, at=at)
        case TemporaryFailure() if result.is_limit or part.attempts < TRIES:
            _again(part, result, at + timedelta(seconds=_wait_s(part.attempts, result)))
            part.attempts -= result.is_limit
        case AccountFailure() | Unconfigured():
            log.error("channel %s: %s", part.channel, result)
            _again(part, result, at + timedelta(seconds=MEND_WAIT_S))
            part.attempts -= 1
        case OutcomeUnknown():
            _unknown(part, result.code, result.reason)
        case OptedOut():
            thread = session.get_one(Thread, part.thread_id)
            thread.opted_out_at = thread.opted_out_at or at
            settle(session, vault, part, PartStatus.FAILED, at=at, code=result.code, reason=result.reason)
        case PermanentFailure() if result.code in windows.SHUT and may_move(part, PartStatus.HELD):
            invitations.hold(session, vault, part, templates or {}, at=at, code=result.code, reason=result.reason)
        case PermanentFailure() | ChannelError():
            settle(session, vault, part, PartStatus.FAILED, at=at, code=result.code, reason=result.reason)
    return part


def bury(session: Session, at: datetime) -> list[int]:
    """Mark as unknown what somebody was sending who is no longer there; returns the parts."""
    lost = select(Part).where(OPEN, Part.status == PartStatus.SUBMITTING.value, Part.lease_until <= at)
    parts = session.scalars(lost.with_for_update(skip_locked=True)).all()
    for part in parts:
        _unknown(part, "", BROKEN_OFF)
        part.lease_until = None
    return [part.id for part in parts]


def waiting(session: Session, *, at: datetime) -> bool:
    """Whether anything is to be sent or buried now."""
    due = select(Part.id).where(OPEN, Part.status == PartStatus.QUEUED.value, Part.due_at <= at).limit(1)
    lost = select(Part.id).where(OPEN, Part.status == PartStatus.SUBMITTING.value, Part.lease_until <= at).limit(1)
    return session.scalars(due).first() is not None or session.scalars(lost).first() is not None


def overdue(session: Session, *, at: datetime, limit: int = 100) -> list[Part]:
    """Parts that did not arrive, or have waited too long, and of which nobody was told yet; the oldest first."""
    late = or_(
        and_(Part.status == PartStatus.FAILED.value, Part.settled_at <= at - FAILED_FOR),
        and_(Part.status == PartStatus.UNKNOWN.value, Part.submitted_at <= at - UNKNOWN_FOR),
        and_(Part.status == PartStatus.QUEUED.value, Part.created_at <= at - QUEUED_FOR),
        and_(Part.status == PartStatus.HELD.value, Part.due_at <= at - HELD_FOR),
    )
    return list(session.scalars(select(Part).where(LOOKED_FOR, late).order_by(Part.id).limit(limit)))


def counts(session: Session) -> dict[str, int]:
    """How many parts are in each status."""
    found = session.execute(select(Part.status, func.count()).group_by(Part.status))
    return {row[0]: row[1] for row in found}


def troubled(session: Session, statuses: Sequence[PartStatus], limit: int = 100) -> list[Part]:
    """Parts that ended in one of these statuses, newest first, for people to look at."""
    found = select(Part).where(Part.status.in_([status.value for status in statuses])).order_by(Part.id.desc()).limit(limit)
    return list(session.scalars(found))


def _again(part: Part, result: ChannelError, due_at: datetime) -> None:
    if part.status == PartStatus.SUBMITTING.value:
        move(part, PartStatus.QUEUED)
        part.due_at, part.code, part.reason = due_at, result.code[:20], result.reason[:120]


def _unknown(part: Part, code: str, reason: str) -> None:
    if part.status == PartStatus.SUBMITTING.value:
        move(part, PartStatus.UNKNOWN)
        part.code, part.reason = code[:20], reason[:120]


def _wait_s(attempts: int, result: TemporaryFailure) -> float:
    # With jitter: what failed together must not come back together.
    wait: float = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** max(0, attempts - 1))
    return max(result.retry_after_s, wait * random.uniform(0.75, 1.25))  # noqa: S311 - jitter is no secret


def _letter(session: Session, thread_id: int) -> str | None:
    newest = select(Turn.sealed_letter).where(Turn.thread_id == thread_id).order_by(Turn.number.desc()).limit(1)
    return session.scalars(newest).first()


def _outgoing(vault: Vault, thread: Thread, part: Part, heard: datetime | None) -> Outgoing:
    return Outgoing(
        own=thread.own_address or "",
        their=vault.open(thread.sealed_address or "", ADDRESS),
        text=vault.open(part.sealed_text, TEXT),
        reference=part.reference,
        heard_at=heard,
        letter=json.loads(vault.open(part.sealed_letter, LETTER)) if part.sealed_letter else {},
        template=Template(part.template) if part.template else None,
    )
