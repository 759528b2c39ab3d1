"""The queue as people look at it: each case with its nearest deadline, who has it, and whether the patient was verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk.hours.calendar import DEFAULT_HOURS, Hours
from bot.desk.hours.deadlines import ClockFace, ClockKind, clocks, is_owed
from bot.desk.hours.switches import calendar
from bot.desk.models import Case
from bot.desk.records import CasePerson
from bot.desk.work.persons import PROVEN
from bot.desk.work.queue import Filters, page


@dataclass(frozen=True)
class Listed:
    """A case in the list."""

    case: Case
    channel: str
    language: str
    owner: str
    waited: timedelta | None  # since the first turn that nobody has answered; None while it is the patient's turn
    answer: ClockFace | None  # when the next answer is due; None while none is owed
    end: ClockFace | None  # when the whole matter is due, by ourselves or by law
    is_proven: bool  # a code or a call to a contact on file showed who it is


@dataclass(frozen=True)
class Page:
    """A part of the list."""

    rows: Sequence[Listed]
    has_more: bool


def listing(
    session: Session, filters: Filters, at: datetime, hours: Hours = DEFAULT_HOURS, *, limit: int = 100, offset: int = 0
) -> Page:
    """Live cases that match, in the order in which they are to be taken."""
    found = page(session, filters, at, limit=limit + 1, offset=offset)
    rows = found[:limit]
    known = calendar(session, at, hours)
    wanted = select(CasePerson.case_id).where(CasePerson.case_id.in_([row.case.id for row in rows]), CasePerson.known.in_(PROVEN))
    proven = set(session.scalars(wanted))
    listed = []
    for row in rows:
        faces = clocks(row.case, known, at)
        answers = [face for face in faces if face.kind in (ClockKind.FIRST, ClockKind.NEXT)]
        ends = [face for face in faces if face.kind in (ClockKind.RESOLUTION, ClockKind.STATUTE)]
        waited = max(timedelta(), at - row.case.waiting_since) if is_owed(row.case) else None
        listed.append(
            Listed(
                row.case,
                row.channel,
                row.language,
                row.owner,
                waited,
                next(iter(answers), None),
                next(iter(ends), None),
                row.case.id in proven,
            )
        )
    return Page(listed, len(found) > limit)


def numbers_of(session: Session, case_ids: Sequence[int]) -> list[str]:
    """The numbers under which patients know these cases, in the order in which they were opened."""
    return list(session.scalars(select(Case.number).where(Case.id.in_(case_ids)).order_by(Case.id)))
