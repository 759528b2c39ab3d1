"""The team: invitations, roles, disabling, recovery by two."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.errors import BadInput
from bot.desk.staff import accounts, approvals
from bot.desk.staff.accounts import LINK_LASTS, WELCOME, Invitation, Profile
from bot.desk.staff.approvals import What
from bot.desk.staff.models import AccountStatus
from bot.desk.staff.roles import Permission, Role, is_program
from bot.web.console.answers import console_router, go_to
from bot.web.console.deciding import who_decides
from bot.web.console.door import Staff, requires
from bot.web.console.notices import said
from bot.web.console.rendering import Entry, page, when

router = console_router()
HERE = "/desk/team"
ENTRY = Entry("accounts", HERE, Permission.MANAGE_STAFF, 90, "s", "system")
_Admin = Annotated[Staff, requires(Permission.MANAGE_STAFF)]


@router.get("/team", response_class=HTMLResponse)
def team(staff: _Admin) -> Response:
    """Everybody with an account."""
    with staff.database.reading() as session:
        team = [one for one in accounts.everybody(session) if not is_program(one.roles)]
        people = [(one, accounts.profile_of(one, staff.vault)) for one in team]
    admins = [one for one, _ in people if one.status == AccountStatus.ACTIVE and Role.ADMIN.value in one.roles]
    return page(staff, "console/team.html", people=people, roles=list(Role), one_admin=len(admins) < 2)


@router.post("/team/invite", response_class=HTMLResponse)
def invite(staff: _Admin) -> Response:
    """Make an account; its link is shown in the answer and nowhere else."""
    sent = staff.sent
    profile = Profile(sent.get("name", 80), sent.get("login", 200), sent.get("mobile", 40), sent.get("email", 200))
    with staff.database.writing() as session:
        made = accounts.invite(
            session, staff.vault, staff.door.application.index, profile, _roles(staff), by=staff.id, at=staff.now
        )
    return show_link(staff, made)


@router.post("/team/{staff_id}/roles")
def roles(staff: _Admin, staff_id: int) -> Response:
    """Change what somebody is."""
    with staff.database.writing() as session:
        accounts.set_roles(session, staff.vault, staff_id, _roles(staff), by=staff.id, at=staff.now)
    return go_to(staff, HERE, said("accounts.roles_saved"))


@router.post("/team/{staff_id}/suspend")
def suspend(staff: _Admin, staff_id: int) -> Response:
    """Let somebody sign in no more."""
    with staff.database.writing() as session:
        accounts.suspend(session, staff.vault, staff_id, by=staff.id, at=staff.now)
    return go_to(staff, HERE, said("accounts.suspended"))


@router.post("/team/{staff_id}/reinstate")
def reinstate(staff: _Admin, staff_id: int) -> Response:
    """Let somebody sign in again."""
    with staff.database.writing() as session:
        accounts.reinstate(session, staff.vault, staff_id, by=staff.id, at=staff.now)
    return go_to(staff, HERE, said("accounts.reinstated"))


@router.post("/team/{staff_id}/recover")
def ask_to_recover(staff: _Admin, staff_id: int) -> Response:
    """Ask for a new link for somebody; a second person decides."""
    if staff_id == staff.id:
        raise BadInput("Recovery takes two other people.")
    with staff.database.writing() as session:
        subject, details = f"staff:{staff_id}", {"staff": staff_id}
        asked = approvals.ask(session, staff.vault, What.RECOVERY, subject=subject, details=details, by=staff.id, at=staff.now)
        deciders = approvals.who_can(session, asked)
    return go_to(staff, HERE, said("accounts.recovery_asked"), who_decides(deciders))


def show_link(staff: Staff, made: Invitation) -> Response:
    """The page with a link, shown once."""
    request = staff.request
    base = staff.door.application.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    ends = when(staff.language, staff.now + LINK_LASTS, now=staff.now)
    name = accounts.profile_of(made.account, staff.vault).name
    return page(staff, "console/link.html", address=f"{base}{WELCOME}{made.token}", name=name, ends=ends)


def _roles(staff: Staff) -> list[Role]:
    known = {role.value: role for role in Role}
    chosen = staff.sent.all("role")
    if not set(chosen) <= set(known):
        raise BadInput("There is no such role.")
    return [known[name] for name in chosen]
