"""The rows of the desk: a case and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of


class CaseStatus(StrEnum):
    """Where a case is."""

    OPEN = "open"  # it waits for a person to take it
    CLAIMED = "claimed"  # a responder has taken it
    RESOLVED = "resolved"  # closed with an outcome


class Case(Base):
    """One patient's need for a person; at most one is open per thread."""

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    reason: Mapped[str] = mapped_column(String(40))
    priority: Mapped[int]  # 0 is an emergency, 3 can wait
    status: Mapped[str] = mapped_column(String(10), default=CaseStatus.OPEN)
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="SET NULL"))
    opened_at: Mapped[datetime]
    waiting_since: Mapped[datetime]  # the patient's last unanswered turn
    first_response_due_at: Mapped[datetime]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        CaseStatus.OPEN: frozenset({CaseStatus.CLAIMED, CaseStatus.RESOLVED}),
        CaseStatus.CLAIMED: frozenset({CaseStatus.OPEN, CaseStatus.RESOLVED}),
        CaseStatus.RESOLVED: frozenset({CaseStatus.OPEN}),
    }

    __table_args__ = (
        one_of("status", CaseStatus),
        Index(
            "uq_cases_unresolved_thread",
            "thread_id",
            unique=True,
            sqlite_where=text("status <> 'resolved'"),
            postgresql_where=text("status <> 'resolved'"),
        ),
        Index("ix_cases_queue", "status", "priority", "waiting_since"),
    )


class CaseReason(Base):
    """Why a person is needed: a case collects every reason that arose while it was open."""

    __tablename__ = "case_reasons"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(String(40))
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="SET NULL"))
    at: Mapped[datetime]
