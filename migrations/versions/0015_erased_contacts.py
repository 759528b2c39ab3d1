"""A contact point may be erased: why it is not used any more says so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

NAME = "ck_contact_points_retired_because"
BEFORE = "('roster', 'replaced', 'wrong_person', 'deceased')"
AFTER = "('roster', 'replaced', 'wrong_person', 'deceased', 'erased')"


def upgrade() -> None:
    """Allow it."""
    _check(AFTER)


def downgrade() -> None:
    """What was erased stays retired, without saying why exactly."""
    op.execute(sa.text("UPDATE contact_points SET retired_because = 'replaced' WHERE retired_because = 'erased'"))
    _check(BEFORE)


def _check(reasons: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(NAME, "contact_points", type_="check")
        op.create_check_constraint(op.f(NAME), "contact_points", f"retired_because IN {reasons}")
        return
    with op.batch_alter_table("contact_points", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f(NAME), type_="check")
        batch.create_check_constraint(op.f(NAME), f"retired_because IN {reasons}")
