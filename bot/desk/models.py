"""The rows of the desk: a case and why it is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.desk.staff.models import StaffAccount


class CaseStatus(StrEnum):
    """Where a case is."""

    OPEN = "open"  # it waits for a person to take it
    CLAIMED = "claimed"  # a responder has taken it and owes the patient an answer
    WAITING = "waiting"  # a responder has it and has answered: the patient's turn
    SNOOZED = "snoozed"  # a responder has put it off until a time; a turn of the patient ends that
    RESOLVED = "resolved"  # closed with an outcome
    MERGED = "merged"  # goes on within another case of the same person


LIVE = (CaseStatus.OPEN, CaseStatus.CLAIMED, CaseStatus.WAITING, CaseStatus.SNOOZED)
"""A case in one of these needs a person; a thread has at most one such."""
HELD = (CaseStatus.CLAIMED, CaseStatus.WAITING, CaseStatus.SNOOZED)
"""A case in one of these belongs to a responder."""
_ENDED = "status NOT IN ('resolved', 'merged')"


class Outcome(StrEnum):
    """What became of a case that was resolved."""

    ANSWERED = "answered"  # the question was answered
    HELPED = "helped"  # something was done: a call, a document, a correction
    REFERRED = "referred"  # passed to who is responsible, and the patient knows whom
    SAFE = "safe"  # an emergency in which help was reached
    UNREACHABLE = "unreachable"  # tried as often as the rules say, without an answer
    DUPLICATE = "duplicate"  # the same matter is handled elsewhere
    NO_PATIENT = "no_patient"  # not a patient: press, an abuser, a machine
    NOTHING_NEEDED = "nothing_needed"  # read, and nothing was to be done


class Case(Base):
    """One patient's need for a person; at most one is live per thread."""

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    reason: Mapped[str] = mapped_column(String(40))  # the most urgent of its reasons
    priority: Mapped[int]  # 0 is an emergency, 3 can wait
    team: Mapped[str] = mapped_column(String(20), default="desk")
    status: Mapped[str] = mapped_column(String(10), default=CaseStatus.OPEN)
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(default=1)  # grows with every change: a page sees that it is stale
    opened_at: Mapped[datetime]
    reopened_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime]  # the first turn that nobody has answered; handing a case on does not change it
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey(StaffAccount.id), index=True)
    claimed_at: Mapped[datetime | None]
    touched_at: Mapped[datetime | None]  # when its responder last did something with it
    meant_for: Mapped[int | None] = mapped_column(ForeignKey(StaffAccount.id))  # handed to this person, not taken yet
    snoozed_until: Mapped[datetime | None]
    first_response_due_at: Mapped[datetime]
    first_responded_at: Mapped[datetime | None]
    next_response_due_at: Mapped[datetime | None]  # None while it is the patient's turn
    resolution_due_at: Mapped[datetime | None]
    statutory_due_at: Mapped[datetime | None]  # set by law: runs on every day
    unclaimed_told_at: Mapped[datetime | None]  # when the patient heard that nobody has come yet
    call_back_at: Mapped[datetime | None]  # when the patient chose to be called
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey(StaffAccount.id))
    outcome: Mapped[str | None] = mapped_column(String(16))
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        CaseStatus.OPEN: frozenset({CaseStatus.CLAIMED, CaseStatus.RESOLVED, CaseStatus.MERGED}),
        CaseStatus.CLAIMED: frozenset(
            {CaseStatus.OPEN, CaseStatus.WAITING, CaseStatus.SNOOZED, CaseStatus.RESOLVED, CaseStatus.MERGED}
        ),
        CaseStatus.WAITING: frozenset(
            {CaseStatus.OPEN, CaseStatus.CLAIMED, CaseStatus.SNOOZED, CaseStatus.RESOLVED, CaseStatus.MERGED}
        ),
        CaseStatus.SNOOZED: frozenset({CaseStatus.OPEN, CaseStatus.CLAIMED, CaseStatus.RESOLVED, CaseStatus.MERGED}),
        CaseStatus.RESOLVED: frozenset({CaseStatus.OPEN}),
        CaseStatus.MERGED: frozenset({CaseStatus.OPEN}),
    }

    __table_args__ = (
        one_of("status", CaseStatus),
        one_of("outcome", Outcome),
        Index(
            "uq_cases_unresolved_thread",
            "thread_id",
            unique=True,
            sqlite_where=text(_ENDED),
            postgresql_where=text(_ENDED),
        ),
        Index("ix_cases_queue", "status", "priority", "waiting_since"),
        Index("ix_cases_thread_id_id", "thread_id", "id"),
        Index("ix_cases_resolved_at", "resolved_at"),
    )


class CaseReason(Base):
    """Why a person is needed: a case collects every reason that arose while it was open."""

    __tablename__ = "case_reasons"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(String(40))
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="SET NULL"))
    at: Mapped[datetime]

    __table_args__ = (Index("ix_case_reasons_at", "at", "reason", "case_id"),)
