"""SendGrid's suppression lists as they were read, and how far."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "suppressions",
        sa.Column("entry", sa.String(80), nullable=False),
        sa.Column("listed", sa.String(20), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("read_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("entry", "listed", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "suppression_readings",
        sa.Column("listed", sa.String(20), nullable=False),
        sa.Column("since", Key, nullable=False),
        sa.Column("newest", Key, nullable=False),
        sa.Column("skip", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("listed", name=op.f("pk_suppression_readings")),
    )


def downgrade() -> None:
    """Forget them; SendGrid still has its lists."""
    op.drop_table("suppression_readings")
    op.drop_table("suppressions")
