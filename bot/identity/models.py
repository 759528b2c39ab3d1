"""The rows of an identity check: the check itself, and the codes and notes that are sent for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.base.languages import Language

CODE = "code_dispatches.code"
"""The context under which a code is sealed until it is sent."""


class CheckStatus(StrEnum):
    """Where an identity check is."""

    REFERENCE = "reference"  # the reference on the notice is asked for
    PLACE = "place"  # where the code should go is asked
    CODE = "code"  # a code may be on its way, and is asked for
    WHICH = "which"  # the code was right and several persons share that contact: the reference is asked for
    VERIFIED = "verified"  # who is asking is known, for half an hour of this session
    ENDED = "ended"  # over; `ended_because` says why


class Ending(StrEnum):
    """Why a check or a verified state is over."""

    CANCELLED = "cancelled"  # the patient stopped it
    LOGGED_OUT = "logged_out"  # the patient ended the verified state
    TOO_MANY = "too_many"  # five wrong codes, or as many wrong references
    NO_ACCESS = "no_access"  # no contact on file can be used: another way is taken
    STAFF = "staff"  # the thread went to the team
    SESSION = "session"  # half an hour passed, or a new session began
    ANEW = "anew"  # another check was begun


class Way(StrEnum):
    """Where a code goes."""

    MOBILE = "mobile"
    EMAIL = "email"


class How(StrEnum):
    """What proved who is asking."""

    MOBILE = "mobile"  # a code to a mobile on file
    EMAIL = "email"  # a code to an e-mail address on file
    WHATSAPP = "whatsapp"  # the number on file wrote, and its provider vouches for it


class Check(Base):
    """One attempt to show who is asking, bound to the session it was begun in."""

    __tablename__ = "identity_checks"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    network: Mapped[str | None] = mapped_column(String(80))  # the caller's network address, hashed; none outside the web
    deed: Mapped[str] = mapped_column(String(40), default="")  # what the patient wanted when the check began
    status: Mapped[str] = mapped_column(String(10), default=CheckStatus.REFERENCE)
    subject: Mapped[list[str]] = mapped_column(JSON, default=list)  # what was typed, hashed under every live key
    subject_kind: Mapped[str] = mapped_column(String(10), default="")
    way: Mapped[str | None] = mapped_column(String(10))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id", ondelete="CASCADE"))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_points.id", ondelete="SET NULL"))
    code_entry: Mapped[str | None] = mapped_column(String(80))  # the code, hashed with this check and its dispatch
    code_until: Mapped[datetime | None]
    wrong: Mapped[int] = mapped_column(default=0)
    misread: Mapped[int] = mapped_column(default=0)  # texts that were no reference
    wait_until: Mapped[datetime | None]  # no code is looked at before
    how: Mapped[str | None] = mapped_column(String(10))
    started_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None] = mapped_column(String(12))

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        CheckStatus.REFERENCE: frozenset({CheckStatus.PLACE, CheckStatus.VERIFIED, CheckStatus.ENDED}),
        CheckStatus.PLACE: frozenset({CheckStatus.CODE, CheckStatus.VERIFIED, CheckStatus.ENDED}),
        CheckStatus.CODE: frozenset({CheckStatus.PLACE, CheckStatus.WHICH, CheckStatus.VERIFIED, CheckStatus.ENDED}),
        CheckStatus.WHICH: frozenset({CheckStatus.VERIFIED, CheckStatus.ENDED}),
        CheckStatus.VERIFIED: frozenset({CheckStatus.ENDED}),
    }

    __table_args__ = (
        one_of("status", CheckStatus),
        one_of("ended_because", Ending),
        one_of("way", Way),
        one_of("how", How),
        Index("ix_identity_checks_thread_id_id", "thread_id", "id"),
        Index("ix_identity_checks_network_started_at", "network", "started_at"),
        Index("ix_identity_checks_person_id", "person_id"),
        # A code must never fit another check that later gets this one's number.
        {"sqlite_autoincrement": True},
    )


class DispatchKind(StrEnum):
    """What is sent for a check."""

    CODE = "code"  # the one-time code
    NOTE = "note"  # to another contact of the person: somebody was verified


class DispatchStatus(StrEnum):
    """Where it is on its way."""

    QUEUED = "queued"  # waits for the worker; nothing was sent
    SUBMITTING = "submitting"  # being handed to the provider; committed before the call
    SENT = "sent"  # the provider has it
    DELIVERED = "delivered"  # the handset or the mailbox has it
    UNKNOWN = "unknown"  # the call broke off; never sent again, the patient asks for a new one
    FAILED = "failed"  # it was not taken, did not arrive, or its time ran out
    WITHHELD = "withheld"  # nobody is on file, or may not be written to: worked off like the others, without a send


class CodeDispatch(Base):
    """A code or a note to be sent by the worker; the code lies here sealed and is wiped when the row is worked off."""

    __tablename__ = "code_dispatches"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("identity_checks.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10), default=DispatchKind.CODE)
    way: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(8))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_points.id", ondelete="SET NULL"))
    # What the limits count by, hashed: the thread is in the check.
    destination: Mapped[str] = mapped_column(String(80))  # the contact point's entry; a random one where there is none
    subject: Mapped[str] = mapped_column(String(80))  # what was typed
    network: Mapped[str | None] = mapped_column(String(80))
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    reference: Mapped[str] = mapped_column(String(40), unique=True)  # opaque; travels with it
    sealed_code: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10), default=DispatchStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    until: Mapped[datetime]  # not sent later than this
    lease_until: Mapped[datetime | None]
    provider_id: Mapped[str | None] = mapped_column(String(80))
    code: Mapped[str] = mapped_column(String(20), default="")  # the provider's, of a failure
    reason: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        DispatchStatus.QUEUED: frozenset({DispatchStatus.SUBMITTING, DispatchStatus.WITHHELD, DispatchStatus.FAILED}),
        DispatchStatus.SUBMITTING: frozenset(
            {
                DispatchStatus.QUEUED,
                DispatchStatus.SENT,
                DispatchStatus.DELIVERED,  # the evidence may be there before the call returns
                DispatchStatus.UNKNOWN,
                DispatchStatus.FAILED,
            }
        ),
        # What the provider reports later; a late "delivered" outweighs a failure.
        DispatchStatus.UNKNOWN: frozenset({DispatchStatus.SENT, DispatchStatus.DELIVERED, DispatchStatus.FAILED}),
        DispatchStatus.SENT: frozenset({DispatchStatus.DELIVERED, DispatchStatus.FAILED}),
        DispatchStatus.FAILED: frozenset({DispatchStatus.DELIVERED}),
    }

    __table_args__ = (
        one_of("kind", DispatchKind),
        one_of("way", Way),
        one_of("language", Language),
        one_of("status", DispatchStatus),
        Index("ix_code_dispatches_destination_created_at", "destination", "created_at"),
        Index("ix_code_dispatches_subject_created_at", "subject", "created_at"),
        Index("ix_code_dispatches_network_created_at", "network", "created_at"),
        Index("ix_code_dispatches_thread_id_created_at", "thread_id", "created_at"),
        Index("ix_code_dispatches_created_at", "created_at"),
        Index(
            "ix_code_dispatches_open",
            "due_at",
            sqlite_where=text("status IN ('queued', 'submitting')"),
            postgresql_where=text("status IN ('queued', 'submitting')"),
        ),
    )
