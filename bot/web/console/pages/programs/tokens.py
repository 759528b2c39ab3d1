"""Tokens of other programs: made, shown once, renewed, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response
from fastapi.responses import HTMLResponse

from bot.base.errors import BadInput
from bot.desk.integrations import tokens
from bot.desk.integrations.tokens import Made
from bot.desk.staff.roles import Permission, Scope
from bot.web.console.answers import console_router, go_to
from bot.web.console.door import Staff, requires
from bot.web.console.notices import refused, said
from bot.web.console.rendering import Entry, page

router = console_router()
HERE = "/desk/programs"
ENTRY = Entry("programs", HERE, Permission.MANAGE_STAFF, 92, "i", "system")
DAYS = (30, 90, 365, 730)
API = "/api/v1"

_Admin = Annotated[Staff, requires(Permission.MANAGE_STAFF)]
_Id = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("/programs", response_class=HTMLResponse)
def programs(staff: _Admin) -> Response:
    """Every token, with what it may do and when it was used."""
    with staff.database.reading() as session:
        listed = tokens.listed(session, staff.vault)
    return page(staff, "console/programs.html", tokens=listed, scopes=list(Scope), days=DAYS)


@router.post("/programs/make", response_class=HTMLResponse)
def make(staff: _Admin) -> Response:
    """Make a program's account and token; the token is shown in the answer and nowhere else."""
    with staff.database.writing() as session:
        made = tokens.make(
            session,
            staff.vault,
            staff.door.application.index,
            name=staff.sent.get("name", 80),
            scopes=_scopes(staff),
            days=staff.sent.number("days"),
            by=staff.id,
            at=staff.now,
        )
    return _show(staff, made)


@router.post("/programs/{staff_id}/renew", response_class=HTMLResponse)
def renew(staff: _Admin, staff_id: _Id) -> Response:
    """A further token of the same program, so that the old one can be changed for it."""
    with staff.database.writing() as session:
        index, days = staff.door.application.index, staff.sent.number("days")
        made = tokens.renew(session, staff.vault, index, staff_id, days=days, by=staff.id, at=staff.now)
    return _show(staff, made)


@router.post("/programs/tokens/{token_id}/revoke")
def revoke(staff: _Admin, token_id: _Id) -> Response:
    """End a token at once."""
    with staff.database.writing() as session:
        ended = tokens.revoke(session, staff.vault, token_id, by=staff.id, at=staff.now)
    return go_to(staff, HERE, said("programs.revoked") if ended else refused("base.changed_meanwhile"))


def _scopes(staff: Staff) -> list[Scope]:
    known = {scope.value: scope for scope in Scope}
    chosen = staff.sent.all("scope")
    if not set(chosen) <= set(known):
        raise BadInput("Choose at least one scope.")
    return [known[name] for name in chosen]


def _show(staff: Staff, made: Made) -> Response:
    base = staff.door.application.settings.public_url.rstrip("/") or str(staff.request.base_url).rstrip("/")
    address, ends_at = f"{base}{API}", made.row.ends_at
    return page(staff, "console/shown_once.html", what="token", secret=made.secret, address=address, ends_at=ends_at, home=HERE)
