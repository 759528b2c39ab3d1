"""Changing one's own password: only with the present one and a fresh code, and counted like signing in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from bot.base import audit
from bot.base.database import Database
from bot.base.errors import NotAuthentic
from bot.base.vault import BlindIndex, Vault
from bot.desk.staff import accounts, secrecy, throttle
from bot.desk.staff.models import SECRET, StaffAccount, StaffSession
from bot.desk.staff.sessions import Present


def change_password(
    database: Database, vault: Vault, index: BlindIndex, who: Present, *, password: str, code: str, new: str, at: datetime
) -> None:
    """Take a new password and end every other session of theirs.

    Raises NotAuthentic when the present password or the code is wrong, TooMany when it was tried too often, and BadInput for
    a weak new one.
    """
    staff_id = who.account.id
    with database.writing() as session:
        account = session.get_one(StaffAccount, staff_id)
        profile, encoded = accounts.profile_of(account, vault), account.password_hash
        entry = index.index(accounts.LOGIN, f"staff {profile.login}")
        throttle.check(session, throttle.SIGN_IN_PERSON, entry, at)
        throttle.count(session, throttle.SIGN_IN_PERSON, entry, at)
    holds = secrecy.password_holds(encoded, password)
    secrecy.check_password(new, profile)
    hashed = secrecy.hash_password(new)
    with database.writing() as session:
        account = session.get_one(StaffAccount, staff_id, with_for_update=True)
        step = None
        if holds and account.password_hash == encoded and account.sealed_totp is not None:
            step = secrecy.step_of(vault.open(account.sealed_totp, SECRET), code, at, after=account.totp_step)
        if step is not None:
            account.totp_step, account.password_hash = step, hashed
            throttle.forget(session, throttle.SIGN_IN_PERSON, entry)
            others = update(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
            session.execute(others.where(StaffSession.id != who.session_id).values(ended_at=at))
        kind = "staff.password_changed" if step is not None else "staff.password_change_failed"
        subject = f"staff:{staff_id}"
        audit.record(session, at=at, actor=subject, kind=kind, subject=subject, content={}, vault=vault)
    if step is None:
        raise NotAuthentic("The present password or the code is not right.")
