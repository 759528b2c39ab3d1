"""What is kept with a case and never sent: notes, calls, reminders; who looks; what was hidden and why it was revealed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from bot.base.errors import BadInput
from bot.desk.sight.casefile import case_with, revealed
from bot.desk.staff.roles import Permission
from bot.desk.surge import booked
from bot.desk.work import notebook, presence
from bot.web.console.door import Staff, requires
from bot.web.console.notices import refused, said
from bot.web.console.pages.calls import call_given
from bot.web.console.pages.case.deeds import moment_given
from bot.web.console.pages.case.tools import CASE, CaseId, router, to_case
from bot.web.console.rendering import page

Responder = Annotated[Staff, requires(Permission.WORK_CASES)]


@router.post(f"{CASE}/notes")
def note(staff: Responder, case_id: CaseId) -> Response:
    """Keep a private note: a row of its own kind, which nothing here sends."""
    with staff.database.writing() as session:
        case_with(session, case_id)
        notebook.add_note(session, staff.vault, case_id, staff.id, staff.now, text=staff.sent.get("note", notebook.MOST_TEXT))
    return to_case(staff, case_id, said("case.noted"), anchor="notes")


@router.post(f"{CASE}/calls")
def call(staff: Responder, case_id: CaseId) -> Response:
    """Keep that the patient was called, or called."""
    result, minutes, remark = call_given(staff)
    with staff.database.writing() as session:
        case_with(session, case_id)
        booked.made_call(session, staff.vault, case_id, result=result, minutes=minutes, text=remark, by=staff.id, at=staff.now)
    return to_case(staff, case_id, said("case.call_kept"), anchor="calls")


@router.post(f"{CASE}/reminders")
def remind(staff: Responder, case_id: CaseId) -> Response:
    """Be reminded of this case at a time."""
    due = moment_given(staff)
    with staff.database.writing() as session:
        case_with(session, case_id)
        notebook.remind(session, case_id, staff.id, staff.now, due_at=due)
    return to_case(staff, case_id, said("case.will_remind"))


@router.post(f"{CASE}/reminders/{{reminder_id}}/seen")
def reminder_seen(staff: Responder, case_id: CaseId, reminder_id: CaseId) -> Response:
    """Put one's reminder away."""
    with staff.database.writing() as session:
        seen = notebook.reminder_seen(session, reminder_id, staff.id, staff.now)
    return to_case(staff, case_id, said("case.reminder_away") if seen else refused("base.changed_meanwhile"))


@router.post(f"{CASE}/presence")
def here(staff: Annotated[Staff, requires(Permission.SEE_QUEUE, by_itself=True)], case_id: CaseId) -> Response:
    """Somebody has the case open, and types; said by the script, and again within half a minute."""
    with staff.database.writing() as session:
        case_with(session, case_id)
        if staff.sent.get("left") == "1":
            presence.left(session, case_id, staff.id)
        else:
            presence.seen(session, case_id, staff.id, staff.now, typing=staff.sent.get("typing") == "1")
    return PlainTextResponse("", 204)


@router.post(f"{CASE}/reveal", response_class=HTMLResponse)
def reveal(staff: Annotated[Staff, requires(Permission.REVEAL)], case_id: CaseId) -> Response:
    """One line as it was written: counted, and in the log with its reason."""
    thread_id, _, number = staff.sent.get("line", 40).partition(":")
    if not (thread_id.isdecimal() and number.isdecimal() and len(thread_id + number) < 20):
        raise BadInput("There is no such line.")
    with staff.database.writing() as session:
        words = revealed(
            session,
            staff.vault,
            case_id,
            int(thread_id),
            int(number),
            reason=staff.sent.get("why", 400),
            staff_id=staff.id,
            at=staff.now,
        )
    return page(staff, "console/case_revealed.html", words=words, case_id=case_id)
