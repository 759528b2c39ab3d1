"""Notes to a contact on file that a contact of the same person was changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "contact_notes",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("contact_point_id", Key, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("provider_id", sa.String(80)),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("settled_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_contact_notes"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_contact_notes_person_id_persons", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["contact_point_id"],
            ["contact_points.id"],
            name="fk_contact_notes_contact_point_id_contact_points",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("reference", name="uq_contact_notes_reference"),
        sa.CheckConstraint(
            "status IN ('queued', 'submitting', 'sent', 'unknown', 'failed')", name=op.f("ck_contact_notes_status")
        ),
        sa.CheckConstraint("language IN ('en', 'zh-Hant', 'zh-Hans', 'tl', 'id')", name=op.f("ck_contact_notes_language")),
    )
    op.create_index("ix_contact_notes_person_id", "contact_notes", ["person_id"])
    op.create_index("ix_contact_notes_contact_point_id", "contact_notes", ["contact_point_id"])
    still_open = sa.text("status IN ('queued', 'submitting')")
    op.create_index("ix_contact_notes_open", "contact_notes", ["due_at"], sqlite_where=still_open, postgresql_where=still_open)


def downgrade() -> None:
    """Remove it."""
    op.drop_table("contact_notes")
