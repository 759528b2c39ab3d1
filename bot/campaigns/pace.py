"""The pace of a sender: a bucket of segments in the database, shared by all workers.

It is read and drawn from in the transaction that takes notices up. Without it nothing is taken up: it cannot fail open.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.campaigns.models import SenderPace

BURST_S = 1.0
"""Seconds' worth of segments that may leave at once after a pause."""


def opened(session: Session, sender: str, per_second: float, at: datetime) -> SenderPace:
    """The sender's bucket, locked and filled up to this moment."""
    burst = max(1.0, per_second * BURST_S)
    row = {"sender": sender[:120], "left": burst, "at": at}
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(SenderPace).values(row).on_conflict_do_nothing())
    pace = session.scalars(select(SenderPace).where(SenderPace.sender == row["sender"]).with_for_update()).one()
    passed = (at - pace.at).total_seconds()
    if passed > 0:
        pace.left, pace.at = min(burst, pace.left + passed * per_second), at
    pace.left = min(pace.left, burst)
    return pace


def silence(session: Session, sender: str, per_second: float, at: datetime, seconds: float) -> None:
    """Take nothing up for this sender for so long, because the provider asked for it."""
    pace = opened(session, sender, per_second, at)
    pace.left, pace.at = 0.0, max(pace.at, at + timedelta(seconds=seconds))
