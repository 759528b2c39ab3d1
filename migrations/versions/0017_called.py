"""When a booked call was made, and pages about an assistant that has fallen silent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import UtcDateTime

revision = "0017"
down_revision = "0016"

GOOD = sa.text("cancelled_at IS NULL AND called_at IS NULL")
BEFORE = sa.text("cancelled_at IS NULL")


def upgrade() -> None:
    """A call that was made no longer stands in the way of another one; a page may say that nobody is answered."""
    op.drop_index("uq_call_bookings_case", "call_bookings")
    op.add_column("call_bookings", sa.Column("called_at", UtcDateTime))
    op.create_index("uq_call_bookings_case", "call_bookings", ["case_id"], unique=True, sqlite_where=GOOD, postgresql_where=GOOD)
    with op.batch_alter_table("desk_pages") as table:
        table.drop_constraint(op.f("ck_desk_pages_about"), type_="check")
        table.create_check_constraint(op.f("ck_desk_pages_about"), "about IN ('cases', 'surge', 'silence')")


def downgrade() -> None:
    """Forget which calls were made, and the pages about silence."""
    op.execute(sa.text("DELETE FROM desk_pages WHERE about = 'silence'"))
    with op.batch_alter_table("desk_pages") as table:
        table.drop_constraint(op.f("ck_desk_pages_about"), type_="check")
        table.create_check_constraint(op.f("ck_desk_pages_about"), "about IN ('cases', 'surge')")
    op.execute(sa.text("UPDATE call_bookings SET cancelled_at = called_at WHERE called_at IS NOT NULL AND cancelled_at IS NULL"))
    op.drop_index("uq_call_bookings_case", "call_bookings")
    op.drop_column("call_bookings", "called_at")
    op.create_index(
        "uq_call_bookings_case", "call_bookings", ["case_id"], unique=True, sqlite_where=BEFORE, postgresql_where=BEFORE
    )
