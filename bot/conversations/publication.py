"""Publications: the approved, immutable state of everything we say.

Files in `data/` are proposals. A publication is a digest over all wordings and facts, with a
proposer, an approver and an effective time. Only what is published is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key


class PublicationStatus(StrEnum):
    """Where a publication is on its way to being said."""

    PROPOSED = "proposed"  # waits for a second person
    APPROVED = "approved"  # said from its effective time until a later one takes over
    REJECTED = "rejected"  # will never be said


class Publication(Base):
    """One approved state of all wordings and facts; its content never changes."""

    __tablename__ = "publications"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)  # SHA-256 of the content
    content: Mapped[str] = mapped_column(Text)  # canonical JSON
    status: Mapped[str] = mapped_column(String(10), default=PublicationStatus.PROPOSED)
    proposed_by: Mapped[str] = mapped_column(String(60))
    proposed_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(String(60))
    approved_at: Mapped[datetime | None]
    effective_at: Mapped[datetime | None] = mapped_column(index=True)

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        PublicationStatus.PROPOSED: frozenset({PublicationStatus.APPROVED, PublicationStatus.REJECTED}),
    }
