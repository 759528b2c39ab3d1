"""The row of a note to a contact: that a contact of the same person was changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.base.languages import Language


class NoteStatus(StrEnum):
    """Where a note is on its way."""

    QUEUED = "queued"  # waits for the worker; nothing was sent
    SUBMITTING = "submitting"  # being handed to the provider; committed before the call
    SENT = "sent"  # the provider has it
    UNKNOWN = "unknown"  # the call broke off; not sent again without a person
    FAILED = "failed"  # it was not taken


class ContactNote(Base):
    """A note to a contact that was on file before: a contact of this person was changed. Says nothing else."""

    __tablename__ = "contact_notes"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), index=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_points.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    reference: Mapped[str] = mapped_column(String(40), unique=True)  # opaque; travels with it
    status: Mapped[str] = mapped_column(String(10), default=NoteStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    provider_id: Mapped[str | None] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(120), default="")
    made_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        NoteStatus.QUEUED: frozenset({NoteStatus.SUBMITTING, NoteStatus.FAILED}),
        NoteStatus.SUBMITTING: frozenset({NoteStatus.QUEUED, NoteStatus.SENT, NoteStatus.UNKNOWN, NoteStatus.FAILED}),
    }

    __table_args__ = (
        one_of("status", NoteStatus),
        one_of("language", Language),
        Index(
            "ix_contact_notes_open",
            "due_at",
            sqlite_where=text("status IN ('queued', 'submitting')"),
            postgresql_where=text("status IN ('queued', 'submitting')"),
        ),
    )
