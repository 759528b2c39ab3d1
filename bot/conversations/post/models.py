"""The rows of the post: hooks as providers made them, and the parts in which replies leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.channels.base import HookKind


class HookStatus(StrEnum):
    """What was done with a provider's hook."""

    STORED = "stored"  # kept and acknowledged; nobody has looked at it yet
    HELD = "held"  # too many came at once: it is read when there is room again; `remark` says of what there were too many
    APPLIED = "applied"  # its turns are stored, its events are with their parts
    IGNORED = "ignored"  # nothing of ours in it, or no person wrote it; `remark` says which
    BROKEN = "broken"  # it could not be read after several tries; kept for people


class HookDelivery(Base):
    """One authentic request of a provider, kept as it came and never changed."""

    __tablename__ = "hook_deliveries"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str] = mapped_column(String(80))  # the provider's id, or a digest: a repeat is not stored twice
    sealed_content: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10), default=HookStatus.STORED)
    remark: Mapped[str] = mapped_column(String(40), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    domain_index: Mapped[str | None] = mapped_column(String(80))  # keyed hash of the domain an e-mail came from
    emptied_at: Mapped[datetime | None]  # since then the content is gone, and the row only proves that it came

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        HookStatus.STORED: frozenset({HookStatus.HELD, HookStatus.APPLIED, HookStatus.IGNORED, HookStatus.BROKEN}),
        HookStatus.HELD: frozenset({HookStatus.STORED}),
    }

    __table_args__ = (
        one_of("status", HookStatus),
        one_of("kind", HookKind),
        UniqueConstraint("kind", "provider_id"),
        Index(
            "ix_hook_deliveries_stored", "id", sqlite_where=text("status = 'stored'"), postgresql_where=text("status = 'stored'")
        ),
        Index("ix_hook_deliveries_held", "id", sqlite_where=text("status = 'held'"), postgresql_where=text("status = 'held'")),
        Index("ix_hook_deliveries_domain_index_applied_at", "domain_index", "applied_at"),
        Index("ix_hook_deliveries_emptied_at_received_at", "emptied_at", "received_at"),
    )


class PartStatus(StrEnum):
    """Where a part of a reply is on its way to the patient."""

    QUEUED = "queued"  # waits for its turn; nothing was sent
    HELD = "held"  # the channel takes it only after the patient has written again; an invitation to do so went out
    SUBMITTING = "submitting"  # being handed to the provider; committed before the call
    UNKNOWN = "unknown"  # the call broke off: sent or not, only evidence settles it
    SENT = "sent"  # the provider has it
    FAILED = "failed"  # it did not arrive and is not sent again; `reason` says why
    DELIVERED = "delivered"  # the handset or mailbox has it
    WITHHELD = "withheld"  # not sent by our own decision: the patient opted out


LOOKED_FOR = text("attended_at IS NULL AND status IN ('failed', 'unknown', 'held', 'queued')")
_SETTLED = frozenset({PartStatus.SENT, PartStatus.FAILED, PartStatus.DELIVERED})


class Part(Base):
    """One part of a reply on a channel over a provider: the outbox, and what became of it."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    reply_id: Mapped[int] = mapped_column(ForeignKey("replies.id", ondelete="CASCADE"))
    place: Mapped[int]  # 1 is the first part of its reply
    channel: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(40), unique=True)  # opaque; travels with it and comes back with events
    sealed_text: Mapped[str] = mapped_column(Text)
    sealed_letter: Mapped[str | None] = mapped_column(Text)  # the e-mail it answers: ids and subject
    template: Mapped[str | None] = mapped_column(String(40))  # the provider's id of an approved text, sent instead of our own
    despite_opt_out: Mapped[bool] = mapped_column(default=False)  # help in an emergency, or the confirmation itself
    status: Mapped[str] = mapped_column(String(10), default=PartStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]  # not before
    lease_until: Mapped[datetime | None]  # whoever submits it is believed to live until then
    provider_id: Mapped[str | None] = mapped_column(String(80))
    code: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    attended_at: Mapped[datetime | None]  # when a person was asked to see to it, because it did not arrive

    # Evidence may come before the call returns, in any order and long after; delivered outweighs all, and nothing goes back.
    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        PartStatus.QUEUED: frozenset({PartStatus.SUBMITTING, PartStatus.HELD, PartStatus.WITHHELD, *_SETTLED}),
        PartStatus.HELD: frozenset({PartStatus.QUEUED}),
        PartStatus.SUBMITTING: frozenset({PartStatus.QUEUED, PartStatus.HELD, PartStatus.UNKNOWN, *_SETTLED}),
        PartStatus.UNKNOWN: frozenset({PartStatus.HELD, *_SETTLED}),
        PartStatus.SENT: frozenset({PartStatus.HELD, PartStatus.FAILED, PartStatus.DELIVERED}),
        PartStatus.FAILED: frozenset({PartStatus.DELIVERED}),
    }

    __table_args__ = (
        one_of("status", PartStatus),
        UniqueConstraint("reply_id", "place"),
        Index("ix_outbox_thread_id_id", "thread_id", "id"),
        Index("ix_outbox_provider_id", "provider_id"),
        Index(
            "ix_outbox_open",
            "channel",
            "due_at",
            sqlite_where=text("status IN ('queued', 'submitting')"),
            postgresql_where=text("status IN ('queued', 'submitting')"),
        ),
        Index("ix_outbox_created_at", "created_at", "channel", "status"),  # all that figures count
        Index("ix_outbox_looked_for", "id", sqlite_where=LOOKED_FOR, postgresql_where=LOOKED_FOR),
    )


OPEN = Part.status.in_([literal_column("'queued'"), literal_column("'submitting'")])
"""The condition of the index of open parts in its own words: SQLite uses such an index for nothing else."""
