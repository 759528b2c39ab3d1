"""What is sent for identity checks, taken up from its rows and concluded after the call, as the outbox does it.

A row for nobody is worked off like the others and ends as `withheld`. Whatever ends wipes the code. A call that broke off is
never repeated: a second code would only puzzle, and the patient can ask for a new one.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import AccountFailure, ChannelError, OutcomeUnknown, TemporaryFailure, Unconfigured
from bot.base.languages import Language
from bot.base.lifecycle import may_move, move
from bot.base.vault import Vault
from bot.channels.base import DeliveryEvent, Outcome, Sent
from bot.identity.codes import GOOD_FOR
from bot.identity.models import CODE, CheckStatus, CodeDispatch, DispatchKind, DispatchStatus, Way
from bot.identity.models import Check as IdentityCheck
from bot.patients.finding import address_of
from bot.patients.models import ContactPoint

log = logging.getLogger(__name__)

CHANNEL = {Way.MOBILE: "sms", Way.EMAIL: "email"}
_TO = {
    Outcome.SENT: DispatchStatus.SENT,
    Outcome.DELIVERED: DispatchStatus.DELIVERED,
    Outcome.FAILED: DispatchStatus.FAILED,
}
WORDING = {DispatchKind.CODE: "one_time_code", DispatchKind.NOTE: "verified_elsewhere"}
LEASE = timedelta(seconds=90)
"""Longer than any provider's time-out."""
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 60.0
KEPT = timedelta(days=8)
"""The limits need them for a day; for a week "not me" is taken for an answer to a note. The sealed log keeps what happened."""
BROKEN_OFF = "whoever was sending it stopped in the middle"


@dataclass(frozen=True)
class Job:
    """One thing to be sent now."""

    dispatch_id: int
    channel: str
    wording: str
    language: Language
    reference: str
    their: str = field(repr=False)
    values: dict[str, str] = field(repr=False)


def waiting(session: Session, at: datetime) -> bool:
    """Whether anything is to be sent or buried now."""
    due = select(CodeDispatch.id).where(CodeDispatch.status == DispatchStatus.QUEUED.value, CodeDispatch.due_at <= at)
    lost = select(CodeDispatch.id).where(CodeDispatch.status == DispatchStatus.SUBMITTING.value, CodeDispatch.lease_until <= at)
    return session.scalar(due.limit(1)) is not None or session.scalar(lost.limit(1)) is not None


def take(session: Session, vault: Vault, *, limit: int, at: datetime) -> list[Job]:
    """Commit up to `limit` rows as being sent; what is for nobody, or too late, ends here."""
    due = select(CodeDispatch).where(CodeDispatch.status == DispatchStatus.QUEUED.value, CodeDispatch.due_at <= at)
    rows = session.scalars(due.order_by(CodeDispatch.id).limit(limit).with_for_update(skip_locked=True)).all()
    return [job for row in rows if (job := _begin(session, vault, row, at))]


def _begin(session: Session, vault: Vault, row: CodeDispatch, at: datetime) -> Job | None:
    point = session.get(ContactPoint, row.contact_point_id) if row.contact_point_id else None
    if point is None or point.retired_at is not None:
        _settle(session, vault, row, DispatchStatus.WITHHELD, at)
        return None
    if at >= row.until or _superseded(session, row):
        _settle(session, vault, row, DispatchStatus.FAILED, at, reason="its time has passed")
        return None
    values = {}
    if row.sealed_code:
        values = {"code": vault.open(row.sealed_code, CODE), "minutes": str(int(GOOD_FOR.total_seconds() // 60))}
    move(row, DispatchStatus.SUBMITTING)
    row.attempts += 1
    row.lease_until = at + LEASE
    wording, channel = WORDING[DispatchKind(row.kind)], CHANNEL[Way(row.way)]
    return Job(row.id, channel, wording, Language(row.language), row.reference, address_of(point, vault), values)


def _superseded(session: Session, row: CodeDispatch) -> bool:
    """Whether a code is not worth sending any more: its check has ended or asked for another one."""
    if row.kind != DispatchKind.CODE:
        return False
    check = session.get_one(IdentityCheck, row.check_id)
    return check.status != CheckStatus.CODE or check.code_until != row.until


def conclude(session: Session, vault: Vault, job: Job, result: Sent | ChannelError, at: datetime) -> DispatchStatus:
    """Write down what came of the call, and wipe the code unless it is tried again."""
    row = session.get_one(CodeDispatch, job.dispatch_id, with_for_update=True)
    row.lease_until = None
    if row.status != DispatchStatus.SUBMITTING:  # buried, or settled by evidence, meanwhile
        if isinstance(result, Sent):
            row.provider_id = row.provider_id or result.provider_id or None
        return DispatchStatus(row.status)
    match result:
        case Sent():
            row.provider_id = result.provider_id or None
            _settle(session, vault, row, DispatchStatus.SENT, at)
        case OutcomeUnknown():
            _settle(session, vault, row, DispatchStatus.UNKNOWN, at, result.code, result.reason)
        case TemporaryFailure() | AccountFailure() | Unconfigured():
            if not isinstance(result, TemporaryFailure):
                log.error("codes cannot be sent over %s: %s", job.channel, result)
            _again(row, result, at)
        case _:
            _settle(session, vault, row, DispatchStatus.FAILED, at, result.code, result.reason)
    return DispatchStatus(row.status)


def _again(row: CodeDispatch, result: ChannelError, at: datetime) -> None:
    wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (row.attempts - 1)) * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
    wait = max(wait, result.retry_after_s) if isinstance(result, TemporaryFailure) else wait
    move(row, DispatchStatus.QUEUED)
    row.due_at, row.code, row.reason = at + timedelta(seconds=wait), result.code[:20], result.reason[:120]


def _settle(
    session: Session, vault: Vault, row: CodeDispatch, to: DispatchStatus, at: datetime, code: str = "", reason: str = ""
) -> None:
    move(row, to)
    row.sealed_code, row.lease_until, row.settled_at = None, None, at
    row.code, row.reason = code[:20], reason[:120]
    content = {"check": row.check_id, "dispatch": row.id, "kind": row.kind, "way": row.way, "code": row.code}
    subject = f"thread:{row.thread_id}"
    kind = f"identity.dispatch_{to.value}"
    audit.record(session, at=at, actor="assistant", kind=kind, subject=subject, content=content, vault=vault)


def heard(session: Session, vault: Vault, event: DeliveryEvent, channel: str, at: datetime) -> bool:
    """Move the code or note that a delivery event is about as far as the event proves; False when it is about none.

    Nobody in a chat is told: that a code could not be delivered would tell that there is somebody on file.
    """
    row = _meant(session, event, channel)
    if row is None:
        return False
    row.provider_id = row.provider_id or event.provider_id or None
    to = _TO[event.outcome]
    if may_move(row, to):
        _settle(session, vault, row, to, at, event.code, event.reason)
    return True


def _meant(session: Session, event: DeliveryEvent, channel: str) -> CodeDispatch | None:
    found = None
    if event.reference:
        found = session.scalars(select(CodeDispatch).where(CodeDispatch.reference == event.reference).with_for_update()).first()
    if found is None and event.provider_id:
        way = next((way for way, name in CHANNEL.items() if name == channel), None)
        named = select(CodeDispatch).where(CodeDispatch.provider_id == event.provider_id, CodeDispatch.way == way)
        found = session.scalars(named.with_for_update()).first()
    return found


def bury(session: Session, vault: Vault, at: datetime) -> int:
    """Mark as unknown what somebody was sending who is no longer there; returns how many."""
    lost = select(CodeDispatch).where(CodeDispatch.status == DispatchStatus.SUBMITTING.value, CodeDispatch.lease_until <= at)
    rows: Sequence[CodeDispatch] = session.scalars(lost.with_for_update(skip_locked=True)).all()
    for row in rows:
        _settle(session, vault, row, DispatchStatus.UNKNOWN, at, reason=BROKEN_OFF)
    return len(rows)


def forget(session: Session, at: datetime) -> int:
    """Delete rows that no limit counts any more; returns how many."""
    old = delete(CodeDispatch).where(CodeDispatch.created_at <= at - KEPT, CodeDispatch.settled_at.is_not(None))
    return len(session.execute(old.returning(CodeDispatch.id)).all())
