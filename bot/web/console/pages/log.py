"""The log, read-only: filtered, its seal checked, given out for a regulator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from bot.base import evidence
from bot.base.clock import HONG_KONG
from bot.desk.sight import entries
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.web.console.answers import console_router
from bot.web.console.door import Staff, requires
from bot.web.console.rendering import Entry, page

router = console_router()
ENTRY = Entry("log", "/desk/log", Permission.SEE_LOG, 70, "l", "records")

Auditor = Annotated[Staff, requires(Permission.SEE_LOG)]
Word = Annotated[str, Query(max_length=60)]


@router.get("/log", response_class=HTMLResponse)
def log(
    staff: Auditor, actor: Word = "", kind: Word = "", subject: Word = "", since: Word = "", until: Word = "", before: Word = ""
) -> Response:
    """Entries that match, newest first."""
    wanted = _filter(actor, kind, subject, since, until)
    below = int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None
    with staff.database.reading() as session:
        found = entries.entries(session, staff.vault, wanted, before=below)
    asked = {"actor": actor, "kind": kind, "subject": subject, "since": since, "until": until}
    older = urlencode({**asked, "before": found[-1].id}) if len(found) == entries.ROWS else ""
    return page(staff, "console/log.html", found=found, asked=asked, older=older, names=_names(staff), verdict=None)


@router.post("/log/verify", response_class=HTMLResponse)
def verify(staff: Auditor) -> Response:
    """Check the seal of the whole log, against the heads that were exported."""
    settings = staff.door.application.settings
    heads = settings.home / "evidence"
    verdict = evidence.verify(staff.database, settings.secret("audit_keys"), heads if heads.is_dir() else None, staff.vault)
    nothing = dict.fromkeys(("actor", "kind", "subject", "since", "until"), "")
    with staff.database.reading() as session:
        found = entries.entries(session, staff.vault, entries.Filter())
    return page(staff, "console/log.html", found=found, asked=nothing, older="", names=_names(staff), verdict=verdict)


@router.post("/log/export")
def export(staff: Auditor) -> Response:
    """The entries that match, as CSV; that they were given out is in the log."""
    wanted = _filter(*(staff.sent.get(name, 60) for name in ("actor", "kind", "subject", "since", "until")))
    with staff.database.writing() as session:
        entries.record_export(session, staff.vault, wanted, by=staff.id, at=staff.now)
    lines = entries.exported(staff.database, staff.vault, wanted)
    head = {"Content-Disposition": 'attachment; filename="candour-log.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=head)


def _filter(actor: str, kind: str, subject: str, since: str, until: str) -> entries.Filter:
    last = _day(until)
    return entries.Filter(actor.strip(), kind.strip(), subject.strip(), _day(since), last + timedelta(days=1) if last else None)


def _day(text: str) -> datetime | None:
    """The beginning of a Hong Kong day; None for none, or what is no day."""
    try:
        return datetime.fromisoformat(text[:10]).replace(tzinfo=HONG_KONG).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None


def _names(staff: Staff) -> dict[str, str]:
    with staff.database.reading() as session:
        return {f"staff:{number}": one.name for number, one in colleagues(session, staff.vault).items()}
