"""Evidence for the authorities: a campaign's proof as a ZIP file, and what the authorities are still owed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse, StreamingResponse

from bot.assembly import office_for
from bot.base.errors import BadInput, NotPublished
from bot.campaigns import figures
from bot.campaigns.proof import bundle, packing
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.regulators import filings, writing
from bot.web.console.answers import console_router
from bot.web.console.door import Staff, requires
from bot.web.console.rendering import Entry, page

router = console_router()
HOME = "/desk/evidence"
ENTRY = Entry("evidence", HOME, Permission.EXPORT, 65, "v")

Officer = Annotated[Staff, requires(Permission.EXPORT)]


@router.get("/evidence", response_class=HTMLResponse)
def evidence(staff: Officer) -> Response:
    """The campaigns whose proof may be fetched, and how it stands with the authorities."""
    library = staff.door.application.library
    with staff.database.reading() as session:
        campaigns = [one for one in figures.everyone(session) if one.digests is not None]
        try:
            standings = filings.standings(session, library, staff.now)
        except NotPublished:
            standings = []
        documents = filings.all_of(session)
        names = {f"staff:{number}": one.name for number, one in colleagues(session, staff.vault).items()}
    lists = {"standings": standings, "documents": documents, "names": names}
    return page(staff, "console/evidence.html", campaigns=campaigns, lists=lists)


@router.post("/evidence/{campaign_id}/fetch")
def fetch(staff: Officer, campaign_id: int) -> Response:
    """The proof of a campaign as a ZIP file; that it was fetched is in the log, with the digest of all of it."""
    application = staff.door.application
    office, settings = office_for(application, f"desk:{staff.id}"), application.settings
    with staff.database.reading() as session:
        found = next((one for one in figures.everyone(session) if one.id == campaign_id), None)
    if found is None:
        raise BadInput("There is no such campaign.")
    folder = tempfile.TemporaryDirectory(prefix="candour-evidence-")
    heads = settings.home / "evidence"
    try:
        keys, place = settings.secret("audit_keys"), heads if heads.is_dir() else None
        bundle.export(office, found.name, Path(folder.name, "proof"), keys=keys, heads=place, by=staff.actor)
    except BaseException:
        folder.cleanup()
        raise
    name = f"evidence-campaign-{campaign_id}"
    head = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return StreamingResponse(_pieces(folder, name), media_type="application/zip", headers=head)


def _pieces(folder: tempfile.TemporaryDirectory[str], name: str) -> Iterator[bytes]:
    try:
        yield from packing.zipped(Path(folder.name, "proof"), name)
    finally:
        folder.cleanup()


@router.get("/evidence/documents/{document_id}.pdf")
def document(staff: Officer, document_id: int) -> Response:
    """A document for an authority as it was drafted."""
    with staff.database.reading() as session:
        filing = filings.one(session, document_id)
    head = {"Content-Disposition": f'inline; filename="{filing.authority}-{filing.number}.pdf"'}
    return Response(writing.pdf(filing), media_type="application/pdf", headers=head)
