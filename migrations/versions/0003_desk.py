"""The desk: cases and their reasons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "cases",
        sa.Column("id", Key, nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("thread_id", Key, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("turn_id", Key),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("waiting_since", UtcDateTime, nullable=False),
        sa.Column("first_response_due_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name="fk_cases_thread_id_threads"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_cases_turn_id_turns", ondelete="SET NULL"),
        sa.UniqueConstraint("number", name="uq_cases_number"),
        sa.CheckConstraint("status IN ('open', 'claimed', 'resolved')", name=op.f("ck_cases_status")),
    )
    unresolved = sa.text("status <> 'resolved'")
    op.create_index(
        "uq_cases_unresolved_thread",
        "cases",
        ["thread_id"],
        unique=True,
        sqlite_where=unresolved,
        postgresql_where=unresolved,
    )
    op.create_index("ix_cases_queue", "cases", ["status", "priority", "waiting_since"])
    op.create_table(
        "case_reasons",
        sa.Column("id", Key, nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("turn_id", Key),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_reasons"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_reasons_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_case_reasons_turn_id_turns", ondelete="SET NULL"),
    )
    op.create_index("ix_case_reasons_case_id", "case_reasons", ["case_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("case_reasons")
    op.drop_table("cases")
