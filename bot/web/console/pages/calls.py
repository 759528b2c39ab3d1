"""Calls at set times: who is called when and by whom, made, moved or given up; the patient is told of every change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

from fastapi import Path, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot.base.clock import in_hong_kong
from bot.base.errors import BadInput
from bot.desk.hours.switches import calendar
from bot.desk.records import CallResult
from bot.desk.sight.casefile import case_with
from bot.desk.sight.onfile import persons_on
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.desk.surge import booked, slots
from bot.desk.work.persons import PROVEN
from bot.web.console.answers import console_router, go_back
from bot.web.console.door import Staff, requires
from bot.web.console.live import state_of
from bot.web.console.notices import refused, said
from bot.web.console.rendering import Entry, page

router = console_router()
HOME = "/desk/calls"
ENTRY = Entry("calls", HOME, Permission.SEE_QUEUE, 15, "c")
HOURS_SHOWN = 24
"""Free hours that are offered when a call is moved."""

Caller = Annotated[Staff, requires(Permission.WORK_CASES)]
CaseId = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("/calls", response_class=HTMLResponse)
def calls(staff: Annotated[Staff, requires(Permission.SEE_QUEUE)]) -> Response:
    """The booked calls by day and hour."""
    with staff.database.reading() as session:
        state = state_of(session, "queue", staff.now)  # before the list, which is at least as new then
        found = booked.planned(session, staff.now)
        values: dict[str, Any] = {
            "state": state,
            "days": [(day, list(rows)) for day, rows in groupby(found, key=lambda one: in_hong_kong(one.slot).date())],
            "called": {one.case.id: _called(staff, session, one.case.id) for one in found},
            "names": {one.id: one.name for one in colleagues(session, staff.vault).values()},
            "free": free_hours(staff, session) if Permission.WORK_CASES in staff.may else (),
            "results": list(CallResult),
        }
    return page(staff, "console/calls.html", **values)


@router.post("/calls/{case_id}/made")
def made(staff: Caller, case_id: CaseId) -> Response:
    """Keep that the call was made and what came of it."""
    result, minutes, remark = call_given(staff)
    with staff.database.writing() as session:
        case_with(session, case_id)
        booked.made_call(session, staff.vault, case_id, result=result, minutes=minutes, text=remark, by=staff.id, at=staff.now)
    if result is CallResult.REACHED:
        return go_back(staff, said("calls.made"))
    return go_back(staff, said("calls.made"), refused("calls.not_reached"))


@router.post("/calls/{case_id}/move")
def move(staff: Caller, case_id: CaseId) -> Response:
    """Book an hour, or another one."""
    slot = _slot(staff.sent.get("slot", 40))
    with staff.database.writing() as session:
        case_with(session, case_id)
        published = staff.door.published(session)
        known = calendar(session, staff.now, staff.hours(session))
        booked.move_call(session, staff.vault, published, case_id, slot, known, by=staff.id, at=staff.now)
    return go_back(staff, said("calls.moved"))


@router.post("/calls/{case_id}/off")
def give_up(staff: Caller, case_id: CaseId) -> Response:
    """Give a call up."""
    with staff.database.writing() as session:
        case_with(session, case_id)
        booked.give_up_call(session, staff.vault, staff.door.published(session), case_id, by=staff.id, at=staff.now)
    return go_back(staff, said("calls.given_up"))


def free_hours(staff: Staff, session: Session) -> Sequence[datetime]:
    """The next hours that still hold a call."""
    return slots.with_room(session, calendar(session, staff.now, staff.hours(session)), staff.now, HOURS_SHOWN)


def call_given(staff: Staff) -> tuple[CallResult, int, str]:
    """What a form says of a call: result, minutes, remark; raises BadInput without a result."""
    try:
        result = CallResult(staff.sent.get("result", 20))
    except ValueError:
        raise BadInput("Choose what came of the call.") from None
    minutes = staff.sent.number("minutes") if staff.sent.get("minutes", 8) else 0
    return result, minutes, staff.sent.get("remark", 4000)


def _called(staff: Staff, session: Session, case_id: int) -> list[tuple[str, str]]:
    """The names of those whom a case is proven to be, for who may look up patients."""
    if Permission.SEARCH_PATIENTS not in staff.may:
        return []
    known = [one.particulars for one in persons_on(session, staff.vault, case_id) if one.link.known in PROVEN]
    return [(one.name, one.name_zh) for one in known]


def _slot(text: str) -> datetime:
    try:
        return slots.slot_of(text)
    except ValueError:
        raise BadInput("Choose a time.") from None
