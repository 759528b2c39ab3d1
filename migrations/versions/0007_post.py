"""Channels over providers: stored hooks, the outbox, and the addresses of threads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0007"
down_revision = "0006"

HOOK_KINDS = "('twilio_messages', 'twilio_status', 'sendgrid_events', 'sendgrid_inbound')"
HOOK_STATUSES = "('stored', 'applied', 'ignored', 'broken')"
PART_STATUSES = "('queued', 'submitting', 'unknown', 'sent', 'failed', 'delivered', 'withheld')"


def upgrade() -> None:
    """Add columns to threads and turns, and make the two tables."""
    op.add_column("threads", sa.Column("own_address", sa.String(255)))
    op.add_column("threads", sa.Column("sealed_address", sa.Text))
    op.add_column("threads", sa.Column("statement_at", UtcDateTime))
    op.add_column("turns", sa.Column("attached", sa.String(20)))
    op.add_column("turns", sa.Column("keyword", sa.String(10)))
    op.add_column("turns", sa.Column("sealed_letter", sa.Text))
    _hooks()
    _outbox()


def downgrade() -> None:
    """Take them back."""
    for table in ("outbox", "hook_deliveries"):
        op.drop_table(table)
    for table, columns in (
        ("turns", ("sealed_letter", "keyword", "attached")),
        ("threads", ("statement_at", "sealed_address", "own_address")),
    ):
        for column in columns:
            op.drop_column(table, column)


def _hooks() -> None:
    op.create_table(
        "hook_deliveries",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("provider_id", sa.String(80), nullable=False),
        sa.Column("sealed_content", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("remark", sa.String(40), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("applied_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_hook_deliveries"),
        sa.UniqueConstraint("kind", "provider_id", name="uq_hook_deliveries_kind_provider_id"),
        sa.CheckConstraint(f"kind IN {HOOK_KINDS}", name=op.f("ck_hook_deliveries_kind")),
        sa.CheckConstraint(f"status IN {HOOK_STATUSES}", name=op.f("ck_hook_deliveries_status")),
    )
    stored = sa.text("status = 'stored'")
    op.create_index("ix_hook_deliveries_stored", "hook_deliveries", ["id"], sqlite_where=stored, postgresql_where=stored)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", Key, nullable=False),
        sa.Column("thread_id", Key, nullable=False),
        sa.Column("reply_id", Key, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("sealed_text", sa.Text, nullable=False),
        sa.Column("sealed_letter", sa.Text),
        sa.Column("despite_opt_out", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("provider_id", sa.String(80)),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("submitted_at", UtcDateTime),
        sa.Column("settled_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name="fk_outbox_thread_id_threads", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reply_id"], ["replies.id"], name="fk_outbox_reply_id_replies", ondelete="CASCADE"),
        sa.UniqueConstraint("reference", name="uq_outbox_reference"),
        sa.UniqueConstraint("reply_id", "place", name="uq_outbox_reply_id_place"),
        sa.CheckConstraint(f"status IN {PART_STATUSES}", name=op.f("ck_outbox_status")),
    )
    op.create_index("ix_outbox_thread_id_id", "outbox", ["thread_id", "id"])
    op.create_index("ix_outbox_provider_id", "outbox", ["provider_id"])
    open_ones = sa.text("status IN ('queued', 'submitting')")
    op.create_index("ix_outbox_open", "outbox", ["channel", "due_at"], sqlite_where=open_ones, postgresql_where=open_ones)
