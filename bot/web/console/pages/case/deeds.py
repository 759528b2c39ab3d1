"""Who has a case and what becomes of it: taking, handing on, putting off, closing, opening again, merging."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Response
from sqlalchemy.orm import Session

from bot.base.clock import HONG_KONG
from bot.base.errors import BadInput
from bot.desk import cases
from bot.desk.models import CaseStatus, Outcome
from bot.desk.sight.casefile import case_with
from bot.desk.staff.accounts import everybody, profile_of
from bot.desk.staff.roles import Permission
from bot.desk.work import claims, ending, persons
from bot.web.console.door import Staff, requires
from bot.web.console.notices import refused, said
from bot.web.console.pages.case.tools import CASE, CaseId, hours_of, published_of, router, to_case

Responder = Annotated[Staff, requires(Permission.WORK_CASES)]
Merger = Annotated[Staff, requires(Permission.MERGE_CASES)]
LEAST_REASON, MOST_REASON = 4, 200


@router.post(f"{CASE}/claim")
def claim(staff: Responder, case_id: CaseId) -> Response:
    """Take a case that nobody has; who comes second sees who has it."""
    with staff.database.writing() as session:
        claimed = claims.claim(session, staff.vault, case_id, staff.id, staff.now)
        notice = said("case.claimed") if claimed.won else refused("case.taken_by", who=_name(staff, session, claimed.holder))
    return to_case(staff, case_id, notice)


@router.post(f"{CASE}/take-over")
def take_over(staff: Responder, case_id: CaseId) -> Response:
    """Take a case from a colleague, who is told; says why."""
    why = reason_given(staff)
    with staff.database.writing() as session:
        before = claims.take_over(session, staff.vault, case_id, staff.id, staff.now, why=why)
        name = _name(staff, session, before)
    return to_case(staff, case_id, said("case.taken_over", who=name) if before else said("case.claimed"))


@router.post(f"{CASE}/release")
def release(staff: Responder, case_id: CaseId) -> Response:
    """Put a case back into the queue."""
    with staff.database.writing() as session:
        claims.release(session, staff.vault, case_id, staff.id, staff.now)
    return to_case(staff, case_id, said("case.released"))


@router.post(f"{CASE}/transfer")
def transfer(staff: Responder, case_id: CaseId) -> Response:
    """Hand a case to a colleague or a team."""
    kind, _, which = staff.sent.get("to").partition(":")
    to = int(which) if kind == "staff" and which.isdecimal() and len(which) < 10 else None
    with staff.database.writing() as session:
        if kind == "staff" and to not in {one.id for one in everybody(session)}:
            raise BadInput("Say to whom, or to which team.")
        claims.transfer(session, staff.vault, case_id, staff.id, staff.now, to=to, team=which if kind == "team" else None)
    return to_case(staff, case_id, said("case.transferred"))


@router.post(f"{CASE}/hand-back")
def hand_back(staff: Responder, case_id: CaseId) -> Response:
    """Let the assistant answer again; the patient is told."""
    with staff.database.writing() as session:
        ending.hand_back(session, staff.vault, published_of(staff, session), case_id, staff.id, staff.now)
    return to_case(staff, case_id, said("case.handed_back"))


@router.post(f"{CASE}/resolve")
def resolve(staff: Responder, case_id: CaseId) -> Response:
    """Close a case with an outcome."""
    outcome = _outcome(staff)
    with staff.database.writing() as session:
        ending.resolve(session, staff.vault, published_of(staff, session), case_id, staff.id, staff.now, outcome=outcome)
    return to_case(staff, case_id, said("case.closed"))


@router.post(f"{CASE}/reopen")
def reopen(staff: Responder, case_id: CaseId) -> Response:
    """Open a closed case again, under its number, and take it."""
    with staff.database.writing() as session:
        hours = hours_of(published_of(staff, session))
        cases.reopen(session, staff.vault, case_id, staff.id, staff.now, hours)
        claims.claim(session, staff.vault, case_id, staff.id, staff.now)
    return to_case(staff, case_id, said("case.reopened"))


@router.post(f"{CASE}/snooze")
def snooze(staff: Responder, case_id: CaseId) -> Response:
    """Put a case off until a time; a turn of the patient ends that."""
    until = moment_given(staff)
    with staff.database.writing() as session:
        ending.snooze(session, staff.vault, case_id, staff.id, staff.now, until=until)
    return to_case(staff, case_id, said("case.snoozed"))


@router.post(f"{CASE}/merge")
def merge(staff: Merger, case_id: CaseId) -> Response:
    """Put this case into another one of the same person."""
    with staff.database.writing() as session:
        into = cases.by_number(session, staff.sent.get("into", 40))
        if into is None:
            raise BadInput("There is no case with this number.")
        done = persons.merge(
            session,
            staff.vault,
            case_id,
            into.id,
            staff_id=staff.id,
            at=staff.now,
            hours=hours_of(published_of(staff, session)),
        )
        target = done.id
    return to_case(staff, target, said("case.merged"))


@router.post(f"{CASE}/unmerge")
def unmerge(staff: Merger, case_id: CaseId) -> Response:
    """Take this case out of the one it was merged into."""
    with staff.database.writing() as session:
        if case_with(session, case_id).status != CaseStatus.MERGED:
            raise BadInput("This case is not merged.")
        hours = hours_of(published_of(staff, session))
        persons.undo_merge(session, staff.vault, case_id, staff_id=staff.id, at=staff.now, hours=hours)
    return to_case(staff, case_id, said("case.unmerged"))


def reason_given(staff: Staff) -> str:
    """Why somebody does what needs a reason; raises BadInput without one."""
    why = staff.sent.get("why", MOST_REASON)
    if len(why) < LEAST_REASON:
        raise BadInput("Say why, in a few words.")
    return why


def moment_given(staff: Staff) -> datetime:
    """A later time, in minutes from now or on a Hong Kong clock; raises BadInput for neither."""
    minutes, local = staff.sent.get("minutes", 8), staff.sent.get("until", 20)
    if local:
        try:
            return datetime.strptime(local, "%Y-%m-%dT%H:%M").replace(tzinfo=HONG_KONG)
        except ValueError:
            raise BadInput("Choose a time.") from None
    if not (minutes.isascii() and minutes.isdecimal() and 0 < int(minutes) <= 60 * 24 * 30):
        raise BadInput("Choose a time.")
    return staff.now + timedelta(minutes=int(minutes))


def _outcome(staff: Staff) -> Outcome:
    try:
        return Outcome(staff.sent.get("outcome", 20))
    except ValueError:
        raise BadInput("Choose what became of the case.") from None


def _name(staff: Staff, session: Session, staff_id: int | None) -> str:
    return next((profile_of(one, staff.vault).name for one in everybody(session) if one.id == staff_id), "–")
