"""The page: campaigns whose proof may be fetched, how it stands with the authorities, and the documents for them."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.errors import NotPublished
from bot.campaigns import figures
from bot.desk.staff.names import colleagues
from bot.regulators import filings, writing
from bot.web.console.pages.evidence.place import Officer, router
from bot.web.console.rendering import page


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


@router.get("/evidence/documents/{document_id}.pdf")
def document(staff: Officer, document_id: int) -> Response:
    """A document for an authority as it was drafted."""
    with staff.database.reading() as session:
        filing = filings.one(session, document_id)
    head = {"Content-Disposition": f'inline; filename="{filing.authority}-{filing.number}.pdf"'}
    return Response(writing.pdf(filing), media_type="application/pdf", headers=head)
