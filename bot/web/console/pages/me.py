"""One's own account: language, being on duty, password."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.desk.staff import accounts
from bot.desk.work import claims
from bot.web.console.answers import console_router, go_back
from bot.web.console.door import Staff, signed_in
from bot.web.console.notices import said
from bot.web.console.rendering import page

router = console_router()


@router.get("/me", response_class=HTMLResponse)
def me(staff: Annotated[Staff, signed_in()]) -> Response:
    """What is known of oneself."""
    return page(staff, "console/me.html", profile=accounts.profile_of(staff.account, staff.vault))


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
