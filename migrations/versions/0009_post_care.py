"""The post: parts and hooks that are held, what a person has been asked to see to, hooks emptied after their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import UtcDateTime

revision = "0009"
down_revision = "0008"

CHECKS = {
    "hook_deliveries": (
        "('stored', 'applied', 'ignored', 'broken')",
        "('stored', 'held', 'applied', 'ignored', 'broken')",
    ),
    "outbox": (
        "('queued', 'submitting', 'unknown', 'sent', 'failed', 'delivered', 'withheld')",
        "('queued', 'held', 'submitting', 'unknown', 'sent', 'failed', 'delivered', 'withheld')",
    ),
}
HELD = sa.text("status = 'held'")
LOOKED_FOR = sa.text("attended_at IS NULL AND status IN ('failed', 'unknown', 'held', 'queued')")


def upgrade() -> None:
    """Add columns and indexes, and let the statuses have their new words."""
    for table, (_, after) in CHECKS.items():
        _check(table, after)
    op.add_column("hook_deliveries", sa.Column("domain_index", sa.String(80)))
    op.add_column("hook_deliveries", sa.Column("emptied_at", UtcDateTime))
    op.add_column("outbox", sa.Column("template", sa.String(40)))
    op.add_column("outbox", sa.Column("attended_at", UtcDateTime))
    op.create_index("ix_hook_deliveries_held", "hook_deliveries", ["id"], sqlite_where=HELD, postgresql_where=HELD)
    op.create_index("ix_hook_deliveries_domain_index_applied_at", "hook_deliveries", ["domain_index", "applied_at"])
    op.create_index("ix_hook_deliveries_emptied_at_received_at", "hook_deliveries", ["emptied_at", "received_at"])
    op.create_index("ix_outbox_looked_for", "outbox", ["id"], sqlite_where=LOOKED_FOR, postgresql_where=LOOKED_FOR)
    op.create_index("ix_turns_external_id", "turns", ["external_id"])


def downgrade() -> None:
    """Take them back; what is held waits as before."""
    op.drop_index("ix_turns_external_id", "turns")
    op.drop_index("ix_outbox_looked_for", "outbox")
    for name in ("emptied_at_received_at", "domain_index_applied_at", "held"):
        op.drop_index(f"ix_hook_deliveries_{name}", "hook_deliveries")
    op.execute("DELETE FROM outbox WHERE template IS NOT NULL")
    op.execute("UPDATE outbox SET status = 'failed' WHERE status = 'held'")
    op.execute("UPDATE hook_deliveries SET status = 'stored' WHERE status = 'held'")
    for table, column in (
        ("outbox", "attended_at"),
        ("outbox", "template"),
        ("hook_deliveries", "emptied_at"),
        ("hook_deliveries", "domain_index"),
    ):
        op.drop_column(table, column)
    for table, (before, _) in CHECKS.items():
        _check(table, before)


def _check(table: str, statuses: str) -> None:
    name = f"ck_{table}_status"
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(op.f(name), table, f"status IN {statuses}")
        return
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(op.f(name), type_="check")
        batch.create_check_constraint(op.f(name), f"status IN {statuses}")
