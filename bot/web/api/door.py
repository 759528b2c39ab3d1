"""Which program stands before the interface: its token, its scopes and its limit, seen to once, before any route.

The token comes in the header `Authorization` and nowhere else: an address ends up in logs. Missing, malformed, unknown, revoked
and expired tokens, and those of a suspended program, are refused in the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from bot.base.database import Database
from bot.base.errors import NotAuthentic, NotPublished
from bot.base.settings import Settings
from bot.base.vault import BlindIndex, Vault
from bot.conversations.speaking.publication import Published
from bot.desk.hours.calendar import DEFAULT_HOURS, Hours, desk_hours
from bot.desk.integrations import tokens
from bot.desk.integrations.tokens import Bearer
from bot.desk.staff.roles import GRANTS, Permission, Scope
from bot.web.api.problems import Problem
from bot.web.door import Door, door_of

bearer_scheme = HTTPBearer(
    scheme_name="token",
    bearerFormat="cdr_…",
    auto_error=False,
    description="A token made in the console (Programs) or by `./candour staff token make`.",
)


@dataclass(frozen=True, repr=False)
class Caller:
    """A program that makes a request, and what it is served with."""

    door: Door
    bearer: Bearer
    now: datetime

    @property
    def id(self) -> int:
        """The number of the account it acts as: the author in the log."""
        return self.bearer.account.id

    @property
    def may(self) -> frozenset[Permission]:
        """What it may do now."""
        return self.bearer.may

    @property
    def database(self) -> Database:
        """The database."""
        return self.door.application.database

    @property
    def vault(self) -> Vault:
        """The keys to sealed data."""
        return self.door.application.vault

    @property
    def index(self) -> BlindIndex:
        """The keys of blind indexes."""
        return self.door.application.index

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.door.application.settings

    def published(self, session: Session) -> Published:
        """What may be said now; raises NotPublished."""
        return self.door.application.library.current(session, self.now)

    def hours(self, session: Session) -> Hours:
        """When the desk is open, by the publication in force, or as usual."""
        try:
            return desk_hours(self.published(session).content)
        except NotPublished:
            return DEFAULT_HOURS


@dataclass(frozen=True, repr=False)
class Writer(Caller):
    """The same with what a writing request may say about itself."""

    asked: str  # method and address
    key: str | None
    if_match: str | None


@dataclass(frozen=True)
class Access:
    """Who may use a route; without a scope every good token may."""

    scope: Scope | None
    is_public: bool = False


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        description="Made by the program, once for each request, such as a UUID. The same key and request within 24 hours "
        "is answered as the first time and not done again.",
        examples=["2f1f0e5c-7a5b-4c53-9d6a-2f6f0e1a9b77"],
    ),
]
Version = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        description="The `ETag` of the case as it was read: when the case was changed since, nothing is done (412).",
        examples=['"4"'],
    ),
]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_scheme)]
AtDoor = Annotated[Door, Depends(door_of)]


def reads(scope: Scope | None) -> Any:
    """For programs whose token has this scope, or any good token for None."""

    def guard(request: Request, door: AtDoor, credentials: Credentials) -> Caller:
        return _admitted(request, door, credentials, scope)

    return _marked(guard, Access(scope))


def writes(scope: Scope) -> Any:
    """The same for a request that changes something."""

    def guard(request: Request, door: AtDoor, credentials: Credentials, key: Key = None, if_match: Version = None) -> Writer:
        caller = _admitted(request, door, credentials, scope)
        return Writer(caller.door, caller.bearer, caller.now, f"{request.method} {request.url.path}", key, if_match)

    return _marked(guard, Access(scope))


def access_of(route: Any) -> Access | None:
    """Who may use a route; None when it does not say."""
    dependant = getattr(route, "dependant", None)
    for needed in dependant.dependencies if dependant else ():
        access = getattr(needed.call, "access", None)
        if isinstance(access, Access):
            return access
    return None


def anybody() -> Any:
    """For everybody: what describes the interface."""

    def guard() -> None:
        """Nothing to see to."""

    return _marked(guard, Access(None, is_public=True))


def _marked(guard: Callable[..., object], access: Access) -> Any:
    guard.access = access  # type: ignore[attr-defined]
    return Depends(guard)


def _admitted(request: Request, door: Door, credentials: HTTPAuthorizationCredentials | None, scope: Scope | None) -> Caller:
    application = door.application
    now, address = application.clock(), str(request.state.address)
    token = credentials.credentials if credentials is not None else ""
    try:
        with application.database.reading() as session:
            bearer = tokens.bearer(session, application.index, token, now)
    except NotAuthentic:
        door.limiter.count("address_refusals", address)
        raise
    door.limiter.count("token_requests", str(bearer.token_id))
    if scope is not None and GRANTS[scope][0] not in bearer.may:
        raise Problem("scope_missing", f"This needs the scope {scope.value}.", scope=scope.value)
    if bearer.touch_due:
        with application.database.writing() as session:
            tokens.touch(session, bearer.token_id, bearer.account.id, now)
    return Caller(door, bearer, now)
