"""Who has a case and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.desk import cases
from bot.desk.models import Case, CaseStatus
from bot.desk.staff.roles import Scope
from bot.desk.work import claims, ending, persons
from bot.web.api.acting import act, case_of, fresh
from bot.web.api.door import Writer, writes
from bot.web.api.problems import Problem
from bot.web.api.shapes.base import Number, Request
from bot.web.api.shapes.cases import Because, CaseView, Close, FurtherReason, HandOn, MergeInto, PutOff
from bot.web.api.views import Viewing, view

router = APIRouter(prefix="/cases/{number}", tags=["case"])
Worker = Annotated[Writer, writes(Scope.CASES_WORK)]
Merger = Annotated[Writer, writes(Scope.CASES_MERGE)]


def _done(caller: Writer, number: str, deed: Callable[[Session, Case], object], sent: Request | None = None) -> Response:
    """Do something with a case and answer with the case as it is then."""

    def work(session: Session) -> CaseView:
        case = fresh(session, caller, number)
        deed(session, case)
        return view(session, caller, case.id)

    return act(caller, work, sent=sent)


@router.post("/claim", summary="Take a case that nobody has", response_model=CaseView)
def claim(caller: Worker, number: Number) -> Response:
    """Of several who claim at once, here and in the console, one gets it; the others read who has it (409)."""

    def deed(session: Session, case: Case) -> None:
        got = claims.claim(session, caller.vault, case.id, caller.id, caller.now)
        if not got.won:
            who = Viewing(session, caller).who(got.holder)
            raise Problem("taken", claimed_by=who.model_dump() if who else None)

    return _done(caller, number, deed)


@router.post("/take-over", summary="Take a case from a colleague", response_model=CaseView)
def take_over(caller: Worker, number: Number, sent: Because) -> Response:
    """The one before is told; the reason stands in the sealed log."""
    why = sent.why.strip()
    if len(why) < 4:
        raise BadInput("Say why, in a few words.")
    return _done(
        caller,
        number,
        lambda session, case: claims.take_over(session, caller.vault, case.id, caller.id, caller.now, why=why),
        sent,
    )


@router.post("/release", summary="Put a case back into the queue", response_model=CaseView)
def release(caller: Worker, number: Number) -> Response:
    """At the place it had."""
    return _done(caller, number, lambda session, case: claims.release(session, caller.vault, case.id, caller.id, caller.now))


@router.post("/transfer", summary="Hand a case to a colleague or a team", response_model=CaseView)
def transfer(caller: Worker, number: Number, sent: HandOn) -> Response:
    """It waits in the queue until they take it, at the place it had."""
    return _done(
        caller,
        number,
        lambda session, case: claims.transfer(session, caller.vault, case.id, caller.id, caller.now, to=sent.to, team=sent.team),
        sent,
    )


@router.post("/hand-back", summary="Let the assistant answer again", response_model=CaseView)
def hand_back(caller: Worker, number: Number) -> Response:
    """The patient is told; the case stays as it is."""
    return _done(
        caller,
        number,
        lambda session, case: ending.hand_back(session, caller.vault, caller.published(session), case.id, caller.id, caller.now),
    )


@router.post("/snooze", summary="Put a case off", response_model=CaseView)
def snooze(caller: Worker, number: Number, sent: PutOff) -> Response:
    """A turn of the patient ends that earlier."""
    return _done(
        caller,
        number,
        lambda session, case: ending.snooze(session, caller.vault, case.id, caller.id, caller.now, until=sent.until),
        sent,
    )


@router.post("/resolve", summary="Close a case", response_model=CaseView)
def resolve(caller: Worker, number: Number, sent: Close) -> Response:
    """With an outcome; the patient hears it if they ever heard of the case."""
    return _done(
        caller,
        number,
        lambda session, case: ending.resolve(
            session, caller.vault, caller.published(session), case.id, caller.id, caller.now, outcome=sent.outcome
        ),
        sent,
    )


@router.post("/reopen", summary="Open a closed case again", response_model=CaseView)
def reopen(caller: Worker, number: Number) -> Response:
    """Within seven days, under its number; it waits in the queue then."""
    return _done(
        caller,
        number,
        lambda session, case: cases.reopen(session, caller.vault, case.id, caller.id, caller.now, caller.hours(session)),
    )


@router.post("/reasons", summary="Note a further reason", response_model=CaseView)
def add_reason(caller: Worker, number: Number, sent: FurtherReason) -> Response:
    """Such as a correction request; its deadlines run since the case was opened."""
    return _done(
        caller,
        number,
        lambda session, case: cases.add_reason(
            session, caller.vault, case.id, caller.id, sent.reason, caller.now, caller.hours(session)
        ),
        sent,
    )


@router.post("/merge", summary="Put a case into another of the same person", response_model=CaseView)
def merge(caller: Merger, number: Number, sent: MergeInto) -> Response:
    """Both must be proven to be one person's. Answers with the case that was merged."""

    def work(session: Session) -> CaseView:
        case, into = case_of(session, number), cases.by_number(session, sent.into)
        if into is None:
            raise BadInput("There is no case with this number.")
        # In the order in which merging takes them: two who merge crosswise queue up.
        for one in sorted((case, into), key=lambda each: each.thread_id):
            cases.locked(session, one.id)
        fresh(session, caller, case.number)
        persons.merge(session, caller.vault, case.id, into.id, staff_id=caller.id, at=caller.now, hours=caller.hours(session))
        return view(session, caller, case.id)

    return act(caller, work, sent=sent)


@router.post("/unmerge", summary="Take a merged case out again", response_model=CaseView)
def unmerge(caller: Merger, number: Number) -> Response:
    """It is in the queue under its own number."""

    def work(session: Session) -> CaseView:
        case = case_of(session, number)
        if case.status != CaseStatus.MERGED:
            raise BadInput("This case is not merged.")
        persons.undo_merge(session, caller.vault, case.id, staff_id=caller.id, at=caller.now, hours=caller.hours(session))
        return view(session, caller, case.id)

    return act(caller, work)
