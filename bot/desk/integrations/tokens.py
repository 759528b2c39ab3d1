"""Tokens of programs: made once, shown once, found by their keyed hash, over at a set time or at once.

A program has an account of its own, which nobody signs in with; its scopes stand where a person's roles stand, so that the
same question (`staff/may.py`) is asked of both wherever something is done, and the log names its author.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import string
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput, NotAuthentic
from bot.base.vault import BlindIndex, Vault
from bot.desk.integrations.models import ApiToken
from bot.desk.staff.accounts import LOGIN, Profile, profile_of
from bot.desk.staff.may import require
from bot.desk.staff.models import PROFILE, AccountStatus, StaffAccount
from bot.desk.staff.roles import Permission, Scope, is_program, permitted
from bot.desk.work import claims

PREFIX = "cdr_"
"""What a token begins with, so that whoever finds one in a file or a log knows what it is."""
SECRET_SIGNS, CHECK_SIGNS = 40, 6
_ALPHABET = string.digits + string.ascii_letters
_TOKEN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{SECRET_SIGNS + CHECK_SIGNS}}}")
MOST_DAYS = 730
TOUCH_EVERY = timedelta(minutes=1)
"""How often the time of the last use is written at most."""


@dataclass(frozen=True, repr=False)
class Made:
    """A new token: what is shown once, to be given to that program and to nobody else."""

    row: ApiToken
    secret: str


@dataclass(frozen=True, repr=False)
class Bearer:
    """Which program makes a request, and what it may do now."""

    account: StaffAccount
    token_id: int
    ends_at: datetime
    may: frozenset[Permission]
    touch_due: bool


@dataclass(frozen=True, repr=False)
class Listed:
    """A token as a list shows it."""

    row: ApiToken
    name: str
    scopes: tuple[str, ...]
    is_suspended: bool


def make(
    session: Session,
    vault: Vault,
    index: BlindIndex,
    *,
    name: str,
    scopes: Iterable[Scope],
    days: int,
    by: int | None,
    at: datetime,
) -> Made:
    """Make a program's account and its first token; `by` of None is the operator.

    Raises BadInput without a name or scope, for a time that is too long, and unless whoever does it manages staff.
    """
    _allowed(session, by)
    wanted = sorted({Scope(scope).value for scope in scopes})
    name = name.strip()
    if not 3 <= len(name) <= 80:
        raise BadInput("A name has between 3 and 80 characters.")
    if not wanted:
        raise BadInput("Choose at least one scope.")
    login = f"program {secrets.token_hex(8)}"
    account = StaffAccount(
        login_entry=index.index(LOGIN, login),
        sealed_profile=vault.seal(json.dumps(asdict(Profile(name, login)), ensure_ascii=False), PROFILE),
        roles=wanted,
        status=AccountStatus.ACTIVE,
        created_at=at,
    )
    session.add(account)
    session.flush()
    return _new(session, vault, index, account, days, by, at)


def renew(session: Session, vault: Vault, index: BlindIndex, staff_id: int, *, days: int, by: int | None, at: datetime) -> Made:
    """A further token of a program, so that the old one can be changed for it before it is revoked.

    Raises BadInput for an account that is no program's or is suspended.
    """
    _allowed(session, by)
    account = session.get(StaffAccount, staff_id)
    if account is None or not is_program(account.roles) or account.status != AccountStatus.ACTIVE:
        raise BadInput("There is no such program.")
    return _new(session, vault, index, account, days, by, at)


def revoke(session: Session, vault: Vault, token_id: int, *, by: int | None, at: datetime) -> bool:
    """End a token at once; with the last one, what the program has and owes an answer on goes back to the queue.

    False when it was over already. Raises BadInput unless whoever does it manages staff.
    """
    _allowed(session, by)
    ended = update(ApiToken).where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None)).values(revoked_at=at)
    staff_id = session.scalar(ended.returning(ApiToken.staff_id))
    if staff_id is None:
        return False
    _record(session, vault, "token.revoked", staff_id, token_id, by, at)
    good = select(ApiToken.id).where(ApiToken.staff_id == staff_id, ApiToken.revoked_at.is_(None), ApiToken.ends_at > at)
    if session.scalars(good.limit(1)).first() is None:
        claims.release_all(session, vault, staff_id, at)
    return True


def bearer(session: Session, index: BlindIndex, token: str, at: datetime) -> Bearer:
    """Whose token it is; raises NotAuthentic in the same words if it is unknown, revoked, over or of a suspended account."""
    if not is_wellformed(token):
        raise NotAuthentic("This token is not good.")
    entries = index.every("token", token)
    found = session.execute(
        select(ApiToken, StaffAccount).join(StaffAccount, StaffAccount.id == ApiToken.staff_id).where(ApiToken.entry.in_(entries))
    ).first()
    # The index is a keyed hash, so that looking it up tells nothing; the comparison is against a database that is not exact.
    if found is None or not any(hmac.compare_digest(found[0].entry, entry) for entry in entries):
        raise NotAuthentic("This token is not good.")
    row, account = found
    is_over = row.revoked_at is not None or row.ends_at <= at
    if is_over or account.status != AccountStatus.ACTIVE or not is_program(account.roles):
        raise NotAuthentic("This token is not good.")
    due = row.used_at is None or at - row.used_at > TOUCH_EVERY
    return Bearer(account, row.id, row.ends_at, permitted(account.roles), due)


def touch(session: Session, token_id: int, staff_id: int, at: datetime) -> None:
    """The program is there: what it has claimed stays with it."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=at))
    session.execute(update(StaffAccount).where(StaffAccount.id == staff_id).values(seen_at=at))


def listed(session: Session, vault: Vault) -> Sequence[Listed]:
    """All tokens, the newest first."""
    rows = session.execute(select(ApiToken, StaffAccount).join(StaffAccount).order_by(ApiToken.id.desc())).all()
    return [
        Listed(row, profile_of(account, vault).name, tuple(account.roles), account.status != AccountStatus.ACTIVE)
        for row, account in rows
    ]


def is_wellformed(token: str) -> bool:
    """Whether a text has a token's form and check signs: a typing mistake is told without asking the database."""
    return bool(_TOKEN.fullmatch(token)) and _check(token[:-CHECK_SIGNS]) == token[-CHECK_SIGNS:]


def _new(
    session: Session, vault: Vault, index: BlindIndex, account: StaffAccount, days: int, by: int | None, at: datetime
) -> Made:
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"A token is good for 1 to {MOST_DAYS} days.")
    secret = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_SIGNS))
    secret += _check(secret)
    row = ApiToken(
        staff_id=account.id,
        entry=index.index("token", secret),
        hint=secret[-4:],
        made_by=_name(by),
        made_at=at,
        ends_at=at + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    _record(session, vault, "token.made", account.id, row.id, by, at, scopes=account.roles, ends_at=row.ends_at.isoformat())
    return Made(row, secret)


def _check(text: str) -> str:
    number, signs = zlib.crc32(text.encode()), ""
    for _ in range(CHECK_SIGNS):
        number, digit = divmod(number, len(_ALPHABET))
        signs = _ALPHABET[digit] + signs
    return signs


def _allowed(session: Session, by: int | None) -> None:
    if by is not None:
        require(session, by, Permission.MANAGE_STAFF)


def _name(by: int | None) -> str:
    return "operator" if by is None else f"staff:{by}"


def _record(
    session: Session, vault: Vault, kind: str, staff_id: int, token_id: int, by: int | None, at: datetime, **content: object
) -> None:
    told = {"token": token_id, **content}
    audit.record(session, at=at, actor=_name(by), kind=kind, subject=f"staff:{staff_id}", content=told, vault=vault)
