"""The console in tests: a real desk behind a served door, and colleagues who are signed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pyotp
import pytest

from bot.assembly import Application
from bot.desk.staff import accounts
from bot.desk.staff.models import SECRET, StaffAccount
from bot.desk.staff.roles import Role
from tests.desk.conftest import PASSWORD, Desk, desk_content
from tests.make import FakeClock
from tests.people import publish
from tests.web.conftest import serving


@dataclass
class Colleague:
    """Somebody of the team with a browser."""

    desk: Desk
    client: httpx.Client
    id: int

    @property
    def login(self) -> str:
        """Their sign-in name."""
        with self.desk.database.reading() as session:
            return accounts.profile_of(session.get_one(StaffAccount, self.id), self.desk.vault).login

    def code(self) -> str:
        """The next code of their second factor; the clock moves on, since each works once."""
        self.desk.clock.advance(seconds=31)
        with self.desk.database.reading() as session:
            sealed = session.get_one(StaffAccount, self.id).sealed_totp
        return pyotp.TOTP(self.desk.vault.open(sealed or "", SECRET)).at(self.desk.clock())

    def sign_in(self, **changed: str) -> httpx.Response:
        """Go through the form."""
        form = {"login": self.login, "password": PASSWORD, "code": changed.pop("code", "") or self.code()}
        return self.post("/desk/sign-in", via="/desk/sign-in", **{**form, **changed})

    def get(self, address: str, **more: Any) -> httpx.Response:
        """Open a page, following redirects."""
        return self.client.get(address, follow_redirects=True, **more)

    def token(self, via: str = "/desk/me") -> str:
        """What the forms of a page carry."""
        held = re.search(r'name="csrf" value="([^"]+)"', self.get(via).text)
        assert held, "the page has no form"
        return held[1]

    def post(self, address: str, *, via: str = "/desk/me", **form: Any) -> httpx.Response:
        """Send a form as the page does, following redirects."""
        data = {"csrf": self.token(via), "back": via, **form}
        return self.client.post(address, data=data, follow_redirects=True)


@pytest.fixture
def desk(application: Application, clock: FakeClock) -> Desk:
    """A desk behind the door, on a Tuesday morning at nine."""
    publish(application.database, desk_content(), clock())
    return Desk(application.database, application.vault, application.index, clock)


@pytest.fixture
def console(desk: Desk, application: Application) -> Iterator[str]:
    """The address of the console's process."""
    with serving(application) as at:
        yield at


@pytest.fixture
def stranger(console: str) -> Iterator[httpx.Client]:
    """A browser that nobody is signed in with."""
    with httpx.Client(base_url=console, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def colleague(desk: Desk, console: str) -> Iterator[Callable[..., Colleague]]:
    """Makes colleagues of these roles, signed in unless told otherwise."""
    with ExitStack() as opened:

        def make(*roles: Role, signed_in: bool = True, on_duty: bool = True) -> Colleague:
            client = opened.enter_context(httpx.Client(base_url=console, trust_env=False, timeout=30))
            made = Colleague(desk, client, desk.colleague(*roles, on_duty=on_duty))
            if signed_in:
                assert made.sign_in().status_code == 200
            return made

        yield make
