"""Tokens of programs, remembered requests, webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the tables."""
    _tokens()
    _endpoints()
    _events()


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("entry", sa.String(80), nullable=False),
        sa.Column("hint", sa.String(8), nullable=False),
        sa.Column("made_by", sa.String(60), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
        sa.Column("used_at", UtcDateTime),
        sa.Column("revoked_at", UtcDateTime),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name=op.f("fk_api_tokens_staff_id_staff_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("entry", name=op.f("uq_api_tokens_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_api_tokens_staff_id"), "api_tokens", ["staff_id"])
    op.create_table(
        "api_requests",
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("asked", sa.String(64), nullable=False),
        sa.Column("status_code", sa.Integer, nullable=False),
        sa.Column("sealed_answer", sa.Text),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_accounts.id"], name=op.f("fk_api_requests_staff_id_staff_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("staff_id", "key", name=op.f("pk_api_requests")),
    )
    op.create_index(op.f("ix_api_requests_at"), "api_requests", ["at"])


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("sealed_url", sa.Text, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("sealed_secret", sa.Text, nullable=False),
        sa.Column("sealed_former", sa.Text),
        sa.Column("former_until", UtcDateTime),
        sa.Column("made_by", sa.String(60), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("holder", sa.String(60)),
        sa.Column("held_until", UtcDateTime),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", UtcDateTime),
        sa.Column("not_before", UtcDateTime),
        sa.Column("problem", sa.String(80), nullable=False),
        sa.Column("well_at", UtcDateTime),
        sa.CheckConstraint("status IN ('active', 'resting', 'off')", name=op.f("ck_webhook_endpoints_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
        sqlite_autoincrement=True,
    )


def _events() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("id", Key, nullable=False),
        sa.Column("uid", sa.String(40), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("case_id", Key),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_webhook_events_case_id_cases"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint("uid", name=op.f("uq_webhook_events_uid")),
    )
    op.create_index(op.f("ix_webhook_events_case_id"), "webhook_events", ["case_id"])
    op.create_index(op.f("ix_webhook_events_at"), "webhook_events", ["at"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", Key, nullable=False),
        sa.Column("endpoint_id", Key, nullable=False),
        sa.Column("event_id", Key, nullable=False),
        sa.Column("case_id", Key),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", UtcDateTime, nullable=False),
        sa.Column("answered", sa.Integer),
        sa.Column("problem", sa.String(80), nullable=False),
        sa.Column("tried_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.CheckConstraint("status IN ('waiting', 'delivered', 'failed')", name=op.f("ck_webhook_deliveries_status")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_endpoint_id_webhook_endpoints"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["webhook_events.id"], name=op.f("fk_webhook_deliveries_event_id_webhook_events"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index(op.f("ix_webhook_deliveries_endpoint_id"), "webhook_deliveries", ["endpoint_id"])
    op.create_index(op.f("ix_webhook_deliveries_event_id"), "webhook_deliveries", ["event_id"])
    waiting = sa.text("status = 'waiting'")
    columns = ["endpoint_id", "case_id", "id"]
    op.create_index(
        "ix_webhook_deliveries_waiting", "webhook_deliveries", columns, sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "webhook_clocks",
        sa.Column("case_id", Key, nullable=False),
        sa.Column("clock", sa.String(12), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_webhook_clocks_case_id_cases"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "clock", "state", "due_at", name=op.f("pk_webhook_clocks")),
    )


def downgrade() -> None:
    """Drop the tables; the accounts of programs stay, with scopes that nothing reads."""
    for table in ("webhook_clocks", "webhook_deliveries", "webhook_events", "webhook_endpoints", "api_requests", "api_tokens"):
        op.drop_table(table)
