"""Cases: opened once per thread, gathering every further reason until a person resolves them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.conversations.models import Thread
from bot.desk.models import Case, CaseReason, CaseStatus
from bot.desk.reasons import Reason


@dataclass(frozen=True)
class Opened:
    """A case with what this reason changed about it."""

    case: Case
    is_new: bool
    reason_is_new: bool


def open_case(session: Session, *, thread_id: int, reason: Reason, turn_id: int | None, at: datetime) -> Opened:
    """The thread's unresolved case with this reason added; opened when there is none.

    A more urgent reason raises the priority and brings the deadline forward; a lesser one never
    lowers them.
    """
    # Locking the thread makes two openers of one thread queue up instead of failing.
    session.execute(update(Thread).where(Thread.id == thread_id).values(last_number=Thread.last_number))
    case = unresolved_case(session, thread_id)
    if case is None:
        case = _new_case(session, thread_id, reason, turn_id, at)
        return Opened(case, is_new=True, reason_is_new=True)
    known = select(CaseReason.id).where(CaseReason.case_id == case.id, CaseReason.reason == reason.code).limit(1)
    reason_is_new = session.scalars(known).first() is None
    if reason_is_new:
        session.add(CaseReason(case_id=case.id, reason=reason.code, turn_id=turn_id, at=at))
        due = at + reason.first_response
        if reason.priority < case.priority:
            case.priority, case.reason = reason.priority, reason.code
            case.first_response_due_at = min(case.first_response_due_at, due)
    return Opened(case, is_new=False, reason_is_new=reason_is_new)


def unresolved_case(session: Session, thread_id: int) -> Case | None:
    """The case of a thread that still needs a person, if any."""
    return session.scalars(select(Case).where(Case.thread_id == thread_id, Case.status != CaseStatus.RESOLVED.value)).first()


def reasons_of(session: Session, case: Case | None) -> frozenset[str]:
    """Every reason a case has gathered; none for no case."""
    if case is None:
        return frozenset()
    return frozenset(session.scalars(select(CaseReason.reason).where(CaseReason.case_id == case.id)))


def unresolved(session: Session, limit: int = 200) -> list[Case]:
    """Cases that need a person: the most urgent first, then the longest waiting."""
    queue = select(Case).where(Case.status != CaseStatus.RESOLVED.value).order_by(Case.priority, Case.waiting_since, Case.id)
    return list(session.scalars(queue.limit(limit)))


def _new_case(session: Session, thread_id: int, reason: Reason, turn_id: int | None, at: datetime) -> Case:
    case = Case(
        number=new_number(),
        thread_id=thread_id,
        reason=reason.code,
        priority=reason.priority,
        turn_id=turn_id,
        opened_at=at,
        waiting_since=at,
        first_response_due_at=at + reason.first_response,
    )
    session.add(case)
    session.flush()
    session.add(CaseReason(case_id=case.id, reason=reason.code, turn_id=turn_id, at=at))
    return case


def new_number() -> str:
    """A case number such as `4812-0736-5`: random, so that it tells nobody how many cases there are; the
    last digit checks the others (Luhn, ISO/IEC 7812-1), so that a misread number is noticed."""
    digits = f"{secrets.randbelow(10**8):08}"
    return f"{digits[:4]}-{digits[4:]}-{_check_digit(digits)}"


def is_number(text: str) -> bool:
    """Whether a text is a well-formed case number."""
    digits = text.replace("-", "").replace(" ", "")
    return len(digits) == 9 and digits.isascii() and digits.isdecimal() and _check_digit(digits[:8]) == digits[8]


def _check_digit(digits: str) -> str:
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)
