"""Everything about a person for them, and erasing it: asked for by one, agreed to by another, in the log."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot import erase
from bot.assembly import office_for
from bot.base.errors import BadInput
from bot.campaigns.proof.received import received
from bot.desk.persons import requests
from bot.desk.persons.dossier import dossier
from bot.desk.staff import approvals
from bot.desk.staff.approvals import What
from bot.desk.staff.models import Approval
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.web.console.answers import console_router, go_to
from bot.web.console.deciding import deed, who_decides
from bot.web.console.door import Staff, requires
from bot.web.console.notices import Notice, said
from bot.web.console.rendering import Entry, page

router = console_router()
HOME = "/desk/export"
ENTRY = Entry("export", HOME, Permission.EXPORT, 60, "e", "records")

Exporter = Annotated[Staff, requires(Permission.EXPORT)]
Eraser = Annotated[Staff, requires(Permission.ERASE)]


@router.get("/export", response_class=HTMLResponse)
def exports(staff: Exporter) -> Response:
    """What waits for a second person, and what may be fetched."""
    with staff.database.reading() as session:
        waiting = [
            {
                "id": one.id,
                "what": one.what,
                "subject": one.subject,
                "reason": approvals.details_of(one, staff.vault)["reason"],
                "asked_by": one.asked_by,
                "ends_at": one.ends_at,
            }
            for what in (What.EXPORT, What.ERASURE)
            for one in requests.waiting_for(session, what, staff.now)
        ]
        ready = requests.exports_ready(session, staff.now)
        names = {number: one.name for number, one in colleagues(session, staff.vault).items()}
    until = {one.id: one.decided_at + requests.READY_FOR for one in ready if one.decided_at}
    return page(staff, "console/export.html", waiting=waiting, ready=ready, names=names, until=until)


@router.post("/export/ask")
def ask_export(staff: Exporter) -> Response:
    """Ask for the export of a person's data."""
    return _ask(staff, What.EXPORT)


@router.post("/export/erase")
def ask_erasure(staff: Eraser) -> Response:
    """Ask for a person to be erased."""
    return _ask(staff, What.ERASURE)


@router.post("/export/{request_id}/fetch")
def fetch(staff: Exporter, request_id: int) -> Response:
    """The ZIP file, while it may be fetched; every time is in the log."""
    with staff.database.writing() as session:
        request = next((one for one in requests.exports_ready(session, staff.now) if one.id == request_id), None)
        if request is None:
            raise BadInput("This export may not be fetched, or not any more.")
        person_id = int(approvals.details_of(request, staff.vault)["person"])
        threads = erase.proven_threads(session, person_id)
        office = office_for(staff.door.application, "console")
        sent = received(session, office, person_id)
        packed = dossier(session, staff.vault, person_id, threads, request, by=staff.id, at=staff.now, sent=sent)
    name = f"access-request-{request_id}.zip"
    return Response(packed, media_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _ask(staff: Staff, what: What) -> Response:
    person_id, reason = staff.sent.number("person"), staff.sent.get("reason")
    with staff.database.writing() as session:
        request = requests.ask(session, staff.vault, what, person_id, reason=reason, by=staff.id, at=staff.now)
        deciders = approvals.who_can(session, request)
    return go_to(staff, HOME, said("export.asked"), who_decides(deciders))


def _describe(key: str, staff: Staff, request: Approval) -> str:
    details = approvals.details_of(request, staff.vault)
    return staff.t(f"export.{key}", person=details["person"], reason=details["reason"])


def _agree_export(staff: Staff, session: Session, request_id: int) -> Notice:
    approvals.approve(session, staff.vault, request_id, by=staff.id, at=staff.now)
    return said("export.agreed")


def _agree_erasure(staff: Staff, session: Session, request_id: int) -> Notice:
    request = approvals.approve(session, staff.vault, request_id, by=staff.id, at=staff.now)
    person_id = int(approvals.details_of(request, staff.vault)["person"])
    erase.erase(session, staff.vault, person_id, by=staff.actor, at=staff.now)
    return said("export.erased", person=person_id)


deed(What.EXPORT, lambda staff, _, request: _describe("describe_export", staff, request), _agree_export)
deed(What.ERASURE, lambda staff, _, request: _describe("describe_erasure", staff, request), _agree_erasure)
