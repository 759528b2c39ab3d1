"""The desk as a whole: figures, booked calls, what nobody handled; and who is on file."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.desk.persons import seen
from bot.desk.sight import board, searching
from bot.desk.sight.handled import Missed as How
from bot.desk.sight.handled import not_handled
from bot.desk.sight.load import load
from bot.desk.sight.searching import Hit
from bot.desk.staff.roles import Scope
from bot.desk.surge import slots
from bot.desk.work import rescue
from bot.web.api.acting import act, not_remembered
from bot.web.api.door import Caller, Writer, reads, writes
from bot.web.api.shapes.base import Id, Moment
from bot.web.api.shapes.cases import CaseView
from bot.web.api.shapes.desk import (
    BookedCall,
    ContactView,
    Figures,
    Found,
    Missed,
    OpenPerson,
    PersonView,
    Search,
    Series,
)
from bot.web.api.views import view

router = APIRouter()
MOST_SPAN = timedelta(days=31)
Worker = Annotated[Writer, writes(Scope.CASES_WORK)]
Seeker = Annotated[Writer, writes(Scope.PATIENTS_SEARCH)]


@router.get("/figures", summary="The wallboard", tags=["desk"])
def figures(
    caller: Annotated[Caller, reads(Scope.FIGURES_READ)],
    days: Annotated[int, Query(ge=1, le=30, description="The last so many Hong Kong days, today included.")] = 7,
) -> Figures:
    """How the desk stands, and what the last days looked like."""
    with caller.database.reading() as session:
        shown = board.board(session, board.last_days(caller.now, days), caller.now)
        now = load(session, caller.now, caller.hours(session))
    return Figures(
        waiting=shown.waiting,
        oldest_s=int(shown.oldest.total_seconds()),
        overdue=shown.overdue,
        on_duty=now.staff_on_duty,
        surge=now.surge,
        containment=shown.containment,
        fallbacks=shown.fallbacks,
        first_kept=shown.first_kept,
        topics=_series(shown.topics),
        languages=_series(shown.languages),
        failures=dict(shown.failures),
        reasons=dict(shown.reasons),
        outcomes=dict(shown.outcomes),
        channels=dict(shown.channels),
    )


@router.get("/booked-calls", summary="Calls that were promised", tags=["desk"])
def booked_calls(
    caller: Annotated[Caller, reads(Scope.CASES_READ)],
    since: Annotated[Moment | None, Query(description="From then; from an hour ago without it.")] = None,
    until: Annotated[Moment | None, Query(description="Before then; a week later without it.")] = None,
) -> list[BookedCall]:
    """The next first; those of ended cases are left out."""
    start: datetime = since or caller.now - slots.SLOT
    end: datetime = until or start + timedelta(days=7)
    if not timedelta(0) <= end - start <= MOST_SPAN:
        raise BadInput("Choose a time.")
    with caller.database.reading() as session:
        found = slots.booked(session, start, end)
    return [BookedCall(case=one.number, slot=one.slot, claimed_by=one.claimed_by) for one in found]


@router.get("/not-handled", summary="What nobody handled", tags=["desk"])
def missed(caller: Annotated[Caller, reads(Scope.CASES_WORK)]) -> list[Missed]:
    """Has to be empty at the end of every day."""
    with caller.database.reading() as session:
        found = not_handled(session, caller.now)
    return [Missed(turn=None if one.why is How.NOT_READ else one.id, why=one.why.value, at=one.at) for one in found]


@router.post("/not-handled/{turn}/case", summary="Put it into a case", tags=["desk"], response_model=CaseView)
def into_case(caller: Worker, turn: Id) -> Response:
    """So that it waits in the queue."""

    def work(session: Session) -> CaseView:
        hours = caller.hours(session)
        case = rescue.into_case(session, caller.vault, turn, staff_id=caller.id, at=caller.now, hours=hours)
        return view(session, caller, case.id)

    return act(caller, work)


@router.post("/patients/search", summary="Find who is on file", tags=["patients"])
def search(caller: Seeker, sent: Search) -> Found:
    """By reference, telephone, e-mail or name, for a reason, 60 times an hour; in the sealed log. Names are shown by their ends.

    The answer is not kept for repeats.
    """

    def work(session: Session) -> Found:
        hits = searching.search(
            session,
            caller.vault,
            caller.index,
            by=sent.by,
            value=sent.value,
            reason=sent.reason,
            staff_id=caller.id,
            at=caller.now,
        )
        held = seen.on_hold(session, [hit.person.id for hit in hits])
        return Found(persons=[_masked(session, caller, hit, hit.person.id in held) for hit in hits])

    return not_remembered(caller, work)


@router.post("/patients/open", summary="Open somebody's particulars", tags=["patients"])
def opened(caller: Seeker, sent: OpenPerson) -> PersonView:
    """For a reason, counted and logged like a search: names, contacts and cases in full. The answer is not kept for repeats."""

    def work(session: Session) -> PersonView:
        hit, _, cases = searching.opened(
            session, caller.vault, sent.person, reason=sent.reason, staff_id=caller.id, at=caller.now
        )
        sheet = seen.sheet(session, caller.vault, sent.person)
        return PersonView(
            person=hit.person.id,
            name=hit.particulars.name,
            name_zh=hit.particulars.name_zh,
            language=hit.person.language,
            flags=_flags(hit, bool(sheet.holds)),
            contacts=[_contact(one) for one in sheet.contacts],
            cases=[case.number for case in cases],
        )

    return not_remembered(caller, work)


def _masked(session: Session, caller: Caller, hit: Hit, is_held: bool) -> PersonView:
    return PersonView(
        person=hit.person.id,
        name=seen.masked_name(hit.particulars.name),
        name_zh=seen.masked_name(hit.particulars.name_zh),
        language=hit.person.language,
        flags=_flags(hit, is_held),
        contacts=[_contact(one) for one in seen.masked_contacts(session, caller.vault, hit.person.id)],
        cases=[],
    )


def _contact(one: seen.Contact) -> ContactView:
    return ContactView(id=one.id, kind=one.kind, value=one.shown, is_safe=one.safe)


def _flags(hit: Hit, is_held: bool) -> list[str]:
    person = hit.person
    told = {"held": is_held, "protected": person.protected, "deceased": person.deceased, "minor": person.minor}
    return [name for name, is_so in told.items() if is_so]


def _series(series: board.Series) -> Series:
    return Series(steps=list(series.days), rows={name: list(numbers) for name, numbers in series.rows.items()})
