"""Identity: checks of who is asking, codes to be sent for them, and where a session's turns come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0010"
down_revision = "0009"

OPEN = sa.text("status IN ('queued', 'submitting')")
ONE_OF = {
    "identity_checks": {
        "status": "status IN ('reference', 'place', 'code', 'which', 'verified', 'ended')",
        "ended_because": "ended_because IN ('cancelled', 'logged_out', 'too_many', 'no_access', 'staff', 'session', 'anew')",
        "way": "way IN ('mobile', 'email')",
        "how": "how IN ('mobile', 'email', 'whatsapp')",
    },
    "code_dispatches": {
        "kind": "kind IN ('code', 'note')",
        "way": "way IN ('mobile', 'email')",
        "language": "language IN ('en', 'zh-Hant', 'zh-Hans', 'tl', 'id')",
        "status": "status IN ('queued', 'submitting', 'sent', 'delivered', 'unknown', 'failed', 'withheld')",
    },
}


def upgrade() -> None:
    """Make the tables and the column."""
    op.add_column("sessions", sa.Column("network", sa.String(80)))
    op.add_column("sessions", sa.Column("wanted", sa.String(40)))
    _checks()
    _dispatches()


def _checks() -> None:
    op.create_table(
        "identity_checks",
        sa.Column("id", Key, nullable=False),
        sa.Column("thread_id", Key, nullable=False),
        sa.Column("session_id", Key, nullable=False),
        sa.Column("network", sa.String(80)),
        sa.Column("deed", sa.String(40), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("subject", sa.JSON, nullable=False),
        sa.Column("subject_kind", sa.String(10), nullable=False),
        sa.Column("way", sa.String(10)),
        sa.Column("person_id", Key),
        sa.Column("contact_point_id", Key),
        sa.Column("code_entry", sa.String(80)),
        sa.Column("code_until", UtcDateTime),
        sa.Column("wrong", sa.Integer, nullable=False),
        sa.Column("misread", sa.Integer, nullable=False),
        sa.Column("wait_until", UtcDateTime),
        sa.Column("how", sa.String(10)),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("verified_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("ended_because", sa.String(12)),
        sa.PrimaryKeyConstraint("id", name="pk_identity_checks"),
        _key("identity_checks", "thread_id", "threads", "CASCADE"),
        _key("identity_checks", "session_id", "sessions", "CASCADE"),
        _key("identity_checks", "person_id", "persons", "CASCADE"),
        _key("identity_checks", "contact_point_id", "contact_points", "SET NULL"),
        *_one_of("identity_checks"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_identity_checks_session_id", "identity_checks", ["session_id"])
    op.create_index("ix_identity_checks_thread_id_id", "identity_checks", ["thread_id", "id"])
    op.create_index("ix_identity_checks_network_started_at", "identity_checks", ["network", "started_at"])
    op.create_index("ix_identity_checks_person_id", "identity_checks", ["person_id"])


def _dispatches() -> None:
    table = "code_dispatches"
    op.create_table(
        table,
        sa.Column("id", Key, nullable=False),
        sa.Column("check_id", Key, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("way", sa.String(10), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("contact_point_id", Key),
        sa.Column("destination", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("network", sa.String(80)),
        sa.Column("thread_id", Key, nullable=False),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("sealed_code", sa.Text),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("provider_id", sa.String(80)),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("settled_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        _key(table, "check_id", "identity_checks", "CASCADE"),
        _key(table, "contact_point_id", "contact_points", "SET NULL"),
        _key(table, "thread_id", "threads", "CASCADE"),
        sa.UniqueConstraint("reference", name=f"uq_{table}_reference"),
        *_one_of(table),
    )
    op.create_index(f"ix_{table}_check_id", table, ["check_id"])
    for column in ("destination", "subject", "network", "thread_id"):
        op.create_index(f"ix_{table}_{column}_created_at", table, [column, "created_at"])
    op.create_index(f"ix_{table}_created_at", table, ["created_at"])
    op.create_index(f"ix_{table}_open", table, ["due_at"], sqlite_where=OPEN, postgresql_where=OPEN)


def _key(table: str, column: str, other: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}", ondelete=ondelete)


def _one_of(table: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(text, name=op.f(f"ck_{table}_{column}")) for column, text in ONE_OF[table].items()]


def downgrade() -> None:
    """Drop them."""
    op.drop_table("code_dispatches")
    op.drop_table("identity_checks")
    op.drop_column("sessions", "wanted")
    op.drop_column("sessions", "network")
