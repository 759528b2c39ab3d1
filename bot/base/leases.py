"""Leases: of many hosts, one does the periodic work.

A lease is a row with a holder and an end. It is taken or renewed by one statement, so that two
who ask at once cannot both get it. The end is told by the callers' clocks: a lease has to be much
longer than their clocks differ. A holder that was stopped for longer than its lease may wake up
and go on, so what it does must be harmless when done twice; the lease saves work, it is no lock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, delete, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base.database import Base


class Lease(Base):
    """Who does a piece of periodic work, and until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    holder: Mapped[str] = mapped_column(String(60))
    until: Mapped[datetime]


def take(session: Session, *, name: str, holder: str, at: datetime, seconds: float) -> bool:
    """Take the lease, or renew it as its holder, for so many seconds; False while another holds it."""
    values = {"name": name, "holder": holder, "until": at + timedelta(seconds=seconds)}
    free = or_(Lease.until <= at, Lease.holder == holder)
    # The two dialects spell the same statement and share no class.
    if session.get_bind().dialect.name == "sqlite":
        lite = sqlite.insert(Lease).values(values)
        return (
            session.scalar(lite.on_conflict_do_update(index_elements=["name"], set_=values, where=free).returning(Lease.name))
            is not None
        )
    post = postgresql.insert(Lease).values(values)
    return (
        session.scalar(post.on_conflict_do_update(index_elements=["name"], set_=values, where=free).returning(Lease.name))
        is not None
    )


def release(session: Session, *, name: str, holder: str) -> None:
    """Give the lease back early; nothing happens when another holds it."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
