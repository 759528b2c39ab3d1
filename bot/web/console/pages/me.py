"""One's own account: language, being on duty, password."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.errors import NotAuthentic
from bot.desk.staff import accounts
from bot.desk.staff.changing import change_password
from bot.desk.work import claims
from bot.web.console.answers import console_router, go_back
from bot.web.console.door import Staff, signed_in
from bot.web.console.notices import refused, said
from bot.web.console.rendering import page

router = console_router()


@router.get("/me", response_class=HTMLResponse)
def me(staff: Annotated[Staff, signed_in()]) -> Response:
    """What is known of oneself."""
    return page(staff, "console/me.html", profile=accounts.profile_of(staff.account, staff.vault))


@router.post("/password")
def password(staff: Annotated[Staff, signed_in()]) -> Response:
    """Choose another password."""
    sent, application = staff.sent, staff.door.application
    if sent.raw("password") != sent.raw("again"):
        return go_back(staff, refused("sign_in.passwords_differ"))
    try:
        change_password(
            staff.database,
            staff.vault,
            application.index,
            staff.present,
            password=sent.raw("present"),
            code=sent.get("code", 20),
            new=sent.raw("password"),
            at=staff.now,
        )
    except NotAuthentic:
        return go_back(staff, refused("me.not_right"))
    return go_back(staff, said("me.password_changed"))


@router.post("/language")
def language(staff: Annotated[Staff, signed_in()]) -> Response:
    """Work in the other language from now on."""
    with staff.database.writing() as session:
        accounts.set_language(session, staff.id, staff.sent.get("language"))
    return go_back(staff)


@router.post("/duty")
def duty(staff: Annotated[Staff, signed_in()]) -> Response:
    """Begin or end one's shift; at its end, what was claimed and is not answered goes back into the queue."""
    on = staff.sent.get("on") == "1"
    with staff.database.writing() as session:
        accounts.set_on_duty(session, staff.vault, staff.id, on, at=staff.now)
        released = 0 if on else claims.release_all(session, staff.vault, staff.id, staff.now)
    if released:
        return go_back(staff, said("base.now_off_released", n=released))
    return go_back(staff, said("base.now_on" if on else "base.now_off"))
