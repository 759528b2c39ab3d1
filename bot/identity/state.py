"""Who is verified in a session, and the ends of checks and verified states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.conversations.models import Owner, Thread
from bot.conversations.speaking.levels import Verified
from bot.identity.models import Check, CheckStatus, Ending

LASTS = timedelta(minutes=30)
"""How long somebody stays verified at most."""


def verified_person(session: Session, session_id: int, at: datetime) -> Verified | None:
    """Who is verified in this session now; None for everybody else, and while the team has the thread."""
    verified = (
        select(Check)
        .join(Thread, Thread.id == Check.thread_id)
        .where(Check.session_id == session_id, Check.status == CheckStatus.VERIFIED.value, Thread.owner != Owner.STAFF.value)
    )
    check = session.scalars(verified.order_by(Check.id.desc()).limit(1)).first()
    if check is None or check.person_id is None or check.verified_at is None or at >= check.verified_at + LASTS:
        return None
    return Verified(check.session_id, check.person_id, check.verified_at + LASTS)


def current(session: Session, thread_id: int) -> Check | None:
    """The check of a thread that has not ended, a verified one too."""
    newest = select(Check).where(Check.thread_id == thread_id, Check.status != CheckStatus.ENDED.value)
    return session.scalars(newest.order_by(Check.id.desc()).limit(1)).first()


def end(session: Session, vault: Vault, thread_id: int, because: Ending, at: datetime) -> bool:
    """End whatever check or verified state a thread has; returns whether there was one."""
    still_on = select(Check).where(Check.thread_id == thread_id, Check.status != CheckStatus.ENDED.value)
    checks = session.scalars(still_on).all()
    for check in checks:
        over(session, vault, check, because, at)
    return bool(checks)


def over(session: Session, vault: Vault, check: Check, because: Ending, at: datetime) -> None:
    """End one check: its code is worth nothing any more."""
    move(check, CheckStatus.ENDED)
    check.ended_at, check.ended_because, check.code_entry = at, because.value, None
    note(session, vault, check, "ended", at, because=because.value)


def lapse(session: Session, vault: Vault, thread: Thread, session_id: int | None, at: datetime) -> bool:
    """End what does not outlive its session or its half hour; returns whether something ended.

    Gives a thread that was being verified back to the assistant.
    """
    check = current(session, thread.id)
    stale = check is not None and (
        check.session_id != session_id or (check.verified_at is not None and at >= check.verified_at + LASTS)
    )
    if stale:
        end(session, vault, thread.id, Ending.SESSION, at)
    if thread.owner == Owner.VERIFYING.value and (check is None or stale):
        thread.owner = Owner.BOT.value
    return stale


def code_open(session: Session, thread_id: int, at: datetime) -> bool:
    """Whether a code that was sent for this thread may still be typed somewhere."""
    recent = select(Check.id).where(Check.thread_id == thread_id, Check.code_until > at).limit(1)
    return session.scalar(recent) is not None


def note(session: Session, vault: Vault, check: Check, what: str, at: datetime, **content: object) -> None:
    """Put a step of a check into the sealed log; codes and references have no place in `content`."""
    audit.record(
        session,
        at=at,
        actor="patient",
        kind=f"identity.{what}",
        subject=f"thread:{check.thread_id}",
        content={"check": check.id, **content},
        vault=vault,
    )


@dataclass(frozen=True)
class Proof:
    """That somebody showed on a thread who they are: whom, when, how, and whether it counts still."""

    thread_id: int
    person_id: int
    at: datetime
    how: str
    counts: bool  # within its half hour, and not ended


def last_proof(session: Session, thread_ids: Sequence[int], at: datetime) -> Proof | None:
    """The newest proof on any of these threads, for the team to see; None when nobody ever showed who they are."""
    proven = select(Check).where(Check.thread_id.in_(thread_ids), Check.verified_at.is_not(None), Check.person_id.is_not(None))
    check = session.scalars(proven.order_by(Check.verified_at.desc()).limit(1)).first()
    if check is None or check.person_id is None or check.verified_at is None:
        return None
    counts = check.status == CheckStatus.VERIFIED and at < check.verified_at + LASTS
    return Proof(check.thread_id, check.person_id, check.verified_at, check.how or "", counts)
