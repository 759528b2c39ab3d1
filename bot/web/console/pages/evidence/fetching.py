"""A campaign's proof as a ZIP file: made in a folder of its own, streamed, and removed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import Response
from fastapi.responses import StreamingResponse

from bot.assembly import office_for
from bot.base.errors import BadInput
from bot.campaigns import figures
from bot.campaigns.proof import bundle, packing
from bot.web.console.pages.evidence.place import Officer, router


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
