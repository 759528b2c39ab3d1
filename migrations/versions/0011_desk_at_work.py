"""The desk at work: staff, what two people decide, and what responders keep with a case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0011"
down_revision = "0010"

STATUSES = "status IN ('open', 'claimed', 'waiting', 'snoozed', 'resolved', 'merged')"
OLD_STATUSES = "status IN ('open', 'claimed', 'resolved')"
OUTCOMES = "outcome IN ('answered', 'helped', 'referred', 'safe', 'unreachable', 'duplicate', 'no_patient', 'nothing_needed')"
LIVE = sa.text("status NOT IN ('resolved', 'merged')")
OLD_LIVE = sa.text("status <> 'resolved'")

NEW_COLUMNS = (
    ("reopened_at", UtcDateTime),
    ("claimed_by", Key),
    ("claimed_at", UtcDateTime),
    ("touched_at", UtcDateTime),
    ("meant_for", Key),
    ("snoozed_until", UtcDateTime),
    ("first_responded_at", UtcDateTime),
    ("next_response_due_at", UtcDateTime),
    ("resolution_due_at", UtcDateTime),
    ("statutory_due_at", UtcDateTime),
    ("unclaimed_told_at", UtcDateTime),
    ("call_back_at", UtcDateTime),
    ("resolved_at", UtcDateTime),
    ("resolved_by", Key),
    ("outcome", sa.String(16)),
    ("merged_into", Key),
)
POINTS_AT = {
    "claimed_by": "staff_accounts",
    "meant_for": "staff_accounts",
    "resolved_by": "staff_accounts",
    "merged_into": "cases",
}
INDEXES = (
    ("ix_cases_thread_id_id", ["thread_id", "id"]),
    ("ix_cases_resolved_at", ["resolved_at"]),
    ("ix_cases_claimed_by", ["claimed_by"]),
    ("ix_cases_merged_into", ["merged_into"]),
)


def upgrade() -> None:
    """Make the tables, and give cases their columns."""
    _accounts()
    _cases()
    _case_records()
    _persons_and_replies()
    _whole_desk()


def _cases() -> None:
    op.drop_index("uq_cases_unresolved_thread", "cases")
    with op.batch_alter_table("cases") as batch:
        batch.drop_constraint(op.f("ck_cases_status"), type_="check")
        batch.add_column(sa.Column("team", sa.String(20), nullable=False, server_default="desk"))
        batch.add_column(sa.Column("version", sa.Integer, nullable=False, server_default="1"))
        for name, kind in NEW_COLUMNS:
            batch.add_column(sa.Column(name, kind))
        for name, table in POINTS_AT.items():
            batch.create_foreign_key(f"fk_cases_{name}_{table}", table, [name], ["id"])
        batch.create_check_constraint(op.f("ck_cases_status"), STATUSES)
        batch.create_check_constraint(op.f("ck_cases_outcome"), OUTCOMES)
    with op.batch_alter_table("cases") as batch:
        batch.alter_column("team", server_default=None)
        batch.alter_column("version", server_default=None)
    _live_index(LIVE)
    for index, columns in INDEXES:
        op.create_index(index, "cases", columns)


def _live_index(where: sa.TextClause) -> None:
    op.create_index("uq_cases_unresolved_thread", "cases", ["thread_id"], unique=True, sqlite_where=where, postgresql_where=where)


def _accounts() -> None:
    op.create_table(
        "staff_accounts",
        sa.Column("id", Key, nullable=False),
        sa.Column("login_entry", sa.String(80), nullable=False),
        sa.Column("sealed_profile", sa.Text, nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("sealed_totp", sa.Text),
        sa.Column("totp_step", Key, nullable=False),
        sa.Column("on_duty", sa.Boolean, nullable=False),
        sa.Column("seen_at", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff_accounts"),
        sa.UniqueConstraint("login_entry", name="uq_staff_accounts_login_entry"),
        sa.CheckConstraint("status IN ('invited', 'active', 'suspended')", name=op.f("ck_staff_accounts_status")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "staff_links",
        sa.Column("id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("sealed_totp", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
        sa.Column("used_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_staff_links"),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_accounts.id"], name="fk_staff_links_staff_id_staff_accounts", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("token_hash", name="uq_staff_links_token_hash"),
    )
    op.create_index("ix_staff_links_staff_id", "staff_links", ["staff_id"])
    op.create_table(
        "staff_sessions",
        sa.Column("id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("began_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_staff_sessions"),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_accounts.id"], name="fk_staff_sessions_staff_id_staff_accounts", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("token_hash", name="uq_staff_sessions_token_hash"),
    )
    op.create_index("ix_staff_sessions_staff_id", "staff_sessions", ["staff_id"])
    op.create_table(
        "staff_attempts",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("entry", sa.String(80), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff_attempts"),
    )
    op.create_index("ix_staff_attempts_kind_entry_at", "staff_attempts", ["kind", "entry", "at"])
    op.create_table(
        "approvals",
        sa.Column("id", Key, nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(60), nullable=False),
        sa.Column("sealed_details", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("asked_by", Key, nullable=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
        sa.Column("decided_by", Key),
        sa.Column("decided_at", UtcDateTime),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sa.ForeignKeyConstraint(["asked_by"], ["staff_accounts.id"], name="fk_approvals_asked_by_staff_accounts"),
        sa.ForeignKeyConstraint(["decided_by"], ["staff_accounts.id"], name="fk_approvals_decided_by_staff_accounts"),
        sa.CheckConstraint("status IN ('requested', 'approved', 'refused', 'expired')", name=op.f("ck_approvals_status")),
    )
    op.create_index(
        "ix_approvals_requested",
        "approvals",
        ["ends_at"],
        sqlite_where=sa.text("status = 'requested'"),
        postgresql_where=sa.text("status = 'requested'"),
    )


def _case_records() -> None:
    op.create_table(
        "case_notes",
        sa.Column("id", Key, nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("sealed_text", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_notes"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_notes_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name="fk_case_notes_staff_id_staff_accounts"),
    )
    op.create_index("ix_case_notes_case_id", "case_notes", ["case_id"])
    op.create_table(
        "case_calls",
        sa.Column("id", Key, nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("sealed_text", sa.Text),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_calls"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_calls_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name="fk_case_calls_staff_id_staff_accounts"),
        sa.CheckConstraint(
            "result IN ('reached', 'no_answer', 'other_person', 'wrong_number')", name=op.f("ck_case_calls_result")
        ),
    )
    op.create_index("ix_case_calls_case_id", "case_calls", ["case_id"])
    op.create_table(
        "case_reminders",
        sa.Column("id", Key, nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("why", sa.String(12), nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("done_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_case_reminders"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_reminders_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name="fk_case_reminders_staff_id_staff_accounts"),
        sa.CheckConstraint("why IN ('asked', 'taken_over', 'returned', 'not_sent')", name=op.f("ck_case_reminders_why")),
    )
    op.create_index("ix_case_reminders_case_id", "case_reminders", ["case_id"])
    op.create_index("ix_case_reminders_staff_id", "case_reminders", ["staff_id"])
    op.create_table(
        "case_drafts",
        sa.Column("case_id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("sealed_text", sa.Text, nullable=False),
        sa.Column("saved_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "staff_id", name="pk_case_drafts"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_drafts_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name="fk_case_drafts_staff_id_staff_accounts"),
    )
    op.create_table(
        "case_presence",
        sa.Column("case_id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("typing_until", UtcDateTime),
        sa.PrimaryKeyConstraint("case_id", "staff_id", name="pk_case_presence"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_presence_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name="fk_case_presence_staff_id_staff_accounts"),
    )


def _persons_and_replies() -> None:
    op.create_table(
        "case_persons",
        sa.Column("case_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("known", sa.String(12), nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "person_id", name="pk_case_persons"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_persons_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_case_persons_person_id_persons", ondelete="CASCADE"),
        sa.CheckConstraint("known IN ('verified', 'confirmed', 'mentioned')", name=op.f("ck_case_persons_known")),
    )
    op.create_index("ix_case_persons_person_id", "case_persons", ["person_id"])
    op.create_table(
        "case_merges",
        sa.Column("id", Key, nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("into_id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("undone_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_case_merges"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_merges_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["into_id"], ["cases.id"], name="fk_case_merges_into_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name="fk_case_merges_staff_id_staff_accounts"),
    )
    op.create_index("ix_case_merges_case_id", "case_merges", ["case_id"])
    op.create_index("ix_case_merges_into_id", "case_merges", ["into_id"])
    op.create_table(
        "staff_replies",
        sa.Column("id", Key, nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("thread_id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("sealed_free", sa.Text),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("seen_number", sa.Integer, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reply_id", Key),
        sa.Column("written_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff_replies"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_staff_replies_case_id_cases", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name="fk_staff_replies_thread_id_threads", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name="fk_staff_replies_staff_id_staff_accounts"),
        sa.ForeignKeyConstraint(["reply_id"], ["replies.id"], name="fk_staff_replies_reply_id_replies", ondelete="SET NULL"),
        sa.CheckConstraint("status IN ('pending', 'sent', 'undone', 'failed')", name=op.f("ck_staff_replies_status")),
    )
    op.create_index("ix_staff_replies_case_id", "staff_replies", ["case_id"])
    op.create_index(
        "ix_staff_replies_pending",
        "staff_replies",
        ["due_at"],
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )


def _whole_desk() -> None:
    op.create_table(
        "desk_switches",
        sa.Column("id", Key, nullable=False),
        sa.Column("switch", sa.String(12), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime),
        sa.Column("on_by", sa.String(60), nullable=False),
        sa.Column("off_by", sa.String(60)),
        sa.PrimaryKeyConstraint("id", name="pk_desk_switches"),
        sa.CheckConstraint("switch IN ('typhoon', 'black_rain', 'surge')", name=op.f("ck_desk_switches_switch")),
    )
    op.create_index("ix_desk_switches_switch", "desk_switches", ["switch"])
    op.create_index(
        "uq_desk_switches_on",
        "desk_switches",
        ["switch"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "desk_pages",
        sa.Column("id", Key, nullable=False),
        sa.Column("staff_id", Key, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("text", sa.String(300), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("sent_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_desk_pages"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_accounts.id"], name="fk_desk_pages_staff_id_staff_accounts"),
        sa.CheckConstraint("status IN ('waiting', 'sent', 'failed')", name=op.f("ck_desk_pages_status")),
    )
    op.create_index("ix_desk_pages_made_at", "desk_pages", ["made_at"])
    op.create_index("ix_desk_pages_staff_id", "desk_pages", ["staff_id"])


def downgrade() -> None:
    """Take them back; what the old statuses cannot say is open again, or resolved."""
    op.execute("UPDATE cases SET status = 'claimed' WHERE status IN ('waiting', 'snoozed')")
    op.execute("UPDATE cases SET status = 'resolved' WHERE status = 'merged'")
    op.drop_index("uq_cases_unresolved_thread", "cases")
    for index, _ in INDEXES:
        op.drop_index(index, "cases")
    with op.batch_alter_table("cases") as batch:
        for check in ("ck_cases_status", "ck_cases_outcome"):
            batch.drop_constraint(op.f(check), type_="check")
        for name, table in POINTS_AT.items():
            batch.drop_constraint(f"fk_cases_{name}_{table}", type_="foreignkey")
        for name in ("team", "version", *(name for name, _ in NEW_COLUMNS)):
            batch.drop_column(name)
        batch.create_check_constraint(op.f("ck_cases_status"), OLD_STATUSES)
    _live_index(OLD_LIVE)
    for table in (
        "desk_pages",
        "desk_switches",
        "staff_replies",
        "case_merges",
        "case_persons",
        "case_presence",
        "case_drafts",
        "case_reminders",
        "case_calls",
        "case_notes",
        "approvals",
        "staff_attempts",
        "staff_sessions",
        "staff_links",
        "staff_accounts",
    ):
        op.drop_table(table)
