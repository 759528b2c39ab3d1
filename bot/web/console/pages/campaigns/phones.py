"""The phone list: whom to ring, a few at a time, with what to say, and what came of it; for who works cases."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.errors import BadInput
from bot.campaigns import figures
from bot.campaigns.phones import calls
from bot.campaigns.phones.models import Outcome
from bot.campaigns.phones.script import script
from bot.desk.staff.accounts import profile_of
from bot.desk.staff.roles import Permission
from bot.web.console.answers import go_to
from bot.web.console.door import Forbidden, Staff, requires
from bot.web.console.notices import said
from bot.web.console.pages.campaigns.place import moment_of, names, office, place_of, router
from bot.web.console.rendering import Entry, page

HOME = "/desk/phones"
ENTRY = Entry("phones", HOME, Permission.WORK_CASES, 16, "r")
AT_ONCE = 5
"""People whose numbers are shown at a time: whoever rings does not need the list."""
Caller = Annotated[Staff, requires(Permission.WORK_CASES)]


@router.get("/phones", response_class=HTMLResponse)
def lists(staff: Caller) -> Response:
    """How many people wait to be rung, for each campaign; no number is shown."""
    with staff.database.reading() as session:
        found = calls.lists(session)
        held = {one.id: calls.held_by(session, one, staff.now) for one, _ in found}
        return page(staff, "console/phones.html", lists=found, held=held, names=names(staff, session))


@router.post("/phones/back")
def back(staff: Caller) -> Response:
    """Give back whom one has to ring; who runs the desk does it for others too."""
    whose = staff.sent.get("whose", 60) or staff.actor
    if whose != staff.actor and Permission.RUN_DESK not in staff.may:
        raise Forbidden("base.refused_role")
    with staff.database.writing() as session:
        given = calls.give_back(session, staff.vault, whose=whose, by=staff.actor, at=staff.now)
    return go_to(staff, HOME, said("campaigns.given_back", n=given))


@router.post("/campaigns/{campaign_id}/phones", response_class=HTMLResponse)
def ring(staff: Caller, campaign_id: int) -> Response:
    """Whom to ring now, with what to say; that the numbers were shown is in the log."""
    caller = profile_of(staff.account, staff.vault).name
    with staff.database.writing() as session:
        one = figures.numbered(session, campaign_id)
        found = calls.next_ones(session, office(staff), one, most=AT_ONCE, by=staff.actor)
        steps = {
            who.notice_id: script(session, one.version, who.language, who.variant, name=who.name, caller=caller) for who in found
        }
    return page(staff, "console/campaign_phones.html", campaign=one, people=found, steps=steps, outcomes=list(Outcome))


@router.post("/campaigns/{campaign_id}/phones/{notice_id}")
def called(staff: Caller, campaign_id: int, notice_id: int) -> Response:
    """What came of a call."""
    outcome = next((one for one in Outcome if one.value == staff.sent.get("outcome")), None)
    if outcome is None:
        raise BadInput("Choose what came of the call.")
    given = {"again_at": moment_of(staff.sent.get("again")), "by": staff.actor, "at": staff.now}
    with staff.database.writing() as session:
        one = figures.numbered(session, campaign_id, lock=True)
        calls.done(session, staff.vault, one, notice_id, outcome, **given)  # type: ignore[arg-type]
    # Agents ring people and do not see campaigns: they go on with the list.
    may_see = Permission.SEE_CAMPAIGNS in staff.may
    return go_to(staff, place_of(one, "hands") if may_see else HOME, said("campaigns.call_noted"))
