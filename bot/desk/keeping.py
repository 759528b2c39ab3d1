"""How long words are kept: transcripts whose time is over are emptied, notes and calls with them, unless a legal hold is on.

What stays are the rows without words: that somebody wrote, when, about which topic, what was decided and proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from bot.base import audit, leases
from bot.base.clock import Clock
from bot.base.database import Database
from bot.base.vault import Vault
from bot.conversations.models import Reply, Turn, TurnStatus
from bot.conversations.post.models import Part
from bot.conversations.post.outbox import TEXT as PART_TEXT
from bot.conversations.transcript import REPLY_TEXT
from bot.desk.hours.switches import is_on
from bot.desk.models import LIVE, Case
from bot.desk.records import NOTE, CaseCall, CaseDraft, CaseNote, StaffReply, Switch

LEASE = "desk.keeping"
LEASE_S = 300.0
EVERY = timedelta(hours=1)
BATCH = 100
"""Threads in one transaction."""


def due(session: Session, before: datetime, limit: int = BATCH) -> Sequence[int]:
    """Threads with words in which nobody wrote since then, with no case that needs a person or was closed since then."""
    live = [status.value for status in LIVE]
    into, waiting = aliased(Case), aliased(Turn)
    own = Case.status.in_(live) | (Case.resolved_at >= before)
    goes_on = exists().where(into.id == Case.merged_into, into.status.in_(live) | (into.resolved_at >= before))
    in_use = exists().where(Case.thread_id == Turn.thread_id, own | goes_on)
    unanswered = exists().where(waiting.thread_id == Turn.thread_id, waiting.status == TurnStatus.STORED.value)
    old = (
        select(Turn.thread_id)
        .where(~in_use, ~unanswered)
        .group_by(Turn.thread_id)
        .having(func.max(Turn.received_at) < before, func.count(Turn.sealed_text) > 0)
    )
    return session.scalars(old.order_by(Turn.thread_id).limit(limit)).all()


def empty(session: Session, vault: Vault, before: datetime, at: datetime, limit: int = BATCH) -> int:
    """Empty the threads whose time is over, and log how many; none while a legal hold is on. Returns how many."""
    if is_on(session, Switch.LEGAL_HOLD):
        return 0
    ids = due(session, before, limit)
    if not ids:
        return 0
    cases = select(Case.id).where(Case.thread_id.in_(ids))
    nothing = {"synchronize_session": False}
    turns = update(Turn).where(Turn.thread_id.in_(ids)).values(sealed_text=None, sealed_letter=None)
    session.execute(turns, execution_options=nothing)
    said = update(Reply).where(Reply.thread_id.in_(ids)).values(sealed_text=vault.seal("", REPLY_TEXT), choices=[])
    session.execute(said, execution_options=nothing)
    parts = update(Part).where(Part.thread_id.in_(ids)).values(sealed_text=vault.seal("", PART_TEXT), sealed_letter=None)
    session.execute(parts, execution_options=nothing)
    notes = update(CaseNote).where(CaseNote.case_id.in_(cases)).values(sealed_text=vault.seal("", NOTE))
    session.execute(notes, execution_options=nothing)
    session.execute(update(CaseCall).where(CaseCall.case_id.in_(cases)).values(sealed_text=None), execution_options=nothing)
    session.execute(update(StaffReply).where(StaffReply.case_id.in_(cases)).values(sealed_free=None), execution_options=nothing)
    session.execute(delete(CaseDraft).where(CaseDraft.case_id.in_(cases)), execution_options=nothing)
    content = {"threads": len(ids), "before": before.isoformat()}
    audit.record(session, at=at, actor="desk", kind="desk.transcripts_emptied", subject="desk", content=content, vault=vault)
    return len(ids)


class Keeping:
    """One process's rounds; of many processes one does them, under a lease."""

    def __init__(self, database: Database, vault: Vault, kept: timedelta, clock: Clock, holder: str) -> None:
        """`kept` is how long words stay after the last of them."""
        self._database, self._vault, self._kept, self._clock, self._holder = database, vault, kept, clock, holder
        self._next: datetime | None = None

    def tick(self) -> int:
        """One round, if it is time and the lease is ours; returns how many threads were emptied."""
        at = self._clock()
        if self._next is not None and self._next - EVERY <= at < self._next:
            return 0
        self._next = at + EVERY
        emptied = 0
        while True:
            with self._database.writing() as session:
                if not leases.take(session, name=LEASE, holder=self._holder, at=self._clock(), seconds=LEASE_S):
                    return emptied
                done = empty(session, self._vault, at - self._kept, self._clock())
            emptied += done
            if done < BATCH:
                return emptied
