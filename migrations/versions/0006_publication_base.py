"""What a proposal was made against, so that an approval cannot silently undo a later publication."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; proposals from before have none and are judged as before."""
    with op.batch_alter_table("publications") as table:
        table.add_column(sa.Column("based_on", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=True))
        table.create_foreign_key("fk_publications_based_on_publications", "publications", ["based_on"], ["id"])


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("publications") as table:
        table.drop_constraint("fk_publications_based_on_publications", type_="foreignkey")
        table.drop_column("based_on")
