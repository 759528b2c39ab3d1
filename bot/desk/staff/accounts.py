"""Accounts of the team: the first administrator, invitations, roles, being on duty, suspension and recovery.

Whoever is invited gets a link that works once and shows a second factor to scan; they choose a password and prove
the factor by a code. Recovery is a new such link, and it takes two people (`approvals`). Names, numbers and
addresses of staff are sealed; the log knows them by number.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput, NotAuthentic
from bot.base.lifecycle import move
from bot.base.vault import BlindIndex, Vault
from bot.desk.staff import secrecy
from bot.desk.staff.may import require
from bot.desk.staff.models import PROFILE, SECRET, AccountStatus, StaffAccount, StaffLink, StaffSession
from bot.desk.staff.roles import Permission, Role, people_only

LINK_LASTS = timedelta(hours=24)
LINK_TRIES = 10
WELCOME = "/desk/welcome/"
"""Where a link leads; the token follows."""
ISSUER = "Candour"
LOGIN = "text"
"""The normaliser of sign-in names: case and width do not count."""


@dataclass(frozen=True, repr=False)
class Profile:
    """What is sealed about a member of the team."""

    name: str
    login: str
    mobile: str = ""
    email: str = ""


@dataclass(frozen=True, repr=False)
class Invitation:
    """A new account or a recovery: the token of its link, to be given to that person and to nobody else."""

    account: StaffAccount
    token: str


@dataclass(frozen=True, repr=False)
class Offered:
    """What the page behind a link shows: whose it is and the second factor to scan."""

    staff_id: int
    name: str
    secret: str
    address: str  # otpauth://…


def first_admin(
    session: Session, vault: Vault, index: BlindIndex, profile: Profile, *, at: datetime, again: bool = False
) -> Invitation:
    """Make the first administrator; raises BadInput once anybody manages staff who can sign in.

    With `again` an invitation that was never used is made anew.
    """
    admins = [account for account in everybody(session) if Role.ADMIN.value in account.roles]
    if any(account.status != AccountStatus.INVITED for account in admins):
        raise BadInput("There is an administrator already: they invite others, and two of them recover an account.")
    if admins and not again:
        raise BadInput("The first administrator was invited and has not used the link: `--again` makes a new one.")
    if admins:
        return Invitation(admins[0], _new_link(session, vault, admins[0], at))
    return _invite(session, vault, index, profile, (Role.ADMIN,), by="operator", at=at)


def invite(
    session: Session,
    vault: Vault,
    index: BlindIndex,
    profile: Profile,
    roles: Iterable[Role],
    *,
    by: int,
    at: datetime,
) -> Invitation:
    """Make an account and its link; raises BadInput for a sign-in name that exists, or for no role."""
    return _invite(session, vault, index, profile, tuple(roles), by=f"staff:{by}", at=at)


def offered(session: Session, vault: Vault, token: str, at: datetime) -> Offered:
    """What the page behind a link shows; raises NotAuthentic for a link that is used, over, or never was."""
    link, account = _link(session, token, at)
    secret = vault.open(link.sealed_totp, SECRET)
    profile = profile_of(account, vault)
    address = pyotp.TOTP(secret).provisioning_uri(name=profile.login, issuer_name=ISSUER)
    return Offered(account.id, profile.name, secret, address)


def accept(session: Session, vault: Vault, token: str, *, password: str, code: str, at: datetime) -> StaffAccount | None:
    """Take a link up: the password and the factor are the account's from now on, and whoever was signed in is signed out.

    None when the code is wrong; that try is counted. Raises NotAuthentic for a link that is none, BadInput for a weak password.
    """
    link, account = _link(session, token, at)
    secrecy.check_password(password, profile_of(account, vault))
    step = secrecy.step_of(vault.open(link.sealed_totp, SECRET), code, at, after=0)
    if step is None:
        link.tries += 1
        return None
    link.used_at = at
    account.password_hash, account.sealed_totp, account.totp_step = secrecy.hash_password(password), link.sealed_totp, step
    if account.status != AccountStatus.ACTIVE:
        move(account, AccountStatus.ACTIVE)
    end_sessions(session, account.id, at)
    _record(session, vault, account, "staff.link_used", actor=f"staff:{account.id}", at=at)
    return account


def recover(session: Session, vault: Vault, staff_id: int, *, by: int, approved_by: int, at: datetime) -> Invitation:
    """A new link for somebody who lost password or factor; the old ones stop working at once.

    Raises BadInput when one person alone does it, or for themselves.
    """
    if by == approved_by or staff_id in (by, approved_by):
        raise BadInput("Recovery takes two other people.")
    account = session.get_one(StaffAccount, staff_id, with_for_update=True)
    people_only(account.roles)
    if account.status == AccountStatus.SUSPENDED:
        raise BadInput("This account is suspended.")
    account.password_hash = account.sealed_totp = None
    end_sessions(session, staff_id, at)
    _record(session, vault, account, "staff.recovered", actor=f"staff:{by}", at=at, approved_by=approved_by)
    return Invitation(account, _new_link(session, vault, account, at))


def suspend(session: Session, vault: Vault, staff_id: int, *, by: int, at: datetime) -> StaffAccount:
    """Let somebody sign in no more, from this moment. Raises BadInput for oneself, or for the last administrator."""
    account = session.get_one(StaffAccount, staff_id, with_for_update=True)
    if by == staff_id:
        raise BadInput("Nobody suspends themselves.")
    require(session, by, Permission.MANAGE_STAFF)
    _keep_an_admin(session, account, ())
    move(account, AccountStatus.SUSPENDED)
    account.on_duty = False
    end_sessions(session, staff_id, at)
    session.execute(update(StaffLink).where(StaffLink.staff_id == staff_id, StaffLink.used_at.is_(None)).values(used_at=at))
    _record(session, vault, account, "staff.suspended", actor=f"staff:{by}", at=at)
    return account


def reinstate(session: Session, vault: Vault, staff_id: int, *, by: int, at: datetime) -> StaffAccount:
    """Let somebody who was suspended sign in again; raises BadInput unless whoever does it manages staff."""
    require(session, by, Permission.MANAGE_STAFF)
    account = session.get_one(StaffAccount, staff_id, with_for_update=True)
    move(account, AccountStatus.ACTIVE)
    _record(session, vault, account, "staff.reinstated", actor=f"staff:{by}", at=at)
    return account


def set_roles(session: Session, vault: Vault, staff_id: int, roles: Iterable[Role], *, by: int, at: datetime) -> StaffAccount:
    """Change what somebody is; raises BadInput for oneself, for no role, or when nobody would manage staff any more."""
    account = session.get_one(StaffAccount, staff_id, with_for_update=True)
    people_only(account.roles)
    if by == staff_id:
        raise BadInput("Nobody changes their own roles.")
    require(session, by, Permission.MANAGE_STAFF)
    new = _roles(roles)
    _keep_an_admin(session, account, new)
    before, account.roles = account.roles, new
    _record(session, vault, account, "staff.roles_changed", actor=f"staff:{by}", at=at, before=before, after=new)
    return account


def set_on_duty(session: Session, vault: Vault, staff_id: int, on_duty: bool, *, at: datetime) -> None:
    """Somebody begins or ends their shift; what they hold is released by `claims.release_all`."""
    account = session.get_one(StaffAccount, staff_id)
    people_only(account.roles)
    if account.on_duty != on_duty:
        account.on_duty = on_duty
        _record(session, vault, account, "staff.on_duty" if on_duty else "staff.off_duty", actor=f"staff:{staff_id}", at=at)


def set_language(session: Session, staff_id: int, language: str) -> None:
    """The language in which somebody works; raises BadInput for one the console does not speak."""
    if language not in ("en", "zh-Hant"):
        raise BadInput("The console speaks English and Traditional Chinese.")
    session.get_one(StaffAccount, staff_id).language = language


def everybody(session: Session) -> Sequence[StaffAccount]:
    """All accounts, oldest first."""
    return session.scalars(select(StaffAccount).order_by(StaffAccount.id)).all()


def on_duty(session: Session, role: Role | None = None) -> list[StaffAccount]:
    """Who is on duty now, of one role or of all."""
    active = select(StaffAccount).where(StaffAccount.on_duty.is_(True), StaffAccount.status == AccountStatus.ACTIVE.value)
    found = session.scalars(active.order_by(StaffAccount.id)).all()
    return [account for account in found if role is None or role.value in account.roles]


def profile_of(account: StaffAccount, vault: Vault) -> Profile:
    """Open somebody's profile."""
    return Profile(**json.loads(vault.open(account.sealed_profile, PROFILE)))


def find(session: Session, index: BlindIndex, login: str) -> StaffAccount | None:
    """The account with this sign-in name."""
    return session.scalars(select(StaffAccount).where(StaffAccount.login_entry.in_(index.every(LOGIN, f"staff {login}")))).first()


def end_sessions(session: Session, staff_id: int, at: datetime) -> None:
    """Sign somebody out everywhere."""
    open_ones = update(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
    session.execute(open_ones.values(ended_at=at))


def _invite(
    session: Session, vault: Vault, index: BlindIndex, profile: Profile, roles: tuple[Role, ...], *, by: str, at: datetime
) -> Invitation:
    if not profile.name.strip() or not profile.login.strip():
        raise BadInput("A name and a sign-in name are needed.")
    if find(session, index, profile.login) is not None:
        raise BadInput("This sign-in name exists already.")
    account = StaffAccount(
        login_entry=index.index(LOGIN, f"staff {profile.login}"),
        sealed_profile=vault.seal(json.dumps(asdict(profile), ensure_ascii=False), PROFILE),
        roles=_roles(roles),
        created_at=at,
    )
    session.add(account)
    session.flush()
    _record(session, vault, account, "staff.invited", actor=by, at=at, roles=account.roles)
    return Invitation(account, _new_link(session, vault, account, at))


def _new_link(session: Session, vault: Vault, account: StaffAccount, at: datetime) -> str:
    session.execute(update(StaffLink).where(StaffLink.staff_id == account.id, StaffLink.used_at.is_(None)).values(used_at=at))
    token = secrets.token_urlsafe(32)
    session.add(
        StaffLink(
            staff_id=account.id,
            token_hash=_hash(token),
            sealed_totp=vault.seal(pyotp.random_base32(), SECRET),
            made_at=at,
            ends_at=at + LINK_LASTS,
        )
    )
    return token


def _link(session: Session, token: str, at: datetime) -> tuple[StaffLink, StaffAccount]:
    link = session.scalars(select(StaffLink).where(StaffLink.token_hash == _hash(token)).with_for_update()).first()
    if link is None or link.used_at is not None or link.ends_at <= at or link.tries >= LINK_TRIES:
        raise NotAuthentic("This link has been used, is over, or never was.")
    account = session.get_one(StaffAccount, link.staff_id)
    if account.status == AccountStatus.SUSPENDED:
        raise NotAuthentic("This link has been used, is over, or never was.")
    return link, account


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _roles(roles: Iterable[Role]) -> list[str]:
    chosen = sorted({Role(role).value for role in roles})
    if not chosen:
        raise BadInput("At least one role is needed.")
    return chosen


def _keep_an_admin(session: Session, account: StaffAccount, roles: Sequence[str]) -> None:
    """Raise BadInput when nobody who can sign in would manage staff any more."""
    if Role.ADMIN.value not in account.roles or Role.ADMIN.value in roles:
        return
    others = select(StaffAccount).where(StaffAccount.id != account.id, StaffAccount.status == AccountStatus.ACTIVE.value)
    if not any(Role.ADMIN.value in other.roles for other in session.scalars(others.with_for_update())):
        raise BadInput("This is the last administrator: make another one first.")


def count(session: Session) -> int:
    """How many accounts there are."""
    return session.scalar(select(func.count()).select_from(StaffAccount)) or 0


def _record(
    session: Session, vault: Vault, account: StaffAccount, kind: str, *, actor: str, at: datetime, **content: object
) -> None:
    session.flush()
    subject = f"staff:{account.id}"
    audit.record(session, at=at, actor=actor, kind=kind, subject=subject, content=content, vault=vault)
