"""Whether a person may be told about by the assistant at all, and what the person wished about our messages.

A proof of identity opens an answer only where nothing stands in the way: a person under protection, one who has died, or one of
whom somebody said "that was not me" is answered by the team alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base.database import Base, Key, one_of
from bot.patients.finding import wards_of
from bot.patients.models import ContactPoint, Person


class HoldReason(StrEnum):
    """Why the assistant tells nobody about a person."""

    IDENTITY_DOUBTED = "identity_doubted"  # a contact of the person said that somebody else was verified
    DEATH_REPORTED = "death_reported"  # it was answered that the person has died; a person has to make sure


class PersonHold(Base):
    """Nothing personal is said about this person until the team lifts it."""

    __tablename__ = "person_holds"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), index=True)
    because: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (one_of("because", HoldReason),)


class PersonWish(Base):
    """What a person, or the person's guardian, wished about our messages after showing who they are."""

    __tablename__ = "person_wishes"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True)
    stopped_at: Mapped[datetime | None]  # no notices by e-mail, SMS or WhatsApp since then
    changed_at: Mapped[datetime]


def hold(session: Session, person_id: int, because: HoldReason, at: datetime) -> bool:
    """Tell nobody about this person from now on; returns whether that is new."""
    if is_held(session, person_id):
        return False
    session.add(PersonHold(person_id=person_id, because=because.value, since=at))
    session.flush()
    return True


def lift(session: Session, person_id: int, by: str, at: datetime) -> int:
    """Let the assistant answer about this person again; returns how many holds were lifted."""
    still = session.scalars(select(PersonHold).where(PersonHold.person_id == person_id, PersonHold.lifted_at.is_(None))).all()
    for one in still:
        one.lifted_at, one.lifted_by = at, by
    return len(still)


def is_held(session: Session, person_id: int) -> bool:
    """Whether the team alone answers about this person for now."""
    still = select(PersonHold.id).where(PersonHold.person_id == person_id, PersonHold.lifted_at.is_(None))
    return session.scalar(still.limit(1)) is not None


def may_be_told(session: Session, person: Person) -> bool:
    """Whether the assistant may tell the person, once proven, what is on file."""
    return not (person.protected or person.deceased or is_held(session, person.id))


def wards_to_tell(session: Session, guardian_id: int) -> Sequence[Person]:
    """The wards about whom their guardian on file may be told.

    Not one who has a safe contact of its own: whoever it must be safe from may be the guardian.
    """
    wards = [ward for ward in wards_of(session, guardian_id) if may_be_told(session, ward)]
    if not wards:
        return []
    safe = select(ContactPoint.person_id).where(ContactPoint.person_id.in_([ward.id for ward in wards]), ContactPoint.safe)
    apart = set(session.scalars(safe.where(ContactPoint.retired_at.is_(None))))
    return [ward for ward in wards if ward.id not in apart]


def wish(session: Session, person_id: int, *, stopped: bool, at: datetime) -> None:
    """Keep that notices shall stop, or may come again."""
    known = session.get(PersonWish, person_id)
    if known is None:
        session.add(PersonWish(person_id=person_id, stopped_at=at if stopped else None, changed_at=at))
    else:
        known.stopped_at, known.changed_at = (at if stopped else None), at
    session.flush()


def has_stopped(session: Session, person_id: int) -> bool:
    """Whether no notice may go to this person by e-mail, SMS or WhatsApp; whoever sends asks here."""
    known = session.get(PersonWish, person_id)
    return known is not None and known.stopped_at is not None
