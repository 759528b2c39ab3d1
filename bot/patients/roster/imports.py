"""What the applied files were, for whoever has to know whom the list in force names."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from bot.patients.models import RosterImport


def imports(session: Session, limit: int = 20) -> Sequence[RosterImport]:
    """The files that were applied, the latest first."""
    return session.scalars(select(RosterImport).order_by(RosterImport.id.desc()).limit(limit)).all()


def state_of(connection: Connection) -> int:
    """The number of the last import, negative while it is not finished, 0 before the first."""
    last = connection.execute(select(RosterImport.id, RosterImport.unfinished).order_by(RosterImport.id.desc()).limit(1)).first()
    return 0 if last is None else -last[0] if last[1] else last[0]


def unfinished(session: Session) -> RosterImport | None:
    """The last import when it has begun and not ended: then only a part of the affected is on file."""
    last = session.scalars(select(RosterImport).order_by(RosterImport.id.desc()).limit(1)).first()
    return last if last and last.unfinished else None


def clinics_on_file(session: Session) -> dict[str, int]:
    """The clinics that the latest file names, each with how many of its persons; empty when it names none."""
    last = session.scalars(select(RosterImport).order_by(RosterImport.id.desc()).limit(1)).first()
    return dict(last.counts.get("clinics", {})) if last else {}
