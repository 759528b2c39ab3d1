"""Campaigns in the console: long work that the worker does, and a form for those who share an address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0018"
down_revision = "0017"

NAME = "ck_segments_variant"
BEFORE = "('standard', 'guardian', 'neutral')"
AFTER = "('standard', 'shared', 'guardian', 'neutral')"


def upgrade() -> None:
    """Make the table and allow the form."""
    op.create_table(
        "campaign_errands",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(60)),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("plan_digest", sa.String(64), nullable=False),
        sa.Column("sealed_report", sa.Text()),
        sa.Column("error", sa.String(400), nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.CheckConstraint("kind IN ('dry_run', 'submit')", name=op.f("ck_campaign_errands_kind")),
        sa.CheckConstraint("status IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_campaign_errands_status")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_errands_campaign_id_campaigns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_errands")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_campaign_errands_campaign_id"), "campaign_errands", ["campaign_id"])
    _check(AFTER)


def downgrade() -> None:
    """Whoever got the form for a shared address got the standard one."""
    op.execute(sa.text("UPDATE segments SET variant = 'standard' WHERE variant = 'shared'"))
    _check(BEFORE)
    op.drop_table("campaign_errands")


def _check(variants: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(NAME, "segments", type_="check")
        op.create_check_constraint(op.f(NAME), "segments", f"variant IN {variants}")
        return
    with op.batch_alter_table("segments", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f(NAME), type_="check")
        batch.create_check_constraint(op.f(NAME), f"variant IN {variants}")
