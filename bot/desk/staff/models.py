"""The rows of staff: accounts, links, sessions, attempts to sign in, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of

PROFILE = "staff_accounts.profile"
SECRET = "staff_accounts.totp"  # noqa: S105 - what the seal is bound to
DETAILS = "approvals.details"
"""What sealed fields are bound to."""


class AccountStatus(StrEnum):
    """Whether somebody may sign in."""

    INVITED = "invited"  # has a link and has not chosen a password yet
    ACTIVE = "active"  # may sign in
    SUSPENDED = "suspended"  # may not; what they did stays


class StaffAccount(Base):
    """A member of the team."""

    __tablename__ = "staff_accounts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    login_entry: Mapped[str] = mapped_column(String(80), unique=True)  # keyed hash of the sign-in name
    sealed_profile: Mapped[str] = mapped_column(Text)  # name shown to colleagues, sign-in name, mobile, e-mail
    roles: Mapped[list[str]] = mapped_column(JSON)
    language: Mapped[str] = mapped_column(String(8), default="en")
    status: Mapped[str] = mapped_column(String(10), default=AccountStatus.INVITED)
    password_hash: Mapped[str | None] = mapped_column(String(200))  # Argon2id, with its parameters
    sealed_totp: Mapped[str | None] = mapped_column(Text)
    totp_step: Mapped[int] = mapped_column(Key, default=0)  # the last step that was used: a code works once
    on_duty: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        AccountStatus.INVITED: frozenset({AccountStatus.ACTIVE, AccountStatus.SUSPENDED}),
        AccountStatus.ACTIVE: frozenset({AccountStatus.SUSPENDED}),
        AccountStatus.SUSPENDED: frozenset({AccountStatus.ACTIVE}),
    }

    # The audit names staff by number: it must not come back.
    __table_args__ = (one_of("status", AccountStatus), {"sqlite_autoincrement": True})


class StaffLink(Base):
    """A one-time link to choose a password and a second factor; only its hash is kept."""

    __tablename__ = "staff_links"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_accounts.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sealed_totp: Mapped[str] = mapped_column(Text)  # the secret that is offered; becomes the account's when a code proves it
    tries: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StaffSession(Base):
    """Somebody who is signed in; only the hash of the cookie is kept."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_accounts.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf: Mapped[str] = mapped_column(String(64))  # goes into the forms of this session
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class StaffAttempt(Base):
    """A try to sign in or to look something up: counted, and forgotten after a day."""

    __tablename__ = "staff_attempts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    entry: Mapped[str] = mapped_column(String(80))  # keyed hash of who, or of the address
    at: Mapped[datetime]

    __table_args__ = (Index("ix_staff_attempts_kind_entry_at", "kind", "entry", "at"),)


class ApprovalStatus(StrEnum):
    """Where something is that needs two people."""

    REQUESTED = "requested"  # waits for another person
    APPROVED = "approved"  # another person agreed; it was done in the same transaction
    REFUSED = "refused"  # another person said no, or whoever asked took it back
    EXPIRED = "expired"  # nobody decided in time


class Approval(Base):
    """Something one person asks for and another one decides."""

    __tablename__ = "approvals"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    what: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(60))
    sealed_details: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10), default=ApprovalStatus.REQUESTED)
    asked_by: Mapped[int] = mapped_column(ForeignKey("staff_accounts.id"))
    asked_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_accounts.id"))
    decided_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # numbers for the list of requests, nothing personal

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        ApprovalStatus.REQUESTED: frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REFUSED, ApprovalStatus.EXPIRED}),
    }

    __table_args__ = (
        one_of("status", ApprovalStatus),
        Index(
            "ix_approvals_requested",
            "ends_at",
            sqlite_where=text("status = 'requested'"),
            postgresql_where=text("status = 'requested'"),
        ),
    )
