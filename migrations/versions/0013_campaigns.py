"""Campaigns: plans, approvals, holds, obligations, notices with their attempts and events, and the pace of senders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the ten tables."""
    op.create_table(
        "kept_templates",
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", "name", name=op.f("pk_kept_templates")),
    )
    _campaigns()
    _sender_paces()
    _campaign_approvals()
    _campaign_holds()
    _segments()
    _obligations()
    _notices()
    _notice_attempts()
    _notice_events()


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("notice", sa.String(60), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("submitted_by", sa.String(60)),
        sa.Column("digests", sa.JSON()),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("hold_released", sa.Integer(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("cost_micros", Key, nullable=False),
        sa.Column("pause_reason", sa.String(300), nullable=False),
        sa.Column("waits_for", sa.String(300), nullable=False),
        sa.Column("results_from", UtcDateTime),
        sa.Column("started_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'approved', 'running', 'paused', 'completed', 'cancelled')",
            name=op.f("ck_campaigns_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("name", name=op.f("uq_campaigns_name")),
        sqlite_autoincrement=True,
    )


def _sender_paces() -> None:
    op.create_table(
        "sender_paces",
        sa.Column("sender", sa.String(120), nullable=False),
        sa.Column("left", sa.Double(), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_sender_paces")),
    )


def _campaign_approvals() -> None:
    op.create_table(
        "campaign_approvals",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("digests", sa.JSON(), nullable=False),
        sa.Column("voided_at", UtcDateTime),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_approvals_campaign_id_campaigns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_approvals")),
    )
    op.create_index(op.f("ix_campaign_approvals_campaign_id"), "campaign_approvals", ["campaign_id"])


def _campaign_holds() -> None:
    op.create_table(
        "campaign_holds",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("authority", sa.String(120), nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime),
        sa.Column("lifted_at", UtcDateTime),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_holds_campaign_id_campaigns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_holds")),
    )
    op.create_index(op.f("ix_campaign_holds_campaign_id"), "campaign_holds", ["campaign_id"])


def _segments() -> None:
    op.create_table(
        "segments",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("variant", sa.String(10), nullable=False),
        sa.Column("sealed_categories", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.CheckConstraint("language IN ('en', 'zh-Hant', 'zh-Hans', 'tl', 'id')", name=op.f("ck_segments_language")),
        sa.CheckConstraint("variant IN ('standard', 'guardian', 'neutral')", name=op.f("ck_segments_variant")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_segments_campaign_id_campaigns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_segments_campaign_id"), "segments", ["campaign_id"])


def _obligations() -> None:
    op.create_table(
        "obligations",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("notice", sa.String(60), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("segment_id", Key),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("because", sa.String(40), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("ladder", sa.String(300), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime),
        sa.Column("sealed_reference", sa.Text()),
        sa.Column("settled_at", UtcDateTime),
        sa.CheckConstraint(
            "status IN ('planned', 'open', 'manual', 'delivered', 'posted', 'closed', 'substitute', 'cancelled')",
            name=op.f("ck_obligations_status"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_obligations_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_obligations_person_id_persons")),
        sa.ForeignKeyConstraint(["segment_id"], ["segments.id"], name=op.f("fk_obligations_segment_id_segments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligations")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_obligations_campaign_id_status_next_at", "obligations", ["campaign_id", "status", "next_at"])
    op.create_index("ix_obligations_campaign_id_wave", "obligations", ["campaign_id", "wave", "status"])
    op.create_index(
        "uq_obligations_owed_once",
        "obligations",
        ["person_id", "notice", "version"],
        unique=True,
        sqlite_where=sa.text("status <> 'cancelled'"),
        postgresql_where=sa.text("status <> 'cancelled'"),
    )


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", Key, nullable=False),
        sa.Column("obligation_id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("segment_id", Key, nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("contact_point_id", Key, nullable=False),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("holder", sa.String(60)),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("text_digest", sa.String(64)),
        sa.Column("provider_id", sa.String(80)),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("submitted_at", UtcDateTime),
        sa.Column("settled_at", UtcDateTime),
        sa.CheckConstraint("channel IN ('email', 'sms', 'whatsapp', 'phone', 'letter')", name=op.f("ck_notices_channel")),
        sa.CheckConstraint(
            "status IN ('planned', 'submitting', 'accepted', 'unknown', 'rejected', 'failed', 'delivered', "
            "'withheld', 'listed', 'posted', 'cancelled')",
            name=op.f("ck_notices_status"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_notices_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_points.id"], name=op.f("fk_notices_contact_point_id_contact_points")
        ),
        sa.ForeignKeyConstraint(["obligation_id"], ["obligations.id"], name=op.f("fk_notices_obligation_id_obligations")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_notices_person_id_persons")),
        sa.ForeignKeyConstraint(["segment_id"], ["segments.id"], name=op.f("fk_notices_segment_id_segments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "obligation_id", "channel", "contact_point_id", name=op.f("uq_notices_obligation_id_channel_contact_point_id")
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_notices_reference")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_campaign_id_status_settled_at", "notices", ["campaign_id", "status", "settled_at"])
    op.create_index("ix_notices_contact_point_id_submitted_at", "notices", ["contact_point_id", "submitted_at"])
    op.create_index(
        "ix_notices_lease",
        "notices",
        ["lease_until"],
        sqlite_where=sa.text("status IN ('planned', 'submitting')"),
        postgresql_where=sa.text("status IN ('planned', 'submitting')"),
    )
    op.create_index(
        "ix_notices_open",
        "notices",
        ["campaign_id", "channel", "segment_id", "id"],
        sqlite_where=sa.text("status IN ('planned', 'submitting')"),
        postgresql_where=sa.text("status IN ('planned', 'submitting')"),
    )
    op.create_index("ix_notices_provider_id", "notices", ["provider_id"])


def _notice_attempts() -> None:
    op.create_table(
        "notice_attempts",
        sa.Column("id", Key, nullable=False),
        sa.Column("notice_id", Key, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("provider_id", sa.String(80)),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_notice_attempts_notice_id_notices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_attempts")),
    )
    op.create_index(op.f("ix_notice_attempts_notice_id"), "notice_attempts", ["notice_id"])


def _notice_events() -> None:
    op.create_table(
        "notice_events",
        sa.Column("id", Key, nullable=False),
        sa.Column("notice_id", Key, nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("provider_id", sa.String(80), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_notice_events_notice_id_notices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_events")),
        sa.UniqueConstraint(
            "notice_id", "outcome", "code", "provider_id", name=op.f("uq_notice_events_notice_id_outcome_code_provider_id")
        ),
    )


def downgrade() -> None:
    """Drop them."""
    for table in (
        "kept_templates",
        "notice_events",
        "notice_attempts",
        "notices",
        "obligations",
        "segments",
        "campaign_holds",
        "campaign_approvals",
        "sender_paces",
        "campaigns",
    ):
        op.drop_table(table)
