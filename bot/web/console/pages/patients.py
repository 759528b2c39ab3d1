"""Patients: finding who is on file, with a reason; changing a contact by two; lifting a hold.

What was looked for and whom it found stand in no address: the answers to the forms are the pages.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.desk.persons import contacts, seen
from bot.desk.sight import searching
from bot.desk.staff import approvals
from bot.desk.staff.models import Approval
from bot.desk.staff.roles import Permission
from bot.web.console.answers import console_router, go_to
from bot.web.console.deciding import deed, who_decides
from bot.web.console.door import Staff, requires
from bot.web.console.notices import Notice, said
from bot.web.console.rendering import Entry, page

router = console_router()
HOME = "/desk/patients"
ENTRY = Entry("patients", HOME, Permission.SEARCH_PATIENTS, 20, "p")
UNTOLD_FOR = timedelta(days=7)
NOTHING = {"by": "", "value": "", "reason": ""}

Seeker = Annotated[Staff, requires(Permission.SEARCH_PATIENTS)]
Changer = Annotated[Staff, requires(Permission.CHANGE_CONTACTS)]


@router.get("/patients", response_class=HTMLResponse)
def search_page(staff: Seeker) -> Response:
    """The form of a search, and who has to be told of a change another way."""
    untold = []
    if Permission.CHANGE_CONTACTS in staff.may:
        with staff.database.reading() as session:
            untold = list(seen.untold(session, staff.now - UNTOLD_FOR))
    return page(staff, "console/patients.html", ways=list(searching.By), found=None, asked=NOTHING, untold=untold)


@router.post("/patients/find", response_class=HTMLResponse)
def find(staff: Seeker) -> Response:
    """Look somebody up; what is found stands masked until it is opened."""
    by, value, reason = _way(staff.sent.get("by")), staff.sent.get("value", 200), staff.sent.get("reason")
    with staff.database.writing() as session:
        index = staff.door.application.index
        hits = searching.search(session, staff.vault, index, by=by, value=value, reason=reason, staff_id=staff.id, at=staff.now)
        held = seen.on_hold(session, [hit.person.id for hit in hits])
        found = [
            {
                "id": hit.person.id,
                "name": seen.masked_name(hit.particulars.name),
                "name_zh": seen.masked_name(hit.particulars.name_zh),
                "language": hit.person.language,
                "flags": _flags(hit, hit.person.id in held),
                "contacts": seen.masked_contacts(session, staff.vault, hit.person.id),
            }
            for hit in hits
        ]
    asked = {"by": by.value, "value": value, "reason": reason}
    return page(staff, "console/patients.html", ways=list(searching.By), found=found, asked=asked, untold=[])


@router.post("/patients/open", response_class=HTMLResponse)
def opened(staff: Seeker) -> Response:
    """One person's page; the reason for opening it is in the log."""
    person_id, reason = staff.sent.number("person"), staff.sent.get("reason")
    with staff.database.writing() as session:
        hit, _, cases = searching.opened(session, staff.vault, person_id, reason=reason, staff_id=staff.id, at=staff.now)
        sheet = seen.sheet(session, staff.vault, person_id)
        return page(
            staff, "console/patient.html", hit=hit, sheet=sheet, cases=cases, flags=_flags(hit, bool(sheet.holds)), reason=reason
        )


@router.post("/patients/contact")
def ask_change(staff: Changer) -> Response:
    """Ask for a contact to be added or replaced; a colleague has to agree."""
    replaces = staff.sent.number("replaces") if staff.sent.get("replaces") else None
    with staff.database.writing() as session:
        request = contacts.ask_change(
            session,
            staff.vault,
            staff.sent.number("person"),
            staff.sent.get("value", 200),
            replaces=replaces,
            reason=staff.sent.get("reason"),
            by=staff.id,
            at=staff.now,
        )
        deciders = approvals.who_can(session, request)
    return go_to(staff, HOME, said("patients.change_asked"), who_decides(deciders))


@router.post("/patients/lift")
def lift(staff: Changer) -> Response:
    """Lift the hold on a person, with a reason."""
    with staff.database.writing() as session:
        person_id = staff.sent.number("person")
        contacts.lift_hold(session, staff.vault, person_id, reason=staff.sent.get("reason"), by=staff.id, at=staff.now)
    return go_to(staff, HOME, said("patients.lifted"))


def _way(text: str) -> searching.By:
    if text not in searching.By.__members__.values():
        raise BadInput("Say by what you look for this person.")
    return searching.By(text)


def _flags(hit: searching.Hit, is_held: bool) -> list[str]:
    person = hit.person
    told = {"held": is_held, "protected": person.protected, "deceased": person.deceased, "minor": person.minor}
    return [name for name, is_so in told.items() if is_so]


def _describe(staff: Staff, session: Session, request: Approval) -> str:
    details = approvals.details_of(request, staff.vault)
    number = details["person"]
    if Permission.SEARCH_PATIENTS not in staff.may:
        return staff.t("patients.change_masked", person=number)
    key = "patients.change_replaces" if details["replaces"] else "patients.change_adds"
    return staff.t(key, person=number, value=details["value"], reason=details["reason"])


def _carry_out(staff: Staff, session: Session, request_id: int) -> Notice:
    request = approvals.approve(session, staff.vault, request_id, by=staff.id, at=staff.now)
    contacts.carry_out_change(session, staff.vault, staff.door.application.index, request, staff.now)
    return said("patients.changed")


deed(approvals.What.CONTACT_CHANGE, _describe, _carry_out)
