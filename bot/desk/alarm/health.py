"""Whether each part that serves patients does its work, read from what it left in the database. No secrets, no patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.audit import AuditEntry
from bot.base.leases import Lease
from bot.base.vault import Vault
from bot.conversations.post.models import HookDelivery, HookStatus, Part, PartStatus
from bot.desk.alarm import paging, silence
from bot.desk.hours.calendar import DEFAULT_HOURS, Hours
from bot.desk.sight.handled import not_handled
from bot.desk.sight.load import load

WATCH = "desk.watch"
SLOW = timedelta(minutes=2)
"""What waits longer than this does not only wait for its turn."""
LATELY = timedelta(hours=1)


@dataclass(frozen=True)
class Sign:
    """One part: `well` is None for what deserves a look; `key` and `values` are the sentence about it."""

    part: str
    well: bool | None
    key: str
    values: Mapping[str, int | str] = field(default_factory=dict)


def signs(session: Session, vault: Vault, at: datetime, hours: Hours = DEFAULT_HOURS) -> list[Sign]:
    """Every part, in the order in which a patient meets them."""
    return [
        _answers(session, at),
        _worker(session, at),
        *_outbox(session, at),
        _hooks(session, at),
        _pager(session, vault, at),
        _queue(session, at, hours),
        _unhandled(session, at),
        _seal(session, at),
    ]


def _answers(session: Session, at: datetime) -> Sign:
    found = silence.heard(session, at)
    if found.unanswered:
        return Sign("answers", False, "unanswered", {"n": found.unanswered})
    if found.only_apologies:
        return Sign("answers", False, "only_apologies", {"n": found.only_apologies})
    return Sign("answers", True, "well")


def _worker(session: Session, at: datetime) -> Sign:
    lease = session.get(Lease, WATCH)
    if lease is None or lease.until <= at:
        return Sign("worker", False, "worker_gone")
    return Sign("worker", True, "well")


def _outbox(session: Session, at: datetime) -> list[Sign]:
    stuck = select(func.count()).select_from(Part).where(Part.status == PartStatus.QUEUED.value, Part.created_at <= at - SLOW)
    waiting = session.scalar(stuck) or 0
    counted = (
        select(Part.channel, Part.status, func.count()).where(Part.created_at > at - LATELY).group_by(Part.channel, Part.status)
    )
    rows = [(channel, status, number) for channel, status, number in session.execute(counted)]
    found = [Sign("outbox", not waiting, "waiting_to_leave" if waiting else "well", {"n": waiting})]
    for channel in sorted({row[0] for row in rows}):
        whole = sum(number for name, _, number in rows if name == channel)
        failed = sum(number for name, status, number in rows if name == channel and status == PartStatus.FAILED.value)
        well = True if not failed else (False if failed * 4 >= whole else None)
        found.append(Sign(f"channel_{channel}", well, "failed_of" if failed else "well", {"n": failed, "of": whole}))
    return found


def _hooks(session: Session, at: datetime) -> Sign:
    late = (HookDelivery.status == HookStatus.STORED.value, HookDelivery.received_at <= at - SLOW)
    waiting = session.scalar(select(func.count()).select_from(HookDelivery).where(*late)) or 0
    return Sign("hooks", not waiting, "not_read" if waiting else "well", {"n": waiting})


def _pager(session: Session, vault: Vault, at: datetime) -> Sign:
    found = paging.trouble(session, vault, at)
    if found.failed or found.stuck:
        return Sign("pager", False, "calls_do_not_leave", {"failed": found.failed, "stuck": found.stuck})
    return Sign("pager", False, "nobody_to_call") if found.nobody else Sign("pager", True, "well")


def _queue(session: Session, at: datetime, hours: Hours) -> Sign:
    found = load(session, at, hours)
    on_duty, urgent = found.staff_on_duty, found.urgent_waiting
    values = {"waiting": found.waiting, "urgent": urgent, "breached": found.breached, "on_duty": on_duty}
    well = False if urgent and not on_duty else (not found.breached or None)
    return Sign("queue", well, "queue", values)


def _unhandled(session: Session, at: datetime) -> Sign:
    number = len(not_handled(session, at))
    return Sign("unhandled", not number or None, "not_handled" if number else "well", {"n": number})


def _seal(session: Session, at: datetime) -> Sign:
    open_ones = select(func.count()).select_from(AuditEntry).where(AuditEntry.sequence.is_(None), AuditEntry.at <= at - SLOW)
    number = session.scalar(open_ones) or 0
    return Sign("seal", not number, "not_sealed" if number else "well", {"n": number})
