"""Who has a case: taking it, letting go of it, handing it on.

A claim is one conditional UPDATE: of many who press at once one gets the case, and the others see who has it.
Nothing here changes since when the patient waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.desk.cases import changed, lock_thread, locked
from bot.desk.models import HELD, Case, CaseStatus
from bot.desk.reasons import TEAMS
from bot.desk.records import CaseReminder, Why
from bot.desk.staff.may import may, require
from bot.desk.staff.roles import Permission
from bot.desk.trail import log


@dataclass(frozen=True)
class Claim:
    """What came of a claim: whether the case is ours now, and who has it."""

    won: bool
    holder: int | None


def claim(session: Session, vault: Vault, case_id: int, staff_id: int, at: datetime) -> Claim:
    """Take a case that nobody has; whoever has it already keeps it.

    Where the assistant still answers (a case that only has to be read) it goes on until a person replies.
    """
    require(session, staff_id, Permission.WORK_CASES)
    lock_thread(session, session.scalars(select(Case.thread_id).where(Case.id == case_id)).one())
    won = session.execute(
        update(Case)
        .where(Case.id == case_id, Case.status == CaseStatus.OPEN.value)
        .values(
            status=CaseStatus.CLAIMED.value,
            claimed_by=staff_id,
            claimed_at=at,
            touched_at=at,
            meant_for=None,
            version=Case.version + 1,
        )
        .returning(Case.id)
        .execution_options(synchronize_session=False)
    ).first()
    case = session.get_one(Case, case_id, populate_existing=True)
    if won is None:
        return Claim(case.claimed_by == staff_id and case.status in HELD, case.claimed_by)
    log(session, vault, case, "claimed", staff_id=staff_id, at=at)
    return Claim(won=True, holder=staff_id)


def release(session: Session, vault: Vault, case_id: int, staff_id: int, at: datetime) -> Case:
    """Put a case back into the queue; raises BadInput unless it is theirs."""
    case = mine(session, case_id, staff_id)
    _back_to_queue(case)
    log(session, vault, case, "released", staff_id=staff_id, at=at)
    return case


def release_all(session: Session, vault: Vault, staff_id: int, at: datetime) -> int:
    """Put everything somebody has and owes an answer on back: at the end of a shift, or when they sign out."""
    owed = select(Case.id).where(Case.claimed_by == staff_id, Case.status == CaseStatus.CLAIMED.value).order_by(Case.thread_id)
    ids = session.scalars(owed).all()
    for case_id in ids:
        case = locked(session, case_id)
        if case.claimed_by == staff_id and case.status == CaseStatus.CLAIMED:
            _back_to_queue(case)
            log(session, vault, case, "released", staff_id=staff_id, at=at, why="shift_ended")
    return len(ids)


def transfer(
    session: Session,
    vault: Vault,
    case_id: int,
    staff_id: int,
    at: datetime,
    *,
    to: int | None = None,
    team: str | None = None,
) -> Case:
    """Hand a case to a colleague or a team: it waits in the queue until they take it, at the place it had.

    Raises BadInput unless it is theirs, or when no one and no team is named.
    """
    if to is None and team is None:
        raise BadInput("Say to whom, or to which team.")
    if team is not None and team not in TEAMS:
        raise BadInput(f"There is no team {team}.")
    case = mine(session, case_id, staff_id)
    if to is not None and not may(session, to, Permission.WORK_CASES):
        raise BadInput("This colleague cannot work on cases.")
    _back_to_queue(case)
    case.meant_for = to
    case.team = team or case.team
    log(session, vault, case, "transferred", staff_id=staff_id, at=at, to=to, team=team)
    return case


def take_over(session: Session, vault: Vault, case_id: int, staff_id: int, at: datetime, *, why: str = "") -> int | None:
    """Take a case from whoever has it, and return who that was: they find a reminder that says so.

    Raises BadInput when it has ended. A case that nobody has is simply claimed.
    """
    require(session, staff_id, Permission.WORK_CASES)
    case = locked(session, case_id)
    if case.status == CaseStatus.OPEN:
        claim(session, vault, case_id, staff_id, at)
        return None
    if case.status not in HELD:
        raise BadInput("This case has ended.")
    before = case.claimed_by
    if before == staff_id:
        return None
    case.claimed_by, case.claimed_at, case.touched_at = staff_id, at, at
    changed(case)
    if before is not None:
        session.add(CaseReminder(case_id=case.id, staff_id=before, why=Why.TAKEN_OVER.value, due_at=at, made_at=at))
    log(session, vault, case, "taken_over", staff_id=staff_id, at=at, before=before, why=why[:200])
    return before


def mine(session: Session, case_id: int, staff_id: int) -> Case:
    """The case, locked; raises BadInput unless this person has it now and may work on cases."""
    require(session, staff_id, Permission.WORK_CASES)
    case = locked(session, case_id)
    if case.status not in HELD or case.claimed_by != staff_id:
        raise BadInput("This case is not yours now: take it first.")
    return case


def touch(case: Case, at: datetime) -> None:
    """Its responder did something with it."""
    case.touched_at = at
    changed(case)


def _back_to_queue(case: Case) -> None:
    move(case, CaseStatus.OPEN)
    case.claimed_by = case.claimed_at = case.touched_at = case.snoozed_until = None
    changed(case)
