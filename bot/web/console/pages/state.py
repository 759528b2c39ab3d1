"""How the desk and what serves it stand: each part, calls for help, what is switched on by whom, and the legal hold."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot.desk.alarm.health import Sign, signs
from bot.desk.hours import switches
from bot.desk.records import Switch
from bot.desk.sight.load import load
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.desk.surge import suggesting
from bot.web.console.answers import console_router, go_back
from bot.web.console.door import Staff, requires, signed_in
from bot.web.console.notices import said
from bot.web.console.rendering import Entry, page

router = console_router()
HOME = "/desk/state"
ENTRY = Entry("state", HOME, None, 85, "d", "system")
SHOWN = 20


@router.get("/state", response_class=HTMLResponse)
def state(staff: Annotated[Staff, signed_in()]) -> Response:
    """Every part with what is wrong with it, and what is switched."""
    engine = staff.door.application.engine.healthy()
    with staff.database.reading() as session:
        hours = staff.hours(session)
        parts = [
            Sign("engine", engine, "well" if engine else "engine_silent"),
            *signs(session, staff.vault, staff.now, hours),
        ]
        values: dict[str, Any] = {
            "parts": parts,
            "bad": sum(one.well is False for one in parts),
            "on": switches.switched_on(session),
            "history": switches.history(session, SHOWN),
            "by": actors(staff, session),
            "all_switches": list(Switch),
            "advice": advice(staff, session),
        }
    return page(staff, "console/state.html", **values)


@router.post("/state/hold")
def hold(staff: Annotated[Staff, requires(Permission.ERASE)]) -> Response:
    """Put the legal hold on or end it, with a reason: while it stands nothing is removed."""
    on, why = staff.sent.get("on") == "1", staff.sent.get("why", 400)
    turn = switches.turn_on if on else switches.turn_off
    with staff.database.writing() as session:
        changed = turn(session, staff.vault, Switch.LEGAL_HOLD, by=staff.actor, at=staff.now, why=why)
    return go_back(staff, said(f"state.hold_{'on' if on else 'off'}") if changed else said("queue.switched_already"))


def actors(staff: Staff, session: Session) -> dict[str, str]:
    """What those who switch are called: colleagues by name, an operator as such."""
    names = {f"staff:{number}": one.name for number, one in colleagues(session, staff.vault).items()}
    return {**names, "operator": staff.t("state.operator")}


def advice(staff: Staff, session: Session) -> dict[str, Any] | None:
    """Why surge is suggested now, in numbers; None when it is not, or to who could not switch it."""
    if Permission.RUN_DESK not in staff.may:
        return None
    found = load(session, staff.now, staff.hours(session))
    if not suggesting.is_suggested(found):
        return None
    each = "–" if not found.staff_on_duty else round(found.per_person)
    return {"waiting": found.waiting, "least": suggesting.LEAST, "each": each, "most": suggesting.CASES_A_PERSON}
