"""A team for demonstrations, whose password and second factor everybody may know: never made anywhere else.

It is refused outside a demonstration, behind a public address, and where anybody real has an account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput, Misconfigured
from bot.base.lifecycle import move
from bot.base.vault import BlindIndex, Vault
from bot.desk.staff import accounts, secrecy
from bot.desk.staff.accounts import Profile
from bot.desk.staff.models import SECRET, AccountStatus
from bot.desk.staff.roles import Role

PASSWORD = "calm hands open doors"  # noqa: S105 - shown to everybody who starts a demonstration
FACTOR = "CANDOURDEMOCANDOURDEMOCANDOURDEM"
"""The secret of the second factor, as an authenticator takes it (base 32)."""


@dataclass(frozen=True)
class DemoAccount:
    """One of the team."""

    login: str
    name: str
    roles: tuple[Role, ...]
    language: str = "en"
    on_duty: bool = True
    mobile: str = ""
    """Invented; where calls for help go, in the simulator."""


TEAM = (
    DemoAccount("agent", "Mei Lam", (Role.AGENT,)),
    DemoAccount("agent2", "林嘉欣", (Role.AGENT,), "zh-Hant"),
    DemoAccount("lead", "Karen Ho", (Role.LEAD,), mobile="+85264009001"),
    DemoAccount("privacy", "Daniel Yeung", (Role.PRIVACY_OFFICER,)),
    DemoAccount("approver", "Grace Tam", (Role.APPROVER,), on_duty=False),
    DemoAccount("auditor", "Peter Ng", (Role.AUDITOR,), on_duty=False),
    DemoAccount("admin", "Alice Fung", (Role.ADMIN,), on_duty=False),
)


def make_team(
    session: Session, vault: Vault, index: BlindIndex, at: datetime, *, demo: bool, public_url: str = ""
) -> Sequence[DemoAccount]:
    """Make the team, as far as it is not there; returns it.

    Raises Misconfigured outside a demonstration or behind a public address, BadInput where real people have accounts.
    """
    if not demo or public_url:
        raise Misconfigured("Demo accounts are made in a demonstration on this machine only: everybody knows their password.")
    theirs = {one.login for one in TEAM}
    if any(accounts.profile_of(one, vault).login not in theirs for one in accounts.everybody(session)):
        raise BadInput("There are real accounts here: demo accounts would let everybody in.")
    for one in TEAM:
        if accounts.find(session, index, one.login) is None:
            _make(session, vault, index, one, at)
    return TEAM


def code_now(at: datetime) -> str:
    """The present code of every demo account; each of them takes it once."""
    return pyotp.TOTP(FACTOR).at(at)


def _make(session: Session, vault: Vault, index: BlindIndex, one: DemoAccount, at: datetime) -> None:
    made = accounts.invite(session, vault, index, Profile(one.name, one.login, one.mobile), one.roles, by=0, at=at).account
    move(made, AccountStatus.ACTIVE)
    made.password_hash, made.sealed_totp = secrecy.hash_password(PASSWORD), vault.seal(FACTOR, SECRET)
    made.language, made.on_duty = one.language, one.on_duty
    session.flush()
    subject = f"staff:{made.id}"
    audit.record(session, at=at, actor="demo", kind="staff.demo_account", subject=subject, content={}, vault=vault)
