"""What the applied files were, for whoever has to know whom the list in force names."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.patients.models import RosterImport


def imports(session: Session, limit: int = 20) -> Sequence[RosterImport]:
    """The files that were applied, the latest first."""
    return session.scalars(select(RosterImport).order_by(RosterImport.id.desc()).limit(limit)).all()


def clinics_on_file(session: Session) -> dict[str, int]:
    """The clinics that the latest file names, each with how many of its persons; empty when it names none."""
    last = session.scalars(select(RosterImport).order_by(RosterImport.id.desc()).limit(1)).first()
    return dict(last.counts.get("clinics", {})) if last else {}
