"""What keeps a large campaign's rounds short: the last calls by channel, what is due, and what lies in a provider's queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0024"
down_revision = "0023"

OPEN = sa.text("status IN ('planned', 'submitting')")
LYING = sa.text("parts > 0 AND status IN ('submitting', 'accepted', 'unknown')")
LAST_CALLS = "ix_notice_attempts_campaign_id_channel_id"


def upgrade() -> None:
    """Add columns and indexes; attempts get their notice's campaign and channel."""
    op.add_column("notice_attempts", sa.Column("campaign_id", Key, nullable=False, server_default="0"))
    op.add_column("notice_attempts", sa.Column("channel", sa.String(10), nullable=False, server_default="email"))
    of_notice = "(SELECT {0} FROM notices WHERE notices.id = notice_attempts.notice_id)"
    values = ", ".join(f"{name} = {of_notice.format(name)}" for name in ("campaign_id", "channel"))
    op.execute(f"UPDATE notice_attempts SET {values}")  # noqa: S608 - our own words
    op.create_index(LAST_CALLS, "notice_attempts", ["campaign_id", "channel", "id"])
    op.create_index("ix_notices_due", "notices", ["campaign_id", "channel", "due_at"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(
        "ix_notices_lying", "notices", ["submitted_at", "parts", "status"], sqlite_where=LYING, postgresql_where=LYING
    )
    op.add_column("suppression_readings", sa.Column("whole_began_at", UtcDateTime))
    op.add_column("suppression_readings", sa.Column("whole_before_at", UtcDateTime))
    op.add_column("suppression_readings", sa.Column("is_whole", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Take them away again."""
    for name in ("is_whole", "whole_before_at", "whole_began_at"):
        op.drop_column("suppression_readings", name)
    op.drop_index("ix_notices_lying", "notices")
    op.drop_index("ix_notices_due", "notices")
    op.drop_index(LAST_CALLS, "notice_attempts")
    op.drop_column("notice_attempts", "channel")
    op.drop_column("notice_attempts", "campaign_id")
