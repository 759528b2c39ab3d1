"""Publications: what is proposed to be said, sentence by sentence; approved by another person, from a moment on; going back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.clock import HONG_KONG
from bot.base.errors import BadInput
from bot.campaigns.planning import versions
from bot.desk.sight import texts
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.web.console.answers import console_router, go_back, go_to
from bot.web.console.door import Staff, requires
from bot.web.console.notices import said
from bot.web.console.rendering import Entry, page

router = console_router()
HOME = "/desk/publications"
ENTRY = Entry("publications", HOME, Permission.PROPOSE_TEXTS, 40, "t")

Proposer = Annotated[Staff, requires(Permission.PROPOSE_TEXTS)]
Approver = Annotated[Staff, requires(Permission.APPROVE_TEXTS)]


@router.get("/publications", response_class=HTMLResponse)
def publications(staff: Proposer) -> Response:
    """Everything proposed and published, newest first."""
    with staff.database.reading() as session:
        rows = texts.rows(session, staff.door.application.library, staff.id, staff.now)
    return page(staff, "console/publications.html", rows=rows, names=_names(staff))


@router.get("/publications/{publication_id}", response_class=HTMLResponse)
def publication(staff: Proposer, publication_id: int) -> Response:
    """One of them against what is said now."""
    with staff.database.reading() as session:
        found = texts.compared(session, staff.door.application.library, publication_id, staff.id, staff.now)
        held = [one for one in versions.held(session) if one.publication != publication_id]
        owed = versions.on_their_way(session)
    values: dict[str, Any] = {"found": found, "row": found.row, "names": _names(staff), "held": held, "owed": owed}
    return page(staff, "console/publication.html", **values)


@router.post("/publications/propose")
def propose(staff: Proposer) -> Response:
    """Propose what the files of this installation say."""
    content = texts.read_files(staff.door.application.settings.data)
    with staff.database.writing() as session:
        made = texts.propose_files(session, staff.vault, content, by=staff.id, at=staff.now)
    return go_to(staff, f"{HOME}/{made.id}", said("publications.proposed"))


@router.post("/publications/{publication_id}/again")
def again(staff: Proposer, publication_id: int) -> Response:
    """Propose an earlier one again: another person has to approve going back too."""
    with staff.database.writing() as session:
        made = texts.propose_again(session, staff.vault, publication_id, by=staff.id, at=staff.now)
    return go_to(staff, f"{HOME}/{made.id}", said("publications.proposed"))


@router.post("/publications/{publication_id}/approve")
def approve(staff: Approver, publication_id: int) -> Response:
    """Have it said, at once or from a moment on."""
    since = _moment(staff.sent.get("since"))
    with staff.database.writing() as session:
        texts.approve(session, staff.vault, publication_id, by=staff.id, at=staff.now, effective_at=since)
    return go_back(staff, said("publications.approved"))


@router.post("/publications/{publication_id}/reject")
def reject(staff: Proposer, publication_id: int) -> Response:
    """Never have it said."""
    with staff.database.writing() as session:
        texts.reject(session, staff.vault, publication_id, by=staff.id, at=staff.now)
    return go_back(staff, said("publications.rejected"))


def _moment(text: str) -> datetime | None:
    """A moment on a Hong Kong clock, as the browser's field writes it; None for at once."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=HONG_KONG).astimezone(UTC)
    except ValueError:
        raise BadInput("Choose a time.") from None


def _names(staff: Staff) -> dict[str, str]:
    with staff.database.reading() as session:
        return {f"staff:{number}": one.name for number, one in colleagues(session, staff.vault).items()}
