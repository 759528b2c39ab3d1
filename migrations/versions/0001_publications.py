"""Publications: the approved state of all wordings and facts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "publications",
        sa.Column("id", Key, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("proposed_by", sa.String(60), nullable=False),
        sa.Column("proposed_at", UtcDateTime, nullable=False),
        sa.Column("approved_by", sa.String(60)),
        sa.Column("approved_at", UtcDateTime),
        sa.Column("effective_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
        sa.CheckConstraint("status IN ('proposed', 'approved', 'rejected')", name=op.f("ck_publications_status")),
    )
    op.create_index("ix_publications_digest", "publications", ["digest"])
    op.create_index("ix_publications_effective_at", "publications", ["effective_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("publications")
