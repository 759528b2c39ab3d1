"""The rows of what SendGrid no longer writes to: keyed hashes of addresses, and how far each of its lists has been read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base.database import Base, Key

PASSING = "blocks"
"""SendGrid still writes to addresses of this list."""


class Suppression(Base):
    """One address on one list of SendGrid's; found by the same keyed hash as contact points."""

    __tablename__ = "suppressions"

    entry: Mapped[str] = mapped_column(String(80), primary_key=True)
    listed: Mapped[str] = mapped_column(String(20), primary_key=True)  # the list, as SendGrid names it; `group:` and a number
    since: Mapped[datetime]  # when SendGrid put it there; for a group, when we saw it
    read_at: Mapped[datetime]


class SuppressionReading(Base):
    """How far a list has been read: a crash or a refusal goes on from here."""

    __tablename__ = "suppression_readings"

    listed: Mapped[str] = mapped_column(String(20), primary_key=True)
    since: Mapped[int] = mapped_column(Key, default=0)  # seconds since 1970: older entries are known
    newest: Mapped[int] = mapped_column(Key, default=0)  # of this pass
    skip: Mapped[int] = mapped_column(default=0)  # entries of this pass that are done
    due_at: Mapped[datetime]  # not before
    is_whole: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # this pass reads all of the list, whatever is known already
    whole_began_at: Mapped[datetime | None]  # the last pass of that kind, or the present one
    whole_before_at: Mapped[datetime | None]  # the one before it


def withheld(session: Session, entries: Sequence[str]) -> dict[str, str]:
    """Which of these hashes of addresses SendGrid would drop, and by which list."""
    listed = select(Suppression.entry, Suppression.listed).where(Suppression.entry.in_(entries), Suppression.listed != PASSING)
    return {one.entry: one.listed for one in session.execute(listed)}
