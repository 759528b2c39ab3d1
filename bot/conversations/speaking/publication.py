"""Publications: the approved, immutable state of everything we say.

Files in `data/` are proposals. A publication is a digest over all wordings and facts, with a
proposer, an approver who is another person, and an effective time. Only what is published is said;
turns and notices remember the publication's id. A roll-back is a new approval of an old content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base.database import Base, Key, one_of
from bot.base.errors import BadInput, NotPublished, Tampered
from bot.base.lifecycle import may_move, move
from bot.conversations.speaking import proposal, wording


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
    approved_by: Mapped[str | None] = mapped_column(String(60))  # or who rejected it
    approved_at: Mapped[datetime | None]
    effective_at: Mapped[datetime | None] = mapped_column(index=True)
    based_on: Mapped[int | None] = mapped_column(ForeignKey("publications.id"))  # the latest approved one when proposed

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        PublicationStatus.PROPOSED: frozenset({PublicationStatus.APPROVED, PublicationStatus.REJECTED}),
    }

    __table_args__ = (one_of("status", PublicationStatus),)


@dataclass(frozen=True)
class Published:
    """A publication in force, ready to be said."""

    id: int
    content: Mapping[str, Any]


def propose(session: Session, content: Mapping[str, Any], *, by: str, at: datetime) -> Publication:
    """Store a proposed content; raises BadInput when a text of it cannot be said.

    Nothing is said from it until another person approves it.
    """
    if wrong := wording.problems(content):
        raise BadInput("The proposal has texts that cannot be said:\n" + "\n".join(f"- {problem}" for problem in wrong))
    return _store(session, proposal.canonical(content), by=by, at=at)


def propose_again(session: Session, publication_id: int, *, by: str, at: datetime) -> Publication:
    """Propose the content of an earlier publication anew: the first half of a roll-back. Raises BadInput."""
    old = session.get(Publication, publication_id)
    if old is None or old.status != PublicationStatus.APPROVED:
        raise BadInput(f"There is no publication {publication_id} to go back to.")
    return _store(session, _verified(old).content, by=by, at=at)


def _store(session: Session, text: str, *, by: str, at: datetime) -> Publication:
    publication = Publication(
        digest=proposal.digest(text), content=text, proposed_by=by, proposed_at=at, based_on=_latest_approved(session)
    )
    session.add(publication)
    session.flush()
    return publication


def _latest_approved(session: Session) -> int | None:
    approved = select(Publication.id).where(Publication.status == PublicationStatus.APPROVED)
    return session.scalars(approved.order_by(Publication.approved_at.desc(), Publication.id.desc()).limit(1)).first()


def approve(session: Session, publication_id: int, *, by: str, at: datetime, effective_at: datetime | None = None) -> Publication:
    """Put a proposal into force, at once or from a later moment.

    Raises BadInput when it does not exist, when the approver proposed it, when something else was
    approved since it was made (approving it would silently undo that), or when the moment has passed;
    IllegalMove when it is decided already.
    """
    publication = _proposal(session, publication_id)
    if publication.proposed_by.strip().casefold() == by.strip().casefold():
        raise BadInput(f"{by} proposed {publication_id}; another person has to approve it.")
    if effective_at is not None and effective_at < at:
        raise BadInput("A publication cannot take effect in the past.")
    _verified(publication)
    latest = _latest_approved(session)
    if may_move(publication, PublicationStatus.APPROVED) and latest != publication.based_on:
        raise BadInput(f"Publication {latest} was approved after proposal {publication_id} was made: propose again.")
    move(publication, PublicationStatus.APPROVED)
    publication.approved_by, publication.approved_at = by, at
    publication.effective_at = effective_at or at
    return publication


def reject(session: Session, publication_id: int, *, by: str, at: datetime) -> Publication:
    """Decide that a proposal is never said; who proposed it may do so too. Raises BadInput, IllegalMove."""
    publication = _proposal(session, publication_id)
    move(publication, PublicationStatus.REJECTED)
    publication.approved_by, publication.approved_at = by, at
    return publication


def _proposal(session: Session, publication_id: int) -> Publication:
    publication = session.get(Publication, publication_id, with_for_update=True)
    if publication is None:
        raise BadInput(f"There is no proposal {publication_id}.")
    return publication


def history(session: Session, limit: int = 50) -> list[Publication]:
    """The latest publications and proposals, newest first."""
    return list(session.scalars(select(Publication).order_by(Publication.id.desc()).limit(limit)))


class Library:
    """What is in force now; keeps the last parsed publications, since their content never changes."""

    KEPT = 4

    def __init__(self) -> None:
        self._kept: dict[int, Published] = {}

    def current(self, session: Session, at: datetime) -> Published:
        """The publication in force at a moment; raises NotPublished when nothing is."""
        newest = session.execute(
            select(Publication.id)
            .where(Publication.status == PublicationStatus.APPROVED, Publication.effective_at <= at)
            .order_by(Publication.effective_at.desc(), Publication.id.desc())
            .limit(1)
        ).scalar_one_or_none()
        if newest is None:
            raise NotPublished("Nothing is published yet: run `./candour publish`.")
        return self.get(session, newest)

    def get(self, session: Session, publication_id: int) -> Published:
        """One publication by id, for showing what was said under it."""
        kept = self._kept.get(publication_id)
        if kept is None:
            row = session.get_one(Publication, publication_id)
            kept = Published(publication_id, json.loads(_verified(row).content))
            # Replacing the dictionary, never changing it, keeps readers in other threads safe without a lock.
            newest = sorted([*self._kept.items(), (publication_id, kept)])[-self.KEPT :]
            self._kept = dict(newest)
        return kept


def _verified(publication: Publication) -> Publication:
    if proposal.digest(publication.content) != publication.digest:
        raise Tampered(f"The content of publication {publication.id} does not match its digest.")
    return publication
