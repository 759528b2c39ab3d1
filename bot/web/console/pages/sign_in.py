"""The ways in: signing in, the lock, signing out, and the page behind an invitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import HTMLResponse

from bot.base.errors import BadInput, NotAuthentic, TooMany
from bot.campaigns.phones import calls
from bot.desk.staff import accounts, sessions
from bot.desk.staff.sessions import SignedIn
from bot.desk.work import claims
from bot.web.console.answers import LOCK, SIGN_IN, console_router, go_to
from bot.web.console.door import Staff, Visitor, anybody, give_cookie, session_cookie, signed_in
from bot.web.console.notices import said
from bot.web.console.rendering import own_place, page
from bot.web.console.words import answer as spoken

router = console_router()

_Back = Annotated[str, Query(max_length=500)]


@router.get("/sign-in", response_class=HTMLResponse)
def sign_in_form(visitor: Annotated[Visitor, anybody()], back: _Back = "") -> Response:
    """The form for name, password and code."""
    return page(visitor, "console/sign_in.html", goal=own_place(back), refusal="", login="")


@router.post("/sign-in", response_class=HTMLResponse)
def sign_in(visitor: Annotated[Visitor, anybody()]) -> Response:
    """Let somebody in; every refusal reads the same, apart from having tried too often."""
    sent, application = visitor.sent, visitor.door.application
    try:
        made = sessions.sign_in(
            visitor.database,
            visitor.vault,
            application.index,
            login=sent.get("login", 200),
            password=sent.raw("password"),
            code=sent.get("code", 20),
            address=visitor.address,
            at=visitor.now,
        )
    except (NotAuthentic, TooMany) as no:
        values = {"goal": own_place(sent.raw("goal")), "login": sent.get("login", 200)}
        return page(visitor, "console/sign_in.html", status=_status(no), refusal=_why(visitor, no), **values)
    return _let_in(visitor, made, sent.raw("goal"))


@router.get("/locked", response_class=HTMLResponse)
def locked(staff: Annotated[Staff, signed_in(by_itself=True, while_locked=True)], back: _Back = "") -> Response:
    """The form that opens a locked session again."""
    if not staff.is_locked:
        return go_to(staff, back)
    return page(staff, "console/locked.html", goal=own_place(back), refusal="")


@router.post("/locked", response_class=HTMLResponse)
def unlock(staff: Annotated[Staff, signed_in(by_itself=True, while_locked=True)]) -> Response:
    """Open it."""
    sent, application = staff.sent, staff.door.application
    try:
        made = sessions.unlock(
            staff.database,
            staff.vault,
            application.index,
            staff.token,
            password=sent.raw("password"),
            code=sent.get("code", 20),
            address=staff.address,
            at=staff.now,
        )
    except (NotAuthentic, TooMany) as no:
        goal = own_place(sent.raw("goal"))
        return page(staff, "console/locked.html", status=_status(no), goal=goal, refusal=_why(staff, no))
    return _let_in(staff, made, sent.raw("goal"))


@router.post("/lock")
def lock(staff: Annotated[Staff, signed_in(by_itself=True)]) -> Response:
    """Lock the session at once, as when leaving the desk."""
    with staff.database.writing() as session:
        sessions.lock(session, staff.vault, staff.token, staff.now)
    return go_to(staff, LOCK)


@router.post("/sign-out")
def sign_out(staff: Annotated[Staff, signed_in(by_itself=True, while_locked=True)]) -> Response:
    """End the session, and put back what was claimed and is not answered."""
    with staff.database.writing() as session:
        sessions.sign_out(session, staff.vault, staff.token, staff.now)
        released = claims.release_all(session, staff.vault, staff.id, staff.now)
        calls.give_back(session, staff.vault, whose=staff.actor, by=staff.actor, at=staff.now)
        accounts.set_on_duty(session, staff.vault, staff.id, False, at=staff.now)
    notice = said("sign_in.signed_out_released", n=released) if released else said("sign_in.signed_out")
    answer = go_to(staff, SIGN_IN, notice)
    give_cookie(staff.door, answer, session_cookie(staff.door), "", seconds=0)
    return answer


@router.get("/welcome/{token}", response_class=HTMLResponse)
def welcome(visitor: Annotated[Visitor, anybody()], token: str) -> Response:
    """The page behind an invitation or a recovery: the second factor to scan, and the password to choose."""
    return _welcome(visitor, token, "", 200)


@router.post("/welcome/{token}", response_class=HTMLResponse)
def take_up(visitor: Annotated[Visitor, anybody()], token: str) -> Response:
    """Take the link up."""
    sent = visitor.sent
    password = sent.raw("password")
    if password != sent.raw("again"):
        return _welcome(visitor, token, visitor.t("sign_in.passwords_differ"), 422)
    try:
        with visitor.database.writing() as session:
            taken = accounts.accept(session, visitor.vault, token, password=password, code=sent.get("code", 20), at=visitor.now)
    except BadInput as weak:
        return _welcome(visitor, token, spoken(visitor.language, str(weak)), 422)
    except NotAuthentic:
        return _welcome(visitor, token, "", 200)
    if taken is None:
        return _welcome(visitor, token, visitor.t("sign_in.wrong_code"), 422)
    return go_to(visitor, SIGN_IN, said("sign_in.ready"))


def _welcome(visitor: Visitor, token: str, refusal: str, status: int) -> Response:
    try:
        with visitor.database.reading() as session:
            offered = accounts.offered(session, visitor.vault, token, visitor.now)
    except NotAuthentic:
        return page(visitor, "console/refused.html", status=410, text=visitor.t("sign_in.link_over"))
    secret = " ".join(offered.secret[place : place + 4] for place in range(0, len(offered.secret), 4))
    values = {"offered": offered, "secret": secret, "picture": qr(offered.address), "refusal": refusal}
    return page(visitor, "console/welcome.html", status=status, **values)


@dataclass(frozen=True)
class Picture:
    """A QR code as one path of an SVG, in modules."""

    size: int
    path: str


def qr(text: str) -> Picture:
    """A text as a QR code, with the quiet zone that scanners need."""
    import segno  # only for whoever sets up a second factor

    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
    dark = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark]
    return Picture(len(rows), "".join(dark))


def _let_in(visitor: Visitor, made: SignedIn, goal: str) -> Response:
    answer = go_to(visitor, goal)
    give_cookie(visitor.door, answer, session_cookie(visitor.door), made.token, seconds=None)
    return answer


def _status(no: Exception) -> int:
    return 429 if isinstance(no, TooMany) else 401


def _why(visitor: Visitor, no: Exception) -> str:
    if isinstance(no, TooMany):
        return visitor.t("base.too_many", minutes=max(1, -(-no.retry_after_s // 60)))
    return visitor.t("sign_in.refused")
