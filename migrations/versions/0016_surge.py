"""Booked calls, the legal hold among the switches, and what a page is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the table, widen the switches, tell pages apart."""
    op.create_table(
        "call_bookings",
        sa.Column("id", Key, nullable=False),
        sa.Column("case_id", Key, nullable=False),
        sa.Column("slot", UtcDateTime, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("reminded_at", UtcDateTime),
        sa.Column("cancelled_at", UtcDateTime),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_call_bookings_case_id_cases"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_bookings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_call_bookings_case_id"), "call_bookings", ["case_id"])
    op.create_index(op.f("ix_call_bookings_slot"), "call_bookings", ["slot"])
    good = sa.text("cancelled_at IS NULL")
    op.create_index("uq_call_bookings_case", "call_bookings", ["case_id"], unique=True, sqlite_where=good, postgresql_where=good)
    with op.batch_alter_table("desk_switches") as table:
        table.drop_constraint(op.f("ck_desk_switches_switch"), type_="check")
        table.create_check_constraint(
            op.f("ck_desk_switches_switch"), "switch IN ('typhoon', 'black_rain', 'surge', 'legal_hold')"
        )
    with op.batch_alter_table("desk_pages") as table:
        table.add_column(sa.Column("about", sa.String(8), nullable=False, server_default="cases"))
        table.create_check_constraint(op.f("ck_desk_pages_about"), "about IN ('cases', 'surge')")


def downgrade() -> None:
    """Drop the table; forget what pages were about, and every legal hold."""
    with op.batch_alter_table("desk_pages") as table:
        table.drop_constraint(op.f("ck_desk_pages_about"), type_="check")
        table.drop_column("about")
    op.execute(sa.text("DELETE FROM desk_switches WHERE switch = 'legal_hold'"))
    with op.batch_alter_table("desk_switches") as table:
        table.drop_constraint(op.f("ck_desk_switches_switch"), type_="check")
        table.create_check_constraint(op.f("ck_desk_switches_switch"), "switch IN ('typhoon', 'black_rain', 'surge')")
    op.drop_table("call_bookings")
