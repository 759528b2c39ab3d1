"""What nobody handled: has to be empty at the end of every day, and says about each what to do."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.desk.sight.handled import not_handled
from bot.desk.staff.roles import Permission
from bot.desk.work import rescue
from bot.web.console.answers import console_router, go_back, go_to
from bot.web.console.door import Staff, requires
from bot.web.console.notices import said
from bot.web.console.rendering import Entry, page

router = console_router()
HOME = "/desk/unhandled"
ENTRY = Entry("not_handled", HOME, Permission.WORK_CASES, 35, "n")

Worker = Annotated[Staff, requires(Permission.WORK_CASES)]
Revealer = Annotated[Staff, requires(Permission.REVEAL)]


@router.get("/unhandled", response_class=HTMLResponse)
def unhandled(staff: Worker) -> Response:
    """The list, the oldest first."""
    with staff.database.reading() as session:
        found = not_handled(session, staff.now)
    return page(staff, "console/unhandled.html", found=found, shown=None, shown_id=None)


@router.post("/unhandled/turn/{turn_id}/again")
def again(staff: Worker, turn_id: int) -> Response:
    """Have the assistant answer the thread now."""
    application = staff.door.application
    with staff.database.reading() as session:
        thread_id = next((one.thread_id for one in not_handled(session, staff.now) if one.id == turn_id and one.thread_id), None)
    if thread_id is not None:
        application.inbox.answer(thread_id)
    return go_back(staff, said("unhandled.tried"))


@router.post("/unhandled/turn/{turn_id}/case")
def into_case(staff: Worker, turn_id: int) -> Response:
    """Put it into a case and go there."""
    with staff.database.writing() as session:
        hours = staff.hours(session)
        case = rescue.into_case(session, staff.vault, turn_id, staff_id=staff.id, at=staff.now, hours=hours)
        case_id = case.id
    return go_to(staff, f"/desk/cases/{case_id}", said("unhandled.in_case"))


@router.post("/unhandled/hook/{hook_id}/read", response_class=HTMLResponse)
def read(staff: Revealer, hook_id: int) -> Response:
    """What could not be read by a program, for a reason."""
    with staff.database.writing() as session:
        text = rescue.read_by_hand(session, staff.vault, hook_id, why=staff.sent.get("reason"), staff_id=staff.id, at=staff.now)
        found = not_handled(session, staff.now)
    return page(staff, "console/unhandled.html", found=found, shown=text, shown_id=hook_id)


@router.post("/unhandled/hook/{hook_id}/done")
def done(staff: Worker, hook_id: int) -> Response:
    """A person has seen to it."""
    with staff.database.writing() as session:
        rescue.attended(session, staff.vault, hook_id, staff_id=staff.id, at=staff.now)
    return go_to(staff, HOME, said("unhandled.attended"))
