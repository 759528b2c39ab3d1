"""What two people decide: one asks, another one agrees, in time. One mechanism for everything of that kind.

Approval and deed happen in one transaction: `approve` gives back the request, and whoever called does what it says
before committing. Nobody approves their own request, whatever their roles; with only one person on duty it waits,
and `who_can` says for whom.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.desk.staff.may import may
from bot.desk.staff.models import DETAILS, AccountStatus, Approval, ApprovalStatus, StaffAccount
from bot.desk.staff.roles import Permission, permitted

LASTS = timedelta(hours=24)


class What(StrEnum):
    """What needs two people."""

    BULK_RESOLVE = "bulk_resolve"  # closing many cases at once
    CONTACT_CHANGE = "contact_change"  # a new contact point of a person
    EXPORT = "export"  # everything about a person, for them
    ERASURE = "erasure"  # removing a person's data
    RECOVERY = "recovery"  # a colleague who lost password or factor


MAY_ASK = MappingProxyType(
    {
        What.BULK_RESOLVE: Permission.RUN_DESK,
        What.CONTACT_CHANGE: Permission.CHANGE_CONTACTS,
        What.EXPORT: Permission.EXPORT,
        What.ERASURE: Permission.ERASE,
        What.RECOVERY: Permission.MANAGE_STAFF,
    }
)
"""Who may ask for it; whoever has the permission to decide and is another person may approve."""


@dataclass(frozen=True)
class Deciders:
    """Who could decide a request: those on duty, and those who could be called."""

    on_duty: Sequence[int]
    others: Sequence[int]

    @property
    def words(self) -> str:
        """The same in a sentence for the person who asks."""
        if self.on_duty:
            return f"{len(self.on_duty)} other people on duty can decide this."
        if self.others:
            return (
                "Nobody else who can decide this is on duty. It waits for 24 hours and is not done before another person agrees: "
                "call somebody in."
            )
        return "There is no second person who could decide this: it cannot be done until an administrator gives one the role."


def ask(
    session: Session,
    vault: Vault,
    what: What,
    *,
    subject: str,
    details: Mapping[str, Any],
    by: int,
    at: datetime,
    counts: Mapping[str, int] | None = None,
) -> Approval:
    """Ask for something that needs a second person; raises BadInput when the role does not allow asking.

    Raises NoResultFound for the recovery of an account that is none: the list of requests could not tell whose it is.
    """
    asker = session.get_one(StaffAccount, by)
    if MAY_ASK[what] not in permitted(asker.roles):
        raise BadInput("Your role does not allow asking for this.")
    if what is What.RECOVERY:
        session.get_one(StaffAccount, details["staff"])
    request = Approval(
        what=what.value,
        subject=subject,
        sealed_details=vault.seal(json.dumps(details, ensure_ascii=False), DETAILS),
        asked_by=by,
        asked_at=at,
        ends_at=at + LASTS,
        counts=dict(counts or {}),
    )
    session.add(request)
    session.flush()
    _record(session, vault, request, "asked", by, at)
    return request


def approve(session: Session, vault: Vault, request_id: int, *, by: int, at: datetime) -> Approval:
    """Agree as the second person; the caller does what was asked for in the same transaction.

    Raises BadInput for one's own request, without the permission, when it is decided or over, and when whoever asked has
    left or lost the role since.
    """
    request = _open(session, request_id, at)
    if request.asked_by == by:
        raise BadInput("You asked for this: another person has to decide.")
    if by not in {account.id for account in _able(session, request)}:
        raise BadInput("Your role does not allow deciding this.")
    if not may(session, request.asked_by, MAY_ASK[What(request.what)]):
        raise BadInput("Whoever asked for this may not ask for it any more: refuse it, and let somebody else ask.")
    move(request, ApprovalStatus.APPROVED)
    request.decided_by, request.decided_at = by, at
    _record(session, vault, request, "approved", by, at)
    return request


def refuse(session: Session, vault: Vault, request_id: int, *, by: int, at: datetime) -> Approval:
    """Say no; whoever asked may take it back this way too."""
    request = _open(session, request_id, at)
    if by != request.asked_by and by not in {account.id for account in _able(session, request)}:
        raise BadInput("Your role does not allow deciding this.")
    move(request, ApprovalStatus.REFUSED)
    request.decided_by, request.decided_at = by, at
    _record(session, vault, request, "refused", by, at)
    return request


def details_of(request: Approval, vault: Vault) -> dict[str, Any]:
    """What exactly was asked for."""
    found: dict[str, Any] = json.loads(vault.open(request.sealed_details, DETAILS))
    return found


def waiting(session: Session, at: datetime) -> Sequence[Approval]:
    """Requests that wait for a second person, the oldest first."""
    open_ones = select(Approval).where(Approval.status == ApprovalStatus.REQUESTED.value, Approval.ends_at > at)
    return session.scalars(open_ones.order_by(Approval.id)).all()


def fingerprint(session: Session, at: datetime) -> str:
    """A short text that differs after any change to what waits."""
    return ".".join(str(request.id) for request in waiting(session, at))


def decided(session: Session, limit: int = 100) -> Sequence[Approval]:
    """Requests that were decided or ran out, newest first."""
    ended = select(Approval).where(Approval.status != ApprovalStatus.REQUESTED.value)
    return session.scalars(ended.order_by(Approval.id.desc()).limit(limit)).all()


def who_can(session: Session, request: Approval) -> Deciders:
    """Who else could decide this."""
    able = [account for account in _able(session, request) if account.id != request.asked_by]
    on_duty = [account.id for account in able if account.on_duty]
    return Deciders(on_duty, [account.id for account in able if not account.on_duty])


def expire(session: Session, vault: Vault, at: datetime) -> int:
    """End what nobody decided in time."""
    late = select(Approval).where(Approval.status == ApprovalStatus.REQUESTED.value, Approval.ends_at <= at)
    requests = session.scalars(late.with_for_update(skip_locked=True)).all()
    for request in requests:
        move(request, ApprovalStatus.EXPIRED)
        _record(session, vault, request, "expired", None, at)
    return len(requests)


def _able(session: Session, request: Approval) -> list[StaffAccount]:
    active = session.scalars(select(StaffAccount).where(StaffAccount.status == AccountStatus.ACTIVE.value)).all()
    wanted = Permission.DECIDE
    subject = request.subject
    # Nobody decides about their own account.
    return [one for one in active if wanted in permitted(one.roles) and subject != f"staff:{one.id}"]


def _open(session: Session, request_id: int, at: datetime) -> Approval:
    request = session.get(Approval, request_id, with_for_update=True, populate_existing=True)
    if request is None or request.status != ApprovalStatus.REQUESTED or request.ends_at <= at:
        raise BadInput("This request was decided already, or its time is over.")
    return request


def _record(session: Session, vault: Vault, request: Approval, kind: str, by: int | None, at: datetime) -> None:
    actor = f"staff:{by}" if by is not None else "desk"
    content = {"request": request.id, "what": request.what, "asked_by": request.asked_by}
    audit.record(session, at=at, actor=actor, kind=f"approval.{kind}", subject=request.subject, content=content, vault=vault)
