"""Disclosure: notices sent before, holds on telling about a person, wishes about our messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the four tables."""
    _notices()
    op.create_table(
        "person_holds",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("because", sa.String(20), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("lifted_at", UtcDateTime),
        sa.Column("lifted_by", sa.String(60)),
        sa.PrimaryKeyConstraint("id", name="pk_person_holds"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_person_holds_person_id_persons", ondelete="CASCADE"),
        sa.CheckConstraint("because IN ('identity_doubted', 'death_reported')", name=op.f("ck_person_holds_because")),
    )
    op.create_index("ix_person_holds_person_id", "person_holds", ["person_id"])
    op.create_table(
        "person_wishes",
        sa.Column("person_id", Key, nullable=False),
        sa.Column("stopped_at", UtcDateTime),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_person_wishes"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_person_wishes_person_id_persons", ondelete="CASCADE"),
    )


def _notices() -> None:
    op.create_table(
        "notice_imports",
        sa.Column("id", Key, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice_imports"),
    )
    op.create_table(
        "notices_on_file",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("way", sa.String(10), nullable=False),
        sa.Column("sent_on", sa.Date, nullable=False),
        sa.Column("import_id", Key, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices_on_file"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_notices_on_file_person_id_persons", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["import_id"], ["notice_imports.id"], name="fk_notices_on_file_import_id_notice_imports"),
        sa.CheckConstraint("way IN ('email', 'sms', 'whatsapp', 'phone', 'letter')", name=op.f("ck_notices_on_file_way")),
        sa.UniqueConstraint(
            "person_id", "name", "version", "way", "sent_on", name="uq_notices_on_file_person_id_name_version_way_sent_on"
        ),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("person_wishes", "person_holds", "notices_on_file", "notice_imports"):
        op.drop_table(table)
