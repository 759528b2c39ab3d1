"""Whether a roster's import has come to its end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Those before went in as a whole or not at all."""
    op.add_column("roster_imports", sa.Column("unfinished", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("roster_imports", "unfinished")
