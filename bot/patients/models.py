"""The rows of a patient: the person, the contact points on file, who stands for whom, the references on notices.

Everything by which a person could be known is sealed, or stands as a keyed hash by which it can be found. What stays readable are
flags without a name: whom a campaign must leave out or reach through somebody else. No health record has a place here, only the
categories of data that were held, and these are sealed too.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.base.languages import Language

RECORD = "persons.record"
"""The context under which a person's record is sealed."""
CONTACT = "contact_points.value"
"""The context under which the value of a contact point is sealed."""


class Category(StrEnum):
    """The kinds of data that may have been held about a person; never the data."""

    IDENTITY = "identity"  # name, sex, date of birth
    IDENTITY_DOCUMENT = "identity_document"  # number or copy of an identity card, passport or permit
    CONTACT = "contact"  # addresses, numbers, next of kin
    APPOINTMENT = "appointment"  # visits and bookings
    MEDICAL = "medical"  # notes, results, prescriptions, images
    PAYMENT = "payment"  # bills and means of payment
    INSURANCE = "insurance"  # policies, claims, company plans


class ContactKind(StrEnum):
    """What kind of address a contact point is."""

    EMAIL = "email"
    MOBILE = "mobile"  # takes calls and texts
    LANDLINE = "landline"  # takes calls only
    PHONE = "phone"  # a number whose country does not tell the two apart
    POST = "post"  # a postal address


NUMBERS = frozenset({ContactKind.MOBILE, ContactKind.LANDLINE, ContactKind.PHONE})
"""The kinds that are telephone numbers; their entries are of one index, so that a number is found whatever its kind."""


class Way(StrEnum):
    """A way of reaching a person that the person may have ruled out."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    PHONE = "phone"
    LETTER = "letter"


class ContactSource(StrEnum):
    """Where a contact point came from."""

    ROSTER = "roster"  # the clinic's file; a later file may retire it
    DESK = "desk"  # added by the team at the patient's wish; no file touches it


class Retirement(StrEnum):
    """Why a contact point is not used any more."""

    ROSTER = "roster"  # a later file no longer has it
    REPLACED = "replaced"  # the patient gave another one
    WRONG_PERSON = "wrong_person"  # whoever has it now is somebody else
    DECEASED = "deceased"  # it was answered that the person has died
    ERASED = "erased"  # its value is gone, at the person's wish


class LinkKind(StrEnum):
    """How another person stands to this one."""

    GUARDIAN = "guardian"  # answers for this person
    EMPLOYER = "employer"  # employs this person: may not see or hear what concerns them


class Person(Base):
    """Somebody whose data may be affected: also a helper, a guardian, a child."""

    __tablename__ = "persons"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key_entry: Mapped[str] = mapped_column(String(80), unique=True)  # the clinic's key, hashed
    sealed_record: Mapped[str] = mapped_column(Text)  # key, names, categories, keys of others; see roster/rows.py
    household_entry: Mapped[str | None] = mapped_column(String(80), index=True)  # equal for those who live together
    language: Mapped[str] = mapped_column(String(8))
    minor: Mapped[bool] = mapped_column(default=False)
    deceased: Mapped[bool] = mapped_column(default=False)
    staff: Mapped[bool] = mapped_column(default=False)
    protected: Mapped[bool] = mapped_column(default=False)  # nothing without a decision of the privacy officer
    not_by: Mapped[str] = mapped_column(String(40), default="")  # ways ruled out, in the order of `Way`, with commas
    import_id: Mapped[int] = mapped_column(ForeignKey("roster_imports.id"))  # the last that changed anything here
    missing_since: Mapped[datetime | None]  # no longer in the file: still a person who must be told

    # The audit names persons by their number: it must not come back.
    __table_args__ = (one_of("language", Language), {"sqlite_autoincrement": True})


class ContactPoint(Base):
    """One address of one person. The same address may be on file for several: then it does not tell who uses it."""

    __tablename__ = "contact_points"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    entry: Mapped[str] = mapped_column(String(80), index=True)
    sealed_value: Mapped[str] = mapped_column(Text)
    place: Mapped[int] = mapped_column(default=0)  # which one first
    safe: Mapped[bool] = mapped_column(default=False)  # where a person has a safe one, no other may be used
    source: Mapped[str] = mapped_column(String(10), default=ContactSource.ROSTER)
    added_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    retired_because: Mapped[str | None] = mapped_column(String(16))

    __table_args__ = (
        one_of("kind", ContactKind),
        one_of("source", ContactSource),
        one_of("retired_because", Retirement),
        CheckConstraint("(retired_at IS NULL) = (retired_because IS NULL)", name="retired"),
        {"sqlite_autoincrement": True},
    )


class NameToken(Base):
    """One word of a person's name, hashed: staff find a person by some of them."""

    __tablename__ = "name_tokens"

    entry: Mapped[str] = mapped_column(String(80), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True, index=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class PersonLink(Base):
    """Who stands for whom, or employs whom."""

    __tablename__ = "person_links"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True, index=True)

    __table_args__ = (one_of("kind", LinkKind), CheckConstraint("person_id <> other_id", name="another"))


class PersonReference(Base):
    """The reference printed on a person's notices, as a keyed hash: it finds the person and proves nothing."""

    __tablename__ = "person_references"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"), index=True)
    entry: Mapped[str] = mapped_column(String(80), unique=True)
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RosterImport(Base):
    """A file that was applied, or whose application has begun: its digest and what it changes, in numbers."""

    __tablename__ = "roster_imports"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the file
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    unfinished: Mapped[bool] = mapped_column(default=False, server_default=false())  # only a part of the file is on file
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = ({"sqlite_autoincrement": True},)
