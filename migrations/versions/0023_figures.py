"""Indexes from which the wallboard counts: what came in a span of time, and what was said."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"

TURNS = ("received_at", "topic", "language", "thread_id", "status")


def upgrade() -> None:
    """The index of turns holds all that is counted of them, so that their sealed texts need not be read past."""
    op.create_index("ix_turns_received_at", "turns", list(TURNS))
    op.create_index("ix_replies_created_at", "replies", ["created_at"])


def downgrade() -> None:
    """Count by reading everything again."""
    op.drop_index("ix_replies_created_at", "replies")
    op.drop_index("ix_turns_received_at", "turns")
