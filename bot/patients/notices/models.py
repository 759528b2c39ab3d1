"""The rows of notices on file: which notice went to which person, how, and on which day; never what it said."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.patients.models import Way


class NoticeImport(Base):
    """A list of notices that was stored: its digest and how many rows of it were new."""

    __tablename__ = "notice_imports"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the file
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    added: Mapped[int]


class NoticeOnFile(Base):
    """One notice to one person by one way on one day."""

    __tablename__ = "notices_on_file"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))  # the same for everybody: it says nothing about the person
    version: Mapped[str] = mapped_column(String(20))
    way: Mapped[str] = mapped_column(String(10))
    sent_on: Mapped[date] = mapped_column(Date)  # in Hong Kong
    import_id: Mapped[int] = mapped_column(ForeignKey("notice_imports.id"))

    __table_args__ = (one_of("way", Way), UniqueConstraint("person_id", "name", "version", "way", "sent_on"))
