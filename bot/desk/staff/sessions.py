"""Signing in and staying signed in.

A session lives on the server; its cookie holds a random token whose hash alone is kept. It locks after a quarter of an
hour without a touch and ends after twelve hours whatever happens. Sign-in is the same work and the same words
whether or not somebody of that name exists.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.database import Database
from bot.base.errors import NotAuthentic
from bot.base.vault import BlindIndex, Vault
from bot.desk.staff import accounts, secrecy, throttle
from bot.desk.staff.models import SECRET, AccountStatus, StaffAccount, StaffSession
from bot.desk.staff.roles import Permission, permitted

IDLE = timedelta(minutes=15)
LASTS = timedelta(hours=12)
TOUCH_EVERY = timedelta(seconds=30)
"""How often the time of the last touch is written at most."""


class SessionState(StrEnum):
    """Whether a session may be used."""

    OPEN = "open"  # may be used
    LOCKED = "locked"  # nobody touched it for a while: password and code open it again


@dataclass(frozen=True, repr=False)
class SignedIn:
    """Who is signed in, and what goes into cookie and forms."""

    staff_id: int
    session_id: int
    token: str
    csrf: str


@dataclass(frozen=True, repr=False)
class Present:
    """Who makes a request."""

    account: StaffAccount
    session_id: int
    csrf: str
    state: SessionState
    may: frozenset[Permission]
    touch_due: bool = True  # whether it is time to write down that somebody is there


def sign_in(
    database: Database,
    vault: Vault,
    index: BlindIndex,
    *,
    login: str,
    password: str,
    code: str,
    address: str,
    at: datetime,
) -> SignedIn:
    """Begin a session; raises NotAuthentic, deliberately vague, or TooMany with the time to wait.

    Takes the database and not a session: a try is counted although it fails, and Argon2 must not hold up who writes.
    """
    who, where = index.index(accounts.LOGIN, f"staff {login[:200]}"), index.index("network", address)
    with database.writing() as session:
        throttle.check(session, throttle.SIGN_IN_PERSON, who, at)
        throttle.check(session, throttle.SIGN_IN_ADDRESS, where, at)
        # Counted before it is judged: a hundred tries at once are a hundred tries.
        throttle.count(session, throttle.SIGN_IN_PERSON, who, at)
        throttle.count(session, throttle.SIGN_IN_ADDRESS, where, at)
        account = accounts.find(session, index, login[:200])
        encoded = account.password_hash if account and account.status == AccountStatus.ACTIVE else None
    holds = secrecy.password_holds(encoded, password)
    with database.writing() as session:
        found = session.get(StaffAccount, account.id, with_for_update=True) if account else None
        # Suspended, or given another password, while this one was being looked at.
        holds = holds and found is not None and found.status == AccountStatus.ACTIVE and found.password_hash == encoded
        if not holds or found is None or not _code_holds(vault, found, code, at):
            _record(session, vault, found.id if found else None, "staff.sign_in_failed", at)
            signed_in = None
        else:
            throttle.forget(session, throttle.SIGN_IN_PERSON, who)
            signed_in = _begin(session, vault, found, at)
    if signed_in is None:
        raise NotAuthentic("Name, password or code is not right.")
    return signed_in


def present(session: Session, token: str, at: datetime) -> Present:
    """Who the cookie's token belongs to; raises NotAuthentic when the session is over or never was."""
    row = session.scalars(select(StaffSession).where(StaffSession.token_hash == _hash(token))).first()
    if row is None or row.ended_at is not None or row.ends_at <= at:
        raise NotAuthentic("Please sign in.")
    account = session.get_one(StaffAccount, row.staff_id)
    if account.status != AccountStatus.ACTIVE:
        raise NotAuthentic("Please sign in.")
    state = SessionState.LOCKED if at - row.seen_at >= IDLE else SessionState.OPEN
    may = permitted(account.roles) if state is SessionState.OPEN else frozenset()
    return Present(account, row.id, row.csrf, state, may, touch_due=at - row.seen_at > TOUCH_EVERY)


def touch(session: Session, who: Present, at: datetime) -> None:
    """A person did something: the idle time begins anew. Not for what a page does by itself; not on a locked session."""
    if who.state is SessionState.OPEN:
        touched = session.execute(
            update(StaffSession)
            .where(StaffSession.id == who.session_id, StaffSession.seen_at < at - TOUCH_EVERY, StaffSession.seen_at > at - IDLE)
            .values(seen_at=at)
            .returning(StaffSession.id)
        )
        if touched.first() is not None:
            session.execute(update(StaffAccount).where(StaffAccount.id == who.account.id).values(seen_at=at))


def unlock(
    database: Database, vault: Vault, index: BlindIndex, token: str, *, password: str, code: str, address: str, at: datetime
) -> SignedIn:
    """Open a locked session again, under a new token; raises NotAuthentic or TooMany as signing in does."""
    with database.reading() as session:
        who = present(session, token, at)
        login = accounts.profile_of(who.account, vault).login
    signed_in = sign_in(database, vault, index, login=login, password=password, code=code, address=address, at=at)
    with database.writing() as session:
        session.execute(update(StaffSession).where(StaffSession.id == who.session_id).values(ended_at=at))
    return signed_in


def lock(session: Session, vault: Vault, token: str, at: datetime) -> None:
    """Lock a session at once: whoever leaves their place need not wait for the idle time."""
    row = session.scalars(select(StaffSession).where(StaffSession.token_hash == _hash(token))).first()
    if row is not None and row.ended_at is None and row.seen_at > at - IDLE:
        row.seen_at = at - IDLE
        _record(session, vault, row.staff_id, "staff.locked", at)


def sign_out(session: Session, vault: Vault, token: str, at: datetime) -> int | None:
    """End a session; returns whose it was, so that what they hold can be released."""
    row = session.scalars(select(StaffSession).where(StaffSession.token_hash == _hash(token))).first()
    if row is None or row.ended_at is not None:
        return None
    row.ended_at = at
    _record(session, vault, row.staff_id, "staff.signed_out", at)
    return row.staff_id


def require(who: Present, permission: Permission) -> None:
    """Raise NotAuthentic unless this person may do it now."""
    if permission not in who.may:
        raise NotAuthentic("Your role does not allow this.")


def csrf_holds(who: Present, given: str) -> bool:
    """Whether a form carries the token of its own session."""
    return secrets.compare_digest(who.csrf.encode(), given.encode("utf-8", "surrogatepass"))


def _code_holds(vault: Vault, account: StaffAccount, code: str, at: datetime) -> bool:
    if account.sealed_totp is None:
        return False
    step = secrecy.step_of(vault.open(account.sealed_totp, SECRET), code, at, after=account.totp_step)
    if step is None:
        return False
    account.totp_step = step
    return True


def _begin(session: Session, vault: Vault, account: StaffAccount, at: datetime) -> SignedIn:
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    row = StaffSession(staff_id=account.id, token_hash=_hash(token), csrf=csrf, began_at=at, seen_at=at, ends_at=at + LASTS)
    session.add(row)
    account.seen_at = at
    session.flush()
    _record(session, vault, account.id, "staff.signed_in", at)
    return SignedIn(account.id, row.id, token, csrf)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _record(session: Session, vault: Vault, staff_id: int | None, kind: str, at: datetime) -> None:
    subject = f"staff:{staff_id}" if staff_id is not None else "staff:unknown"
    audit.record(session, at=at, actor=subject, kind=kind, subject=subject, content={}, vault=vault)
