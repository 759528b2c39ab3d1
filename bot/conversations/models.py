"""The rows of a conversation: thread, session, turn, reply.

A *thread* is one patient's line on one channel; it carries order, language, owner and opt-out. A
*session* is half an hour of activity in it; verification and the engine's key live and die with
it, ownership does not. A *turn* is what the patient sent; its row is also the work queue. A *reply*
is what was said back. Turns and replies share one numbering per thread, given out under the
thread's row lock, so that a reader who knows the last number never misses one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of


class Owner(StrEnum):
    """Who answers the next turn of a thread."""

    BOT = "bot"  # the assistant
    VERIFYING = "verifying"  # an identity check is under way; its words never reach the engine
    STAFF = "staff"  # a person of the response team; the assistant is silent


class TurnStatus(StrEnum):
    """Where an incoming turn is on its way to an answer."""

    STORED = "stored"  # received and kept; nobody has answered yet
    ANSWERED = "answered"  # the assistant replied
    QUEUED = "queued"  # it waits in an open case for a person
    FAILED = "failed"  # understanding failed: the patient got an apology and a case


class Thread(Base):
    """One patient's line on one channel."""

    __tablename__ = "threads"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    address_index: Mapped[str] = mapped_column(String(80), unique=True)  # keyed hash of the web cookie or address
    language: Mapped[str] = mapped_column(String(8))
    language_chosen: Mapped[bool] = mapped_column(default=False)  # the patient fixed it by word or button
    owner: Mapped[str] = mapped_column(String(10), default=Owner.BOT)
    opted_out_at: Mapped[datetime | None]
    # Empty on the web, where the cookie is the address.
    own_address: Mapped[str | None] = mapped_column(String(255))  # ours: what the patient wrote to, and replies leave from
    sealed_address: Mapped[str | None] = mapped_column(Text)  # theirs
    statement_at: Mapped[datetime | None]  # when the collection statement was said with a reply
    last_number: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(32))  # who is answering now
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    # The number of an erased thread must not come back: the audit names threads by it.
    __table_args__ = (one_of("owner", Owner), {"sqlite_autoincrement": True})


class PatientSession(Base):
    """Half an hour of activity in a thread."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    engine_key: Mapped[str] = mapped_column(String(40))
    engine_turns: Mapped[int] = mapped_column(default=0)  # since the key was renewed
    misses: Mapped[int] = mapped_column(default=0)  # turns in a row that were not understood
    network: Mapped[str | None] = mapped_column(String(80))  # where its last turn came from, hashed; none outside the web
    wanted: Mapped[str | None] = mapped_column(String(40))  # what was asked for that is told only after proof
    started_at: Mapped[datetime]
    active_at: Mapped[datetime]

    __table_args__ = (Index("ix_sessions_thread_id_id", "thread_id", "id"),)


class Turn(Base):
    """What a patient sent, and the queue of what is still to be answered."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id", ondelete="SET NULL"))
    number: Mapped[int]
    external_id: Mapped[str] = mapped_column(String(80))  # the client's or provider's id: a repeat is not stored twice
    sealed_text: Mapped[str | None] = mapped_column(Text)  # the patient's words, encrypted
    choice: Mapped[str | None] = mapped_column(String(40))  # the id of a pressed button
    attached: Mapped[str | None] = mapped_column(String(20))  # the kind of what came with it and was not opened
    keyword: Mapped[str | None] = mapped_column(String(10))  # what the provider took it for: STOP, START, HELP
    sealed_letter: Mapped[str | None] = mapped_column(Text)  # ids and subject of an e-mail, for the answer to join it
    status: Mapped[str] = mapped_column(String(10), default=TurnStatus.STORED)
    language: Mapped[str | None] = mapped_column(String(8))
    topic: Mapped[str | None] = mapped_column(String(60))  # the first of the ranking
    confidence: Mapped[float | None]
    ranking: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        TurnStatus.STORED: frozenset({TurnStatus.ANSWERED, TurnStatus.QUEUED, TurnStatus.FAILED}),
    }

    __table_args__ = (
        one_of("status", TurnStatus),
        UniqueConstraint("thread_id", "external_id"),
        UniqueConstraint("thread_id", "number"),
        Index("ix_turns_external_id", "external_id"),  # of which line is the e-mail that another one answers
        # All that figures count, so that they need not read past the sealed texts.
        Index("ix_turns_received_at", "received_at", "topic", "language", "thread_id", "status"),
        Index(
            "ix_turns_waiting",
            "thread_id",
            "number",
            sqlite_where=text("status = 'stored'"),
            postgresql_where=text("status = 'stored'"),
        ),
    )


class Reply(Base):
    """What was said back, and out of which publication."""

    __tablename__ = "replies"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id", ondelete="SET NULL"))
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), unique=True)
    number: Mapped[int]
    author: Mapped[str] = mapped_column(String(10), default=Owner.BOT)
    say: Mapped[list[str]] = mapped_column(JSON)  # names of the wordings, in order
    language: Mapped[str] = mapped_column(String(8))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"))
    sealed_text: Mapped[str] = mapped_column(Text)
    choices: Mapped[list[dict[str, str]]] = mapped_column(JSON)  # [{id, label, topic}]
    created_at: Mapped[datetime]

    __table_args__ = (
        one_of("author", Owner),
        UniqueConstraint("thread_id", "number"),
        Index("ix_replies_created_at", "created_at"),
    )
