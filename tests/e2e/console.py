"""The staff console in a browser: a desk over the site's database, and colleagues whose browsers are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pyotp
from playwright.sync_api import BrowserContext, Page

from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.desk.staff import accounts, sessions
from bot.desk.staff.accounts import Profile
from bot.desk.staff.models import SECRET, StaffAccount
from bot.desk.staff.roles import Role
from tests.conftest import Keys
from tests.desk.conftest import PASSWORD, Desk
from tests.e2e.conftest import Site


@dataclass
class Console:
    """A desk behind a running site."""

    site: Site
    desk: Desk
    number: int = 0

    def colleague(self, name: str, *roles: Role, language: str = "en") -> int:
        """Somebody on duty with an account."""
        self.number += 1
        # Made an hour ago: so the present code of the second factor is still unused.
        before = system_clock() - timedelta(hours=1)
        with self.desk.database.writing() as session:
            profile = Profile(name, f"console{self.number}@clinic.example")
            made = accounts.invite(session, self.desk.vault, self.desk.index, profile, roles or (Role.AGENT,), by=0, at=before)
            secret = accounts.offered(session, self.desk.vault, made.token, before).secret
            code = pyotp.TOTP(secret).at(before)
            assert accounts.accept(session, self.desk.vault, made.token, password=PASSWORD, code=code, at=before)
            account = session.get_one(StaffAccount, made.account.id)
            account.on_duty, account.language = True, language
            return account.id

    def sign_in(self, context: BrowserContext, staff_id: int) -> str:
        """Put a session into a browser; returns its token."""
        with self.desk.database.reading() as session:
            account = session.get_one(StaffAccount, staff_id)
            login = accounts.profile_of(account, self.desk.vault).login
        code = self.code(staff_id)
        made = sessions.sign_in(
            self.desk.database,
            self.desk.vault,
            self.desk.index,
            login=login,
            password=PASSWORD,
            code=code,
            address="local",
            at=system_clock(),
        )
        context.add_cookies([{"name": "candour-desk", "value": made.token, "url": f"{self.site.address}/desk", "httpOnly": True}])
        return made.token

    def code(self, staff_id: int) -> str:
        """The present code of somebody's second factor."""
        with self.desk.database.reading() as session:
            sealed = session.get_one(StaffAccount, staff_id).sealed_totp
        return pyotp.TOTP(self.desk.vault.open(sealed or "", SECRET)).at(system_clock())

    def page(
        self, contexts: Callable[..., BrowserContext], *roles: Role, name: str = "Ann Lee", language: str = "en", **options: Any
    ) -> Page:
        """A signed-in colleague's page, not yet opened anywhere."""
        context = contexts(**options)
        self.sign_in(context, self.colleague(name, *roles, language=language))
        return context.new_page()


@contextmanager
def console_over(site: Site, keys: Keys) -> Iterator[Console]:
    """A desk over the database of a site."""
    database = Database(f"sqlite:///{site.home / 'candour.sqlite3'}")
    clock = cast("Any", system_clock)
    try:
        yield Console(site, Desk(database, Vault(keys.vault), BlindIndex(keys.index), clock))
    finally:
        database.close()
