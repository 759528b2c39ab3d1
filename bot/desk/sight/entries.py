"""The sealed log as auditors read it: filtered, page by page, checked, and given out as lines for a regulator."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.audit import AuditEntry, content_of
from bot.base.database import Database
from bot.base.errors import Tampered
from bot.base.vault import Vault

ROWS = 100
EXPORT_MOST = 100_000
ERASED = "(erased)"
BROKEN = "(does not open)"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Filter:
    """What is wanted: an actor or a subject exactly, kinds by their beginning, a span of time."""

    actor: str = ""
    kind: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One entry as it is shown; `content` is what was recorded, as JSON."""

    id: int
    at: datetime
    actor: str
    kind: str
    subject: str
    content: str
    sequence: int | None
    mac: str | None


def entries(session: Session, vault: Vault, wanted: Filter, *, before: int | None = None, limit: int = ROWS) -> list[Entry]:
    """Entries that match, the newest first, below the number `before`."""
    rows = _matching(wanted)
    if before is not None:
        rows = rows.where(AuditEntry.id < before)
    return [_entry(row, vault) for row in session.scalars(rows.order_by(AuditEntry.id.desc()).limit(limit))]


def exported(database: Database, vault: Vault, wanted: Filter) -> Iterator[str]:
    """The same as CSV, the oldest first, in short readings; a cell that a spreadsheet would take for a formula is quoted."""
    yield _line(("id", "at_utc", "actor", "kind", "subject", "content", "sequence", "commitment", "mac", "sealed_at_utc", "key"))
    last, given = 0, 0
    while given < EXPORT_MOST:
        with database.reading() as session:
            page = session.scalars(_matching(wanted).where(AuditEntry.id > last).order_by(AuditEntry.id).limit(500)).all()
            lines = [_line(_cells(row, vault)) for row in page]
        yield from lines
        if len(page) < 500:
            return
        last, given = page[-1].id, given + len(page)


def record_export(session: Session, vault: Vault, wanted: Filter, *, by: int, at: datetime) -> None:
    """That the log was given out is in the log."""
    content = {"actor": wanted.actor, "kind": wanted.kind, "subject": wanted.subject}
    audit.record(session, at=at, actor=f"staff:{by}", kind="log.exported", subject="log", content=content, vault=vault)


def _matching(wanted: Filter) -> Select[AuditEntry]:
    rows = select(AuditEntry)
    if wanted.actor:
        rows = rows.where(AuditEntry.actor == wanted.actor)
    if wanted.kind:
        rows = rows.where(AuditEntry.kind.startswith(wanted.kind, autoescape=True))
    if wanted.subject:
        rows = rows.where(AuditEntry.subject == wanted.subject)
    if wanted.since:
        rows = rows.where(AuditEntry.at >= wanted.since)
    if wanted.until:
        rows = rows.where(AuditEntry.at < wanted.until)
    return rows


def _entry(row: AuditEntry, vault: Vault) -> Entry:
    return Entry(row.id, row.at, row.actor, row.kind, row.subject, _content(row, vault), row.sequence, row.mac)


def _content(row: AuditEntry, vault: Vault) -> str:
    try:
        content = content_of(row, vault)
    except Tampered:
        return BROKEN
    return ERASED if content is None else json.dumps(content, ensure_ascii=False, sort_keys=True)


def _cells(row: AuditEntry, vault: Vault) -> Sequence[object]:
    sealed_at = row.sealed_at.astimezone(UTC).isoformat() if row.sealed_at else ""
    return (
        row.id,
        row.at.astimezone(UTC).isoformat(),
        row.actor,
        row.kind,
        row.subject,
        _content(row, vault),
        row.sequence or "",
        row.commitment,
        row.mac or "",
        sealed_at,
        row.key_id or "",
    )


def _line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_safe(str(cell)) for cell in cells])
    return out.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
