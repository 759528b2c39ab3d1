"""Closing many cases at once: one person asks, another agrees, and then it is done, case by case in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.conversations.speaking.publication import Published
from bot.desk.cases import locked
from bot.desk.models import LIVE, Case, Outcome
from bot.desk.reasons import URGENT
from bot.desk.staff import approvals
from bot.desk.staff.models import Approval
from bot.desk.work.ending import close

MOST = 200
"""Cases in one request."""


def ask_to_close(session: Session, vault: Vault, case_ids: Sequence[int], *, outcome: Outcome, by: int, at: datetime) -> Approval:
    """Ask for many cases to be closed; raises BadInput for none, too many, or an urgent one among them."""
    ids = sorted(set(case_ids))
    if not 0 < len(ids) <= MOST:
        raise BadInput(f"Between 1 and {MOST} cases at once.")
    cases = session.scalars(select(Case).where(Case.id.in_(ids))).all()
    if len(cases) != len(ids):
        raise BadInput("One of these cases does not exist.")
    if any(case.priority <= URGENT for case in cases):
        raise BadInput("Urgent cases are closed one by one.")
    details = {"cases": ids, "outcome": outcome.value}
    return approvals.ask(
        session,
        vault,
        approvals.What.BULK_RESOLVE,
        subject="desk",
        details=details,
        by=by,
        at=at,
        counts={"cases": len(ids)},
    )


def approve_closing(session: Session, vault: Vault, published: Published, request_id: int, *, by: int, at: datetime) -> list[str]:
    """Agree as the second person, and close them; those that ended meanwhile or became urgent are left. Returns the numbers."""
    request = approvals.approve(session, vault, request_id, by=by, at=at)
    if request.what != approvals.What.BULK_RESOLVE:
        raise BadInput("This request is about something else.")
    details = approvals.details_of(request, vault)
    outcome = Outcome(details["outcome"])
    order = select(Case.id).where(Case.id.in_(details["cases"])).order_by(Case.thread_id)
    closed = []
    for case_id in session.scalars(order).all():
        case = locked(session, case_id)
        if case.status in LIVE and case.priority > URGENT:
            close(session, vault, published, case, by, at, outcome=outcome)
            closed.append(case.number)
    return closed
