"""The rows of letters and of notices to the public. A batch never changes once it is made; no address or name lies here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of


class LetterBatch(Base):
    """Letters made together, as one PDF and one list of addresses for the printing house."""

    __tablename__ = "letter_batches"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    letters: Mapped[int]
    pages: Mapped[int]
    registered: Mapped[bool] = mapped_column(default=False)  # all of it goes by registered post
    pdf_sha256: Mapped[str] = mapped_column(String(64))
    list_sha256: Mapped[str] = mapped_column(String(64))
    posted_at: Mapped[datetime | None]
    posted_by: Mapped[str | None] = mapped_column(String(60))
    receipt: Mapped[str] = mapped_column(String(120), default="")  # what the post or the printing house gave for it
    emptied_at: Mapped[datetime | None]  # its files are gone: their time was over

    __table_args__ = ({"sqlite_autoincrement": True},)


class Return(StrEnum):
    """Why a letter came back, as the post marks it."""

    MOVED = "moved"  # gone away, no forwarding address
    UNKNOWN = "unknown"  # not known at this address
    INCOMPLETE = "incomplete"  # the address is incomplete or does not exist
    REFUSED = "refused"  # not accepted
    UNCLAIMED = "unclaimed"  # registered, and nobody fetched it
    DECEASED = "deceased"  # marked that the person has died
    OTHER = "other"  # anything else


class Letter(Base):
    """One letter of a batch."""

    __tablename__ = "letters"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("letter_batches.id"), index=True)
    place: Mapped[int]  # within the batch, from 1
    pages: Mapped[int]
    number: Mapped[str] = mapped_column(String(14), unique=True)  # printed beside the address, read when it comes back
    returned_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(10))

    __table_args__ = (one_of("why", Return),)


class Medium(StrEnum):
    """Where the public is told."""

    WEBSITE = "website"
    NEWSPAPER = "newspaper"
    POSTER = "poster"  # in the clinics
    BROADCAST = "broadcast"
    OTHER = "other"


class PublicNotice(Base):
    """A notice to the public that stands for those nobody could reach: where, from when to when, and what it said."""

    __tablename__ = "public_notices"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    medium: Mapped[str] = mapped_column(String(10))
    place: Mapped[str] = mapped_column(String(300))  # an address of a page, the name and page of a newspaper
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    sha256: Mapped[str] = mapped_column(String(64))  # of the scan, or of the page as it stood
    file: Mapped[str] = mapped_column(String(80))  # its name in the folder of public notices
    people: Mapped[int]  # for how many it stands
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]

    __table_args__ = (one_of("medium", Medium), {"sqlite_autoincrement": True})
