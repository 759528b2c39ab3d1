"""Threads: opening, numbering, storing turns, and who may answer now (the lease).

A stored turn is the queue entry for its answer. Numbers are given out by updating the thread's row,
which is also its lock: on PostgreSQL the row, on SQLite the one writer.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from bot.conversations.models import PatientSession, Thread, Turn, TurnStatus

SESSION = timedelta(minutes=30)
"""Without activity for this long the next turn begins a new session (`desk.md` 16)."""
LEASE = timedelta(seconds=20)
"""How long an answer may take before somebody else may try: the engine's time-out and some room."""
RENEW_ENGINE_KEY_AFTER = 20
"""The engine's cost per turn grows with the length of what it remembers."""


def open_thread(session: Session, *, channel: str, address_index: str, language: str, at: datetime) -> Thread:
    """A new thread for an address that has none; its language is a guess until the patient writes or chooses."""
    thread = Thread(channel=channel, address_index=address_index, language=language, created_at=at)
    session.add(thread)
    session.flush()
    return thread


def find_thread(session: Session, address_indexes: Sequence[str]) -> Thread | None:
    """The thread of an address, given its blind indexes under all live keys."""
    return session.scalars(select(Thread).where(Thread.address_index.in_(address_indexes))).first()


def store_turn(
    session: Session,
    thread_id: int,
    *,
    external_id: str,
    sealed_text: str | None,
    choice: str | None,
    at: datetime,
    network: str | None = None,
) -> tuple[Turn, bool]:
    """Keep a turn and say whether it is new; the same external id again gives back the first one, unchanged.

    `network` is the index of the network address it came from, where there is one.
    """
    # Taking the number locks the thread, so two deliveries of one turn cannot both find it missing.
    number = take_number(session, thread_id)
    known = session.scalars(select(Turn).where(Turn.thread_id == thread_id, Turn.external_id == external_id)).first()
    if known is not None:
        session.execute(update(Thread).where(Thread.id == thread_id).values(last_number=number - 1))
        return known, False
    patient_session = session_for(session, thread_id, at)
    patient_session.network = network
    turn = Turn(
        thread_id=thread_id,
        session_id=patient_session.id,
        number=number,
        external_id=external_id,
        sealed_text=sealed_text,
        choice=choice,
        received_at=at,
    )
    session.add(turn)
    session.flush()
    return turn, True


def take_number(session: Session, thread_id: int) -> int:
    """The next number of a thread; locks the thread until the transaction ends."""
    statement = (
        update(Thread).where(Thread.id == thread_id).values(last_number=Thread.last_number + 1).returning(Thread.last_number)
    )
    return session.execute(statement).scalar_one()


def heads(session: Session, thread_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """The last number given out in each thread, and who owns it."""
    rows = session.execute(select(Thread.id, Thread.last_number, Thread.owner).where(Thread.id.in_(thread_ids)))
    return {thread_id: (number, owner) for thread_id, number, owner in rows}


def session_for(session: Session, thread_id: int, at: datetime) -> PatientSession:
    """The session that activity at this moment belongs to; a new one after half an hour of silence."""
    latest = latest_session(session, thread_id)
    if latest is None or at - latest.active_at > SESSION:
        latest = PatientSession(thread_id=thread_id, engine_key=new_engine_key(), started_at=at, active_at=at)
        session.add(latest)
        session.flush()
    latest.active_at = max(at, latest.active_at)
    return latest


def latest_session(session: Session, thread_id: int) -> PatientSession | None:
    """The newest session of a thread."""
    newest_first = select(PatientSession).where(PatientSession.thread_id == thread_id).order_by(PatientSession.id.desc())
    return session.scalars(newest_first.limit(1)).first()


def new_engine_key() -> str:
    """A random key under which the engine remembers a session; it says nothing about the patient."""
    return secrets.token_urlsafe(24)


def take_lease(session: Session, thread_id: int, at: datetime) -> str | None:
    """A token that allows answering this thread for a while, or None when somebody else holds it."""
    token = secrets.token_hex(16)
    taken = session.execute(
        update(Thread)
        .where(Thread.id == thread_id, or_(Thread.lease_until.is_(None), Thread.lease_until <= at))
        .values(lease_token=token, lease_until=at + LEASE)
        .returning(Thread.id)
    )
    return token if taken.first() else None


def renew_lease(session: Session, thread_id: int, token: str, at: datetime) -> bool:
    """Hold on to a lease for the next turn; False when it was lost. Locks the thread."""
    kept = session.execute(
        update(Thread)
        .where(Thread.id == thread_id, Thread.lease_token == token)
        .values(lease_until=at + LEASE)
        .returning(Thread.id)
    )
    return kept.first() is not None


def drop_lease(session: Session, thread_id: int, token: str) -> None:
    """Let others answer this thread; harmless when the lease was lost."""
    session.execute(
        update(Thread).where(Thread.id == thread_id, Thread.lease_token == token).values(lease_token=None, lease_until=None)
    )


def next_waiting(session: Session, thread_id: int) -> Turn | None:
    """The oldest turn of a thread that nobody has answered."""
    waiting = select(Turn).where(Turn.thread_id == thread_id, Turn.status == TurnStatus.STORED.value)
    return session.scalars(waiting.order_by(Turn.number).limit(1)).first()


def waiting_threads(session: Session, *, older_than: datetime, at: datetime, limit: int) -> list[int]:
    """Threads with a turn stored before `older_than` which nobody is answering now, the longest waiting first."""
    waiting = (
        select(Turn.thread_id)
        .where(Turn.status == TurnStatus.STORED.value, Turn.received_at <= older_than)
        .where(exists().where(Thread.id == Turn.thread_id, or_(Thread.lease_until.is_(None), Thread.lease_until <= at)))
        .group_by(Turn.thread_id)
        .order_by(func.min(Turn.received_at), Turn.thread_id)
        .limit(limit)
    )
    return list(session.scalars(waiting))
