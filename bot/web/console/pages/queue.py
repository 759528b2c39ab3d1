"""The queue: what waits, in which order, and taking it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.desk.staff.roles import Permission
from bot.web.console.answers import console_router, go_to
from bot.web.console.door import Staff, signed_in
from bot.web.console.rendering import Entry, entries_for, page

router = console_router()
ENTRY = Entry("queue", "/desk", Permission.SEE_QUEUE, 10, "q")


@router.get("", response_class=HTMLResponse)
def queue_page(staff: Annotated[Staff, signed_in()]) -> Response:
    """The queue; whoever may not see it is led to the first page they may."""
    if Permission.SEE_QUEUE not in staff.may:
        return go_to(staff, next((one.href for one in entries_for(staff) if one.href != "/desk"), "/desk/me"))
    return page(staff, "console/queue.html")
