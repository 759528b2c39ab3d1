"""Threads, sessions, turns and replies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0002"
down_revision = "0001"

OWNERS = "('bot', 'verifying', 'staff')"
TURN_STATUSES = "('stored', 'answered', 'queued', 'failed')"


def upgrade() -> None:
    """Make the four tables."""
    _threads()
    _sessions()
    _turns()
    _replies()


def downgrade() -> None:
    """Drop them."""
    for table in ("replies", "turns", "sessions", "threads"):
        op.drop_table(table)


def _threads() -> None:
    op.create_table(
        "threads",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address_index", sa.String(80), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("language_chosen", sa.Boolean, nullable=False),
        sa.Column("owner", sa.String(10), nullable=False),
        sa.Column("opted_out_at", UtcDateTime),
        sa.Column("last_number", sa.Integer, nullable=False),
        sa.Column("lease_token", sa.String(32)),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_threads"),
        sa.UniqueConstraint("address_index", name="uq_threads_address_index"),
        sa.CheckConstraint(f"owner IN {OWNERS}", name=op.f("ck_threads_owner")),
        sqlite_autoincrement=True,
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", Key, nullable=False),
        sa.Column("thread_id", Key, nullable=False),
        sa.Column("engine_key", sa.String(40), nullable=False),
        sa.Column("engine_turns", sa.Integer, nullable=False),
        sa.Column("misses", sa.Integer, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("active_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name="fk_sessions_thread_id_threads", ondelete="CASCADE"),
    )
    op.create_index("ix_sessions_thread_id_id", "sessions", ["thread_id", "id"])


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", Key, nullable=False),
        sa.Column("thread_id", Key, nullable=False),
        sa.Column("session_id", Key),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("external_id", sa.String(80), nullable=False),
        sa.Column("sealed_text", sa.Text),
        sa.Column("choice", sa.String(40)),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("topic", sa.String(60)),
        sa.Column("confidence", sa.Double),
        sa.Column("ranking", sa.JSON),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("answered_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name="fk_turns_thread_id_threads", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_turns_session_id_sessions", ondelete="SET NULL"),
        sa.UniqueConstraint("thread_id", "external_id", name="uq_turns_thread_id_external_id"),
        sa.UniqueConstraint("thread_id", "number", name="uq_turns_thread_id_number"),
        sa.CheckConstraint(f"status IN {TURN_STATUSES}", name=op.f("ck_turns_status")),
    )
    waiting = sa.text("status = 'stored'")
    op.create_index("ix_turns_waiting", "turns", ["thread_id", "number"], sqlite_where=waiting, postgresql_where=waiting)


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column("id", Key, nullable=False),
        sa.Column("thread_id", Key, nullable=False),
        sa.Column("session_id", Key),
        sa.Column("turn_id", Key),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("author", sa.String(10), nullable=False),
        sa.Column("say", sa.JSON, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("publication_id", Key, nullable=False),
        sa.Column("sealed_text", sa.Text, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replies"),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name="fk_replies_thread_id_threads", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_replies_session_id_sessions", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_replies_turn_id_turns", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name="fk_replies_publication_id_publications"),
        sa.UniqueConstraint("turn_id", name="uq_replies_turn_id"),
        sa.UniqueConstraint("thread_id", "number", name="uq_replies_thread_id_number"),
        sa.CheckConstraint(f"author IN {OWNERS}", name=op.f("ck_replies_author")),
    )
