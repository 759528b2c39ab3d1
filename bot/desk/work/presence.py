"""Who looks at a case now, and who types: rows that run out by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.base.upserts import put
from bot.desk.records import CasePresence

LASTS = timedelta(seconds=30)
TYPING_LASTS = timedelta(seconds=8)


@dataclass(frozen=True)
class Viewer:
    """Somebody who has a case open."""

    staff_id: int
    typing: bool


def seen(session: Session, case_id: int, staff_id: int, at: datetime, *, typing: bool = False) -> None:
    """Somebody has a case open; to be said again within half a minute."""
    values = {"until": at + LASTS, **({"typing_until": at + TYPING_LASTS} if typing else {})}
    put(session, CasePresence, {"case_id": case_id, "staff_id": staff_id}, values)


def left(session: Session, case_id: int, staff_id: int) -> None:
    """Somebody has closed the page."""
    session.execute(delete(CasePresence).where(CasePresence.case_id == case_id, CasePresence.staff_id == staff_id))


def viewers(session: Session, case_id: int, at: datetime) -> list[Viewer]:
    """Who has a case open now."""
    rows = select(CasePresence).where(CasePresence.case_id == case_id, CasePresence.until > at).order_by(CasePresence.staff_id)
    return [Viewer(row.staff_id, row.typing_until is not None and row.typing_until > at) for row in session.scalars(rows)]


def sweep(session: Session, at: datetime) -> None:
    """Forget who has left long ago."""
    session.execute(delete(CasePresence).where(CasePresence.until < at - LASTS))
