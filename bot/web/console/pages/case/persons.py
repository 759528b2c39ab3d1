"""Whom on file a case concerns: looked up with a reason, put on the case, called; and a further reason for the case."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.errors import BadInput
from bot.desk import cases
from bot.desk.persons import seen
from bot.desk.persons.numbers import numbers_to_call
from bot.desk.records import Known
from bot.desk.sight import searching
from bot.desk.sight.casefile import case_with
from bot.desk.staff.roles import Permission
from bot.desk.work import persons
from bot.web.console.door import Forbidden, Staff, requires
from bot.web.console.notices import said
from bot.web.console.pages.case.tools import CASE, CaseId, hours_of, published_of, router, to_case
from bot.web.console.rendering import page

Responder = Annotated[Staff, requires(Permission.WORK_CASES)]
Seeker = Annotated[Staff, requires(Permission.SEARCH_PATIENTS)]
Revealer = Annotated[Staff, requires(Permission.REVEAL)]


@router.post(f"{CASE}/reasons")
def add_reason(staff: Responder, case_id: CaseId) -> Response:
    """Note a further reason, with its deadlines."""
    code = staff.sent.get("reason", 40)
    with staff.database.writing() as session:
        case_with(session, case_id)
        hours = hours_of(published_of(staff, session))
        cases.add_reason(session, staff.vault, case_id, staff.id, code, staff.now, hours)
    return to_case(staff, case_id, said("case.reason_added"))


@router.post(f"{CASE}/persons/find", response_class=HTMLResponse)
def find(staff: Seeker, case_id: CaseId) -> Response:
    """Look up whom this case concerns; counted and logged like every search."""
    if Permission.WORK_CASES not in staff.may:
        raise Forbidden("base.refused_role")
    asked = staff.sent.get("by", 20)
    if asked not in searching.By.__members__.values():
        raise BadInput("Say by what you look for this person.")
    with staff.database.writing() as session:
        case = case_with(session, case_id)
        hits = searching.search(
            session,
            staff.vault,
            staff.door.application.index,
            by=searching.By(asked),
            value=staff.sent.get("value", 200),
            reason=staff.sent.get("reason"),
            staff_id=staff.id,
            at=staff.now,
            case_id=case_id,
        )
        found = [
            {
                "id": hit.person.id,
                "name": seen.masked_name(hit.particulars.name),
                "name_zh": seen.masked_name(hit.particulars.name_zh),
                "contacts": seen.masked_contacts(session, staff.vault, hit.person.id),
            }
            for hit in hits
        ]
    return page(staff, "console/case_found.html", case=case, found=found)


@router.post(f"{CASE}/persons/link")
def link(staff: Responder, case_id: CaseId) -> Response:
    """Put a person on the case: mentioned, or confirmed by a call to a contact on file."""
    known, person_id = staff.sent.get("known", 20), staff.sent.number("person")
    if known not in (Known.MENTIONED, Known.CONFIRMED):
        raise BadInput("Say how it is known that the case concerns this person.")
    with staff.database.writing() as session:
        case_with(session, case_id)
        persons.link(session, staff.vault, case_id, person_id, Known(known), staff_id=staff.id, at=staff.now)
    return to_case(staff, case_id, said("case.linked"), anchor="persons")


@router.post(f"{CASE}/persons/{{person_id}}/unlink")
def unlink(staff: Responder, case_id: CaseId, person_id: CaseId) -> Response:
    """Take a person off a case that is not about them."""
    with staff.database.writing() as session:
        persons.unlink(session, staff.vault, case_id, person_id, staff_id=staff.id, at=staff.now)
    return to_case(staff, case_id, said("case.unlinked"))


@router.post(f"{CASE}/persons/{{person_id}}/numbers", response_class=HTMLResponse)
def numbers(staff: Revealer, case_id: CaseId, person_id: CaseId) -> Response:
    """The numbers on file at which this person may be called; the reason is in the log."""
    with staff.database.writing() as session:
        case = case_with(session, case_id)
        found = numbers_to_call(
            session, staff.vault, case_id, person_id, reason=staff.sent.get("reason"), by=staff.id, at=staff.now
        )
    return page(staff, "console/case_numbers.html", case=case, found=found)
