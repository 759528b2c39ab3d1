"""What an authority was told: each draft, who approved it, who filed it and when. What was filed never changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of


class FilingStatus(StrEnum):
    """How far a filing is."""

    DRAFT = "draft"  # written; another person reads it
    APPROVED = "approved"  # may be handed over as it stands
    FILED = "filed"  # the authority has it
    WITHDRAWN = "withdrawn"  # never filed


_S = FilingStatus


class Filing(Base):
    """One document for one authority; the first is the report, later ones say what is new since."""

    __tablename__ = "regulator_filings"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    authority: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]  # 1 is the report
    status: Mapped[str] = mapped_column(String(10), default=FilingStatus.DRAFT)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"))  # whose facts it tells
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the text
    drafted_by: Mapped[str] = mapped_column(String(60))
    drafted_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(String(60))
    approved_at: Mapped[datetime | None]
    filed_by: Mapped[str | None] = mapped_column(String(60))
    filed_at: Mapped[datetime | None]
    how: Mapped[str] = mapped_column(String(200), default="")  # by which way it was handed over
    their_reference: Mapped[str] = mapped_column(String(120), default="")

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        _S.DRAFT: frozenset({_S.APPROVED, _S.WITHDRAWN}),
        _S.APPROVED: frozenset({_S.FILED, _S.WITHDRAWN}),
    }

    __table_args__ = (one_of("status", FilingStatus), UniqueConstraint("authority", "number"), {"sqlite_autoincrement": True})
