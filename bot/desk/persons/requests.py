"""Asking for everything about a person to be given out, or to be erased: both need a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.desk.persons.contacts import reasoned, subject_of
from bot.desk.staff import approvals
from bot.desk.staff.models import Approval, ApprovalStatus
from bot.patients.models import Person

READY_FOR = timedelta(hours=24)
"""How long an export may be fetched after it was agreed to."""


def ask(session: Session, vault: Vault, what: approvals.What, person_id: int, *, reason: str, by: int, at: datetime) -> Approval:
    """Ask for an export or an erasure; raises BadInput without a reason, for nobody, or when it is asked for already."""
    if session.get(Person, person_id) is None:
        raise BadInput("There is no such person.")
    subject = subject_of(person_id)
    if any(one.subject == subject and one.what == what for one in approvals.waiting(session, at)):
        raise BadInput("This was asked for already and waits for a second person.")
    details = {"person": person_id, "reason": reasoned(reason)}
    return approvals.ask(session, vault, what, subject=subject, details=details, by=by, at=at)


def exports_ready(session: Session, at: datetime) -> Sequence[Approval]:
    """Exports that two people agreed on and that may be fetched now, newest first."""
    agreed = select(Approval).where(
        Approval.what == approvals.What.EXPORT.value,
        Approval.status == ApprovalStatus.APPROVED.value,
        Approval.decided_at > at - READY_FOR,
    )
    return session.scalars(agreed.order_by(Approval.id.desc())).all()


def waiting_for(session: Session, what: approvals.What, at: datetime) -> list[Approval]:
    """Requests of one kind that wait for a second person."""
    return [one for one in approvals.waiting(session, at) if one.what == what]
