"""Who stands before the console: cookie, session, lock, role, origin and token, seen to once, before any page.

The cookie is a random token whose hash alone is kept; it is sent to `/desk` only, to no script, and with no request that
another site began. Whoever may not enter raises one of the refusals below, which `answers` turns into a page.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session

from bot.base.database import Database
from bot.base.errors import CandourError, NotAuthentic, NotPublished
from bot.base.languages import Language
from bot.base.vault import Vault
from bot.desk.hours.calendar import DEFAULT_HOURS, Hours, desk_hours
from bot.desk.staff import sessions
from bot.desk.staff.models import StaffAccount
from bot.desk.staff.roles import Permission
from bot.desk.staff.sessions import Present, SessionState
from bot.web.console.fields import Sent as Sent
from bot.web.console.fields import sent_of
from bot.web.console.fields import whole as whole
from bot.web.console.words import SPOKEN, word
from bot.web.door import Door, door_of
from bot.web.labels import wanted

PREFIX = "/desk"
FORM_HOURS = 12
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class NotSignedIn(CandourError):
    """Nobody is signed in with this cookie, or no longer."""


class Locked(CandourError):
    """The session waits for its password: nobody touched it for a while."""


class Forbidden(CandourError):
    """Signed in, and still not allowed; the text is a word of the console."""


@dataclass(frozen=True, repr=False)
class Visitor:
    """Whoever makes a request: with what tools, in which language, with which fields."""

    request: Request
    door: Door
    sent: Sent

    @property
    def language(self) -> Language:
        """The language asked for, or of the browser."""
        asked = self.request.query_params.get("lang", "")
        chosen = next((one for one in SPOKEN if one.value == asked), None)
        liked = wanted(self.request.headers.get("accept-language", ""))
        return chosen or (Language.ZH_HANT if liked in (Language.ZH_HANT, Language.ZH_HANS) else Language.EN)

    @cached_property
    def csrf(self) -> str:
        """What the forms on this visitor's pages carry."""
        known = self.request.cookies.get(form_cookie(self.door), "")
        return known if _TOKEN.fullmatch(known) else secrets.token_urlsafe(32)

    @property
    def database(self) -> Database:
        """The database."""
        return self.door.application.database

    @property
    def vault(self) -> Vault:
        """The keys to sealed data."""
        return self.door.application.vault

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.door.application.clock()

    @property
    def address(self) -> str:
        """Where the request came from, as the shield judged it."""
        return str(self.request.state.address)

    def hours(self, session: Session) -> Hours:
        """When the desk is open, by the publication in force, or as usual."""
        try:
            return desk_hours(self.door.published(session).content)
        except NotPublished:
            return DEFAULT_HOURS

    def t(self, key: str, **values: object) -> str:
        """A word of the console in this visitor's language."""
        return word(self.language, key, **values)


@dataclass(frozen=True, repr=False)
class Staff(Visitor):
    """Somebody of the team, signed in."""

    present: Present
    token: str

    @property
    def language(self) -> Language:
        """The language they work in."""
        return next((one for one in SPOKEN if one.value == self.account.language), Language.EN)

    @cached_property
    def csrf(self) -> str:
        """The token of their session."""
        return self.present.csrf

    @property
    def account(self) -> StaffAccount:
        """Their account."""
        return self.present.account

    @property
    def id(self) -> int:
        """Their number."""
        return self.present.account.id

    @property
    def may(self) -> frozenset[Permission]:
        """What they may do now."""
        return self.present.may

    @property
    def actor(self) -> str:
        """What the log calls them."""
        return f"staff:{self.id}"

    @property
    def is_locked(self) -> bool:
        """Whether the password is asked for before anything else."""
        return self.present.state is SessionState.LOCKED


@dataclass(frozen=True)
class Access:
    """Who may use a route."""

    permission: Permission | None = None
    is_public: bool = False  # also without an account
    while_locked: bool = False  # also while the session waits for its password


def requires(permission: Permission, *, by_itself: bool = False, reads_form: bool = True) -> Any:
    """Only for those whose role permits it. `by_itself`: asked by a script, so that it keeps no session awake.

    Without `reads_form` nothing of the body is read before the route does: the token then stands in a header.
    """
    return _guard(Access(permission), by_itself=by_itself, reads_form=reads_form)


def signed_in(*, by_itself: bool = False, while_locked: bool = False) -> Any:
    """For everybody on the team, whatever their role."""
    return _guard(Access(while_locked=while_locked), by_itself=by_itself)


def anybody() -> Any:
    """For people who are not signed in: the ways in."""
    return _guard(Access(is_public=True), by_itself=True)


def access_of(route: Any) -> Access | None:
    """Who may use a route; None when it does not say."""
    dependant = getattr(route, "dependant", None)
    for needed in dependant.dependencies if dependant else ():
        access = getattr(needed.call, "access", None)
        if isinstance(access, Access):
            return access
    return None


def session_cookie(door: Door) -> str:
    """The name of the cookie that holds the session."""
    return "__Secure-candour-desk" if door.is_https else "candour-desk"


def form_cookie(door: Door) -> str:
    """The name of the cookie that ties the forms before sign-in to one browser."""
    return "__Secure-candour-desk-form" if door.is_https else "candour-desk-form"


def give_cookie(door: Door, response: Response, name: str, value: str, *, seconds: int | None) -> None:
    """Set a cookie of the console; `seconds` of None is until the browser closes, 0 takes it away."""
    response.set_cookie(name, value, max_age=seconds, path=PREFIX, secure=door.is_https, httponly=True, samesite="strict")


def _guard(access: Access, *, by_itself: bool, reads_form: bool = True) -> Any:
    def guard(request: Request, door: Annotated[Door, Depends(door_of)], sent: Annotated[Sent, Depends(sent_of)]) -> Visitor:
        return _admitted(request, door, sent, access, by_itself)

    def guard_alone(request: Request, door: Annotated[Door, Depends(door_of)]) -> Visitor:
        return _admitted(request, door, Sent(), access, by_itself)

    told: Callable[..., Visitor] = guard if reads_form else guard_alone
    told.access = access  # type: ignore[attr-defined]
    return Depends(told)


def _admitted(request: Request, door: Door, sent: Sent, access: Access, by_itself: bool) -> Visitor:
    changes = request.method not in ("GET", "HEAD")
    if changes and not is_own(request, door):
        raise Forbidden("base.refused_origin")
    visitor = Visitor(request, door, sent) if access.is_public else _staff(request, door, sent)
    request.state.visitor = visitor
    given = sent.raw("csrf") or request.headers.get("x-csrf", "")
    if isinstance(visitor, Staff):
        if visitor.is_locked and not access.while_locked:
            raise Locked("the session is locked")
        if access.permission is not None and access.permission not in visitor.may:
            raise Forbidden("base.refused_role")
        if changes and not sessions.csrf_holds(visitor.present, given):
            raise Forbidden("base.refused_token")
        # A page that fetches itself anew says so: nobody has to be there for that.
        if not by_itself and "x-by-itself" not in request.headers and visitor.present.touch_due:
            with visitor.database.writing() as session:
                sessions.touch(session, visitor.present, visitor.now)
    elif changes and not _form_holds(visitor, given):
        raise Forbidden("base.refused_token")
    return visitor


def _staff(request: Request, door: Door, sent: Sent) -> Staff:
    token = request.cookies.get(session_cookie(door), "")
    if not _TOKEN.fullmatch(token):
        raise NotSignedIn("no session")
    application = door.application
    try:
        with application.database.reading() as session:
            return Staff(request, door, sent, sessions.present(session, token, application.clock()), token)
    except NotAuthentic:
        raise NotSignedIn("the session is over") from None


def _form_holds(visitor: Visitor, given: str) -> bool:
    known = visitor.request.cookies.get(form_cookie(visitor.door), "")
    return bool(_TOKEN.fullmatch(known)) and secrets.compare_digest(known.encode(), given.encode("utf-8", "replace"))


def is_own(request: Request, door: Door) -> bool:
    """Whether a page of ours sent this. Browsers say `null` for it, since our pages name no referrer."""
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        site = request.headers.get("sec-fetch-site", "none" if origin is None else "cross-site")
        return site in ("same-origin", "none")
    public = urlsplit(door.application.settings.public_url)
    own = f"{public.scheme}://{public.netloc}" if public.netloc else f"{request.url.scheme}://{request.headers.get('host', '')}"
    return origin.lower() == own.lower()
