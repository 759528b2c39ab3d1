"""Hooks stored as they come, and turned into turns and evidence afterwards.

Storing is all that a provider waits for. Everything else happens from the rows, in the order they were
stored, each in one step with its mark: a crash at any moment loses nothing and doubles nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.base.lifecycle import move
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import Channel, HookKind, Kept, of_hook
from bot.conversations.post import arrivals, receipts
from bot.conversations.post.models import HookDelivery, HookStatus

log = logging.getLogger(__name__)

CONTENT = "hook_deliveries.content"
TRIES = 5
BATCH = 50


@dataclass(frozen=True)
class Desk:
    """What reading a hook needs."""

    channels: Mapping[str, Channel]
    vault: Vault
    index: BlindIndex


def store(session: Session, vault: Vault, arrived: Sequence[tuple[HookKind, Kept]], at: datetime) -> int:
    """Keep hooks, each once by its id; returns how many were new."""
    rows = [
        {
            "kind": kind.value,
            "provider_id": kept.provider_id[:80],
            "sealed_content": vault.seal(json.dumps(dict(kept.content), ensure_ascii=True), CONTENT),
            "status": HookStatus.STORED.value,
            "remark": "",
            "attempts": 0,
            "received_at": at,
        }
        for kind, kept in arrived
    ]
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(HookDelivery).on_conflict_do_nothing(index_elements=["kind", "provider_id"]).returning(HookDelivery.id)
    return sum(session.execute(statement, [row]).first() is not None for row in rows)


def waiting(session: Session) -> bool:
    """Whether a stored hook waits to be applied."""
    return (
        session.scalars(select(HookDelivery.id).where(HookDelivery.status == HookStatus.STORED.value).limit(1)).first()
        is not None
    )


def apply(session: Session, desk: Desk, at: datetime) -> tuple[int, set[int]]:
    """Apply the oldest stored hooks; returns how many, and the threads that have a new turn.

    One that cannot be read stops no other: it is tried again a few times, then set aside.
    """
    oldest = select(HookDelivery).where(HookDelivery.status == HookStatus.STORED.value).order_by(HookDelivery.id).limit(BATCH)
    rows = session.scalars(oldest.with_for_update(skip_locked=True)).all()
    touched: set[int] = set()
    for row in rows:
        row.attempts += 1
        session.flush()
        try:
            with session.begin_nested():
                threads, remark = _read(session, desk, row, at)
                row.remark = remark
                move(row, HookStatus.IGNORED if remark else HookStatus.APPLIED)
                row.applied_at = at
            touched |= threads
        except Exception as broken:  # whatever a provider sends, the others must be read
            session.refresh(row)
            log.error("hook delivery %d could not be applied: %s", row.id, type(broken).__name__)
            if row.attempts >= TRIES:
                row.remark = type(broken).__name__[:40]
                move(row, HookStatus.BROKEN)
    return len(rows), touched


def _read(session: Session, desk: Desk, row: HookDelivery, at: datetime) -> tuple[set[int], str]:
    content: dict[str, str] = json.loads(desk.vault.open(row.sealed_content, CONTENT))
    kind = HookKind(row.kind)
    touched: set[int] = set()
    remarks: list[str] = []
    found = 0
    for channel in of_hook(desk.channels, kind):
        if kind in arrivals.KINDS:
            for incoming in channel.parse_incoming(content):
                found += 1
                thread_id, remark = arrivals.take_in(session, desk.vault, desk.index, incoming, received_at=row.received_at)
                touched |= {thread_id} if thread_id else set()
                remarks += [remark] if remark else []
        else:
            for event in channel.parse_events(content):
                found += 1
                remark = receipts.apply(session, desk.vault, event, channel.name, at)
                remarks += [remark] if remark else []
    if not found:
        return touched, "nothing_known"
    # Of a post of many events one that is ours makes it applied.
    return touched, remarks[0] if len(remarks) == found else ""
