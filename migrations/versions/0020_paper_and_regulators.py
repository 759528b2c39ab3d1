"""Letters in batches, calls, notices to the public, and what authorities were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the five tables."""
    _letter_batches()
    _letters()
    _phone_attempts()
    _public_notices()
    _regulator_filings()


def downgrade() -> None:
    """Drop them."""
    for table in ("regulator_filings", "public_notices", "phone_attempts", "letters", "letter_batches"):
        op.drop_table(table)


def _letter_batches() -> None:
    op.create_table(
        "letter_batches",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("pdf_sha256", sa.String(64), nullable=False),
        sa.Column("list_sha256", sa.String(64), nullable=False),
        sa.Column("posted_at", UtcDateTime),
        sa.Column("posted_by", sa.String(60)),
        sa.Column("receipt", sa.String(120), nullable=False),
        sa.Column("emptied_at", UtcDateTime),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_letter_batches_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_batches")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_letter_batches_campaign_id"), "letter_batches", ["campaign_id"])


def _letters() -> None:
    op.create_table(
        "letters",
        sa.Column("notice_id", Key, nullable=False),
        sa.Column("batch_id", Key, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(14), nullable=False),
        sa.Column("returned_at", UtcDateTime),
        sa.Column("why", sa.String(10)),
        sa.CheckConstraint(
            "why IN ('moved', 'unknown', 'incomplete', 'refused', 'unclaimed', 'deceased', 'other')", name=op.f("ck_letters_why")
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_letters_notice_id_notices")),
        sa.ForeignKeyConstraint(["batch_id"], ["letter_batches.id"], name=op.f("fk_letters_batch_id_letter_batches")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_letters")),
        sa.UniqueConstraint("number", name=op.f("uq_letters_number")),
    )
    op.create_index(op.f("ix_letters_batch_id"), "letters", ["batch_id"])


def _phone_attempts() -> None:
    op.create_table(
        "phone_attempts",
        sa.Column("id", Key, nullable=False),
        sa.Column("notice_id", Key, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("outcome", sa.String(14), nullable=False),
        sa.Column("again_at", UtcDateTime),
        sa.CheckConstraint(
            "outcome IN ('told', 'no_answer', 'voicemail', 'call_back', 'language',"
            " 'refused', 'wrong_number', 'deceased', 'dead_line')",
            name=op.f("ck_phone_attempts_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_phone_attempts_notice_id_notices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_attempts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_phone_attempts_notice_id"), "phone_attempts", ["notice_id"])


def _public_notices() -> None:
    op.create_table(
        "public_notices",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("medium", sa.String(10), nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("file", sa.String(80), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.CheckConstraint(
            "medium IN ('website', 'newspaper', 'poster', 'broadcast', 'other')", name=op.f("ck_public_notices_medium")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_public_notices_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_notices")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_public_notices_campaign_id"), "public_notices", ["campaign_id"])


def _regulator_filings() -> None:
    op.create_table(
        "regulator_filings",
        sa.Column("id", Key, nullable=False),
        sa.Column("authority", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("publication_id", Key, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("drafted_by", sa.String(60), nullable=False),
        sa.Column("drafted_at", UtcDateTime, nullable=False),
        sa.Column("approved_by", sa.String(60)),
        sa.Column("approved_at", UtcDateTime),
        sa.Column("filed_by", sa.String(60)),
        sa.Column("filed_at", UtcDateTime),
        sa.Column("how", sa.String(200), nullable=False),
        sa.Column("their_reference", sa.String(120), nullable=False),
        sa.CheckConstraint("status IN ('draft', 'approved', 'filed', 'withdrawn')", name=op.f("ck_regulator_filings_status")),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publications.id"], name=op.f("fk_regulator_filings_publication_id_publications")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regulator_filings")),
        sa.UniqueConstraint("authority", "number", name=op.f("uq_regulator_filings_authority_number")),
        sqlite_autoincrement=True,
    )
