"""What responders keep with a case: notes, drafts, calls, reminders, persons, merges, replies on their way.

A note is a row of its own kind: no flag turns it into something that is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.desk.staff.models import StaffAccount
from bot.patients.models import Person

NOTE = "case_notes.text"
CALL = "case_calls.text"
DRAFT = "case_drafts.text"
REPLY = "staff_replies.free"
"""What sealed texts are bound to."""


class CaseNote(Base):
    """A private remark of a responder; never sent to anybody."""

    __tablename__ = "case_notes"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id))
    sealed_text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class CallResult(StrEnum):
    """What came of a telephone call."""

    REACHED = "reached"  # spoke with the patient
    NO_ANSWER = "no_answer"  # rang, nobody answered
    OTHER_PERSON = "other_person"  # somebody else answered: nothing was said about the matter
    WRONG_NUMBER = "wrong_number"  # not the patient's number


class CaseCall(Base):
    """A telephone call made or taken for a case."""

    __tablename__ = "case_calls"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id))
    result: Mapped[str] = mapped_column(String(16))
    minutes: Mapped[int] = mapped_column(default=0)
    sealed_text: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]

    __table_args__ = (one_of("result", CallResult),)


class Why(StrEnum):
    """Why somebody is reminded of a case."""

    ASKED = "asked"  # they wanted to be
    TAKEN_OVER = "taken_over"  # a colleague took it from them
    RETURNED = "returned"  # they did nothing with it for too long: it is back in the queue
    NOT_SENT = "not_sent"  # a reply of theirs could not be said


class CaseReminder(Base):
    """A responder is reminded of a case."""

    __tablename__ = "case_reminders"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id), index=True)
    why: Mapped[str] = mapped_column(String(12), default=Why.ASKED)
    due_at: Mapped[datetime]
    made_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    __table_args__ = (one_of("why", Why),)


class CaseDraft(Base):
    """What a responder has written and not sent: one per case and person, kept on the server."""

    __tablename__ = "case_drafts"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id), primary_key=True)
    names: Mapped[list[str]] = mapped_column(JSON)  # approved texts that were chosen
    sealed_text: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]


class CasePresence(Base):
    """Who looks at a case, and types; runs out by itself."""

    __tablename__ = "case_presence"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id), primary_key=True)
    until: Mapped[datetime]
    typing_until: Mapped[datetime | None]


class Known(StrEnum):
    """How it is known that a case concerns a person on file."""

    VERIFIED = "verified"  # a one-time code to a contact on file
    CONFIRMED = "confirmed"  # a responder reached them through a contact on file
    MENTIONED = "mentioned"  # the case is about them; proves nothing


class CasePerson(Base):
    """A person on file whom a case concerns."""

    __tablename__ = "case_persons"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True, index=True)
    known: Mapped[str] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]

    __table_args__ = (one_of("known", Known),)


class CaseMerge(Base):
    """A case that was put into another, with what is needed to take it out again."""

    __tablename__ = "case_merges"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    into_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id))
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class StaffReplyStatus(StrEnum):
    """Where a responder's reply is."""

    PENDING = "pending"  # may still be taken back
    SENT = "sent"  # it is a line of the transcript, and in the outbox where the channel has one
    UNDONE = "undone"  # taken back in time
    FAILED = "failed"  # its texts were no longer published when its time came; the case is back with its responder


class StaffReply(Base):
    """A reply that a responder has sent and that leaves when its time to be taken back is over."""

    __tablename__ = "staff_replies"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id))
    names: Mapped[list[str]] = mapped_column(JSON)
    sealed_free: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    seen_number: Mapped[int]  # the last line its author had seen
    status: Mapped[str] = mapped_column(String(10), default=StaffReplyStatus.PENDING)
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("replies.id", ondelete="SET NULL"))
    written_at: Mapped[datetime]
    due_at: Mapped[datetime]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        StaffReplyStatus.PENDING: frozenset({StaffReplyStatus.SENT, StaffReplyStatus.UNDONE, StaffReplyStatus.FAILED}),
    }

    __table_args__ = (
        one_of("status", StaffReplyStatus),
        Index(
            "ix_staff_replies_pending",
            "due_at",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )


class Switch(StrEnum):
    """What can be switched for the whole desk."""

    TYPHOON = "typhoon"  # signal 8 or above: the clocks of what is not urgent stand still
    BLACK_RAIN = "black_rain"  # black rainstorm warning: the same
    SURGE = "surge"  # more patients than the desk can take: shorter ways, call-backs, the delay is shown
    LEGAL_HOLD = "legal_hold"  # nothing that was written is removed, however old it is


class CallBooking(Base):
    """A call at a set time that a patient has booked while the desk was in surge; at most one is good per case."""

    __tablename__ = "call_bookings"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    slot: Mapped[datetime] = mapped_column(index=True)  # the call comes within an hour from then
    made_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]  # somebody called, whether the patient was reached or not

    __table_args__ = (
        Index(
            "uq_call_bookings_case",
            "case_id",
            unique=True,
            sqlite_where=text("cancelled_at IS NULL AND called_at IS NULL"),
            postgresql_where=text("cancelled_at IS NULL AND called_at IS NULL"),
        ),
    )


class DeskSwitch(Base):
    """A time during which something was switched on; open while `until` is empty."""

    __tablename__ = "desk_switches"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    switch: Mapped[str] = mapped_column(String(12), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    on_by: Mapped[str] = mapped_column(String(60))
    off_by: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (
        one_of("switch", Switch),
        Index(
            "uq_desk_switches_on",
            "switch",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )


class PageStatus(StrEnum):
    """Where a page to somebody on duty is."""

    WAITING = "waiting"  # to be sent; when its sender dies it is sent again, which does no harm
    SENT = "sent"  # the provider has it
    FAILED = "failed"  # the provider refused it


class PageAbout(StrEnum):
    """What somebody is called for."""

    CASES = "cases"  # cases lie unclaimed
    SURGE = "surge"  # the load has crossed its limit: surge is suggested
    SILENCE = "silence"  # patients write and nobody is answered


class Page(Base):
    """A call for help to a member of the team on duty, by SMS or e-mail; says nothing about any patient."""

    __tablename__ = "desk_pages"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id), index=True)
    about: Mapped[str] = mapped_column(String(8), default=PageAbout.CASES, server_default=PageAbout.CASES.value)
    channel: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(String(300))
    status: Mapped[str] = mapped_column(String(10), default=PageStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(120), default="")
    made_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        PageStatus.WAITING: frozenset({PageStatus.SENT, PageStatus.FAILED}),
    }

    __table_args__ = (
        one_of("status", PageStatus),
        one_of("about", PageAbout),
        Index("ix_desk_pages_made_at", "made_at"),
    )
