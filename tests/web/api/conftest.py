"""Programs before a served door: a real desk, tokens with scopes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from bot.assembly import Application
from bot.desk.integrations import tokens
from bot.desk.staff.roles import Role, Scope
from tests.desk.conftest import Desk, desk_content
from tests.make import FakeClock
from tests.people import publish
from tests.web.conftest import serving

API = "/api/v1"
EVERYTHING = tuple(Scope)
_keys = itertools.count(1)


@dataclass
class Program:
    """Another program with a token."""

    desk: Desk
    client: httpx.Client
    id: int
    token_id: int
    secret: str = field(repr=False)

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Read."""
        return self.client.get(API + path, params=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Write, under a key of its own unless one is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Idempotency-Key", f"test-key-{next(_keys):04}")
        return self.client.post(API + path, json=body, headers={name: value for name, value in named.items() if value})

    def number(self, case_id: int) -> str:
        """A case's number."""
        return self.desk.look(case_id).number

    def on(self, case_id: int, deed: str, body: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Do something with a case."""
        return self.post(f"/cases/{self.number(case_id)}/{deed}", body, **headers)


@pytest.fixture
def desk(application: Application, clock: FakeClock) -> Desk:
    """A desk behind the door, on a Tuesday morning at nine."""
    publish(application.database, desk_content(), clock())
    return Desk(application.database, application.vault, application.index, clock)


@pytest.fixture
def door(desk: Desk, application: Application) -> Iterator[str]:
    """The address of the web process."""
    with serving(application) as at:
        yield at


@pytest.fixture
def admin(desk: Desk) -> int:
    """Somebody who manages staff."""
    return desk.colleague(Role.ADMIN)


@pytest.fixture
def program(desk: Desk, door: str, admin: int) -> Iterator[Callable[..., Program]]:
    """Makes programs with tokens of these scopes; all scopes when none is named."""
    with ExitStack() as opened:

        def make(*scopes: Scope, name: str = "Help desk bridge", days: int = 30) -> Program:
            with desk.database.writing() as session:
                made = tokens.make(
                    session,
                    desk.vault,
                    desk.index,
                    name=name,
                    scopes=scopes or EVERYTHING,
                    days=days,
                    by=admin,
                    at=desk.clock(),
                )
                staff_id, token_id = made.row.staff_id, made.row.id
            headers = {"Authorization": f"Bearer {made.secret}"}
            client = opened.enter_context(httpx.Client(base_url=door, headers=headers, trust_env=False, timeout=60))
            return Program(desk, client, staff_id, token_id, made.secret)

        yield make
