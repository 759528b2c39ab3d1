"""Which case is a person's: of the line at hand, and of lines on which the person was verified before."""

from __future__ import annotations

from sqlalchemy import case as when
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.desk.models import LIVE, Case
from bot.identity.models import Check


def latest_case(session: Session, person_id: int, thread_id: int) -> Case | None:
    """The case that still goes on, else the newest one."""
    mine = select(Check.thread_id).where(Check.person_id == person_id, Check.verified_at.is_not(None))
    cases = select(Case).where(or_(Case.thread_id == thread_id, Case.thread_id.in_(mine)))
    live_first = when((Case.status.in_([status.value for status in LIVE]), 0), else_=1)
    return session.scalars(cases.order_by(live_first, Case.id.desc()).limit(1)).first()
