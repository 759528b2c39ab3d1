"""The pace of a sender: a bucket of segments in the database, shared by all workers; and what lies in its provider's queue.

It is read and drawn from in the transaction that takes notices up. Without it nothing is taken up: it cannot fail open.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base.database import Base
from bot.campaigns.models import LYING, Campaign, Notice

QUEUE = 36_000 * 0.5
"""Seconds' worth of segments that we leave in a provider's hands: half of what its queue of ten hours holds (Twilio 21611)."""
KEPT_FOR = timedelta(hours=10)
"""After that a provider gives up what it could not send (Twilio: ValidityPeriod)."""
LONGEST = 10
"""Segments of the longest text Twilio takes: with less room than that the next text may have to wait."""
BURST_S = 1.0
"""Seconds' worth of segments that may leave at once after a pause."""


class SenderPace(Base):
    """How much a sender may send just now; shared by all workers."""

    __tablename__ = "sender_paces"

    sender: Mapped[str] = mapped_column(String(120), primary_key=True)  # channel and our own address
    left: Mapped[float]  # segments that may leave at once; negative while a grant is being worked off
    at: Mapped[datetime]


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


def room(session: Session, per_second: float, at: datetime) -> float:
    """How many segments of texts the provider's queue may still be given: those without a receipt count as lying in it."""
    most = per_second * QUEUE
    ever = session.scalar(select(func.coalesce(func.sum(Campaign.segments), 0))) or 0
    if ever < most:
        return most - ever  # so few that nothing need be counted
    lying = select(func.coalesce(func.sum(Notice.parts), 0)).where(LYING, Notice.submitted_at > at - KEPT_FOR)
    return most - (session.scalar(lying) or 0)


def silent_until(session: Session, sender: str, at: datetime) -> datetime | None:
    """Until when the provider asked us to send nothing from here; None when it did not."""
    until = session.scalar(select(SenderPace.at).where(SenderPace.sender == sender[:120]))
    return until if until is not None and until > at else None


def silence(session: Session, sender: str, per_second: float, at: datetime, seconds: float) -> None:
    """Take nothing up for this sender for so long, because the provider asked for it."""
    pace = opened(session, sender, per_second, at)
    pace.left, pace.at = 0.0, max(pace.at, at + timedelta(seconds=seconds))
