"""A case as it is read: its state, its transcript, the persons it concerns, who looks at it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from bot.assembly import official_numbers
from bot.desk.sight.casefile import Entry, LineOfThread, casefile, revealed
from bot.desk.sight.onfile import persons_on
from bot.desk.staff.roles import Scope
from bot.desk.trail import log
from bot.desk.work import presence
from bot.web.api.acting import case_of, not_remembered
from bot.web.api.door import Caller, Writer, reads, writes
from bot.web.api.shapes.base import Done, Number
from bot.web.api.shapes.cases import (
    CaseView,
    Delivery,
    Here,
    LineView,
    PersonOnCase,
    Present,
    Reveal,
    Revealed,
    ThreadView,
    Transcript,
)
from bot.web.api.views import Viewing

router = APIRouter(prefix="/cases/{number}", tags=["case"])
Reader = Annotated[Caller, reads(Scope.CASES_READ)]


@router.get("", summary="A case")
def case(caller: Reader, response: Response, number: Number) -> CaseView:
    """Its state, deadlines and who has it; the `ETag` goes into `If-Match` of what changes it."""
    with caller.database.reading() as session:
        shown = Viewing(session, caller).case(case_of(session, number))
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


@router.get("/transcript", summary="What was said, masked")
def transcript(
    caller: Reader, number: Number, lines: Annotated[int, Query(ge=1, le=400, description="The newest lines of a thread.")] = 40
) -> Transcript:
    """The newest lines of the patient's threads; that they were read stands in the sealed log."""
    with caller.database.reading() as session:
        official = official_numbers(caller.published(session).content)
        file = casefile(session, caller.vault, case_of(session, number).id, caller.now, official=official, lines=lines)
    _was_read(caller, number)
    return Transcript(
        number=file.case.number,
        threads=[_thread(one) for one in file.threads],
        lines=[_line(one) for one in file.entries],
        is_whole=file.is_whole,
    )


@router.post("/reveal", summary="One line as it was written")
def reveal(caller: Annotated[Writer, writes(Scope.CASES_REVEAL)], number: Number, sent: Reveal) -> Revealed:
    """For a reason, which stands in the sealed log; 120 times an hour. The answer is not kept for repeats."""

    def work(session: Session) -> Revealed:
        words = revealed(
            session,
            caller.vault,
            case_of(session, number).id,
            sent.thread,
            sent.number,
            reason=sent.reason,
            staff_id=caller.id,
            at=caller.now,
        )
        return Revealed(text=words)

    return not_remembered(caller, work)


@router.get("/persons", summary="Whom on file it concerns")
def persons(caller: Reader, number: Number) -> list[PersonOnCase]:
    """Numbers, how each is known and which notices they got; names are opened with a reason, at `/patients/open`."""
    with caller.database.reading() as session:
        found = persons_on(session, caller.vault, case_of(session, number).id)
        return [
            PersonOnCase(
                person=one.person.id,
                known=one.link.known,
                at=one.link.at,
                is_held=one.is_held,
                has_stopped=one.has_stopped,
                ways=list(one.ways),
                notices=[f"{notice.name} {notice.version}" for notice in one.notices],
            )
            for one in found
        ]


@router.get("/presence", summary="Who looks at it now")
def here(caller: Reader, number: Number) -> list[Present]:
    """Everybody who has it open, and types."""
    with caller.database.reading() as session:
        found = presence.viewers(session, case_of(session, number).id, caller.now)
    return [Present(staff=one.staff_id, is_typing=one.typing) for one in found]


@router.post("/presence", summary="Say that somebody looks at it")
def be_here(caller: Annotated[Writer, writes(Scope.CASES_WORK)], number: Number, sent: Here) -> Done:
    """Colleagues see it in the console; runs out after half a minute."""

    def work(session: Session) -> Done:
        case_id = case_of(session, number).id
        if sent.has_left:
            presence.left(session, case_id, caller.id)
        else:
            presence.seen(session, case_id, caller.id, caller.now, typing=sent.is_typing)
        return Done(done=True)

    return not_remembered(caller, work)


def _was_read(caller: Caller, number: str) -> None:
    with caller.database.writing() as session:
        log(session, caller.vault, case_of(session, number), "read", staff_id=caller.id, at=caller.now)


def _thread(line: LineOfThread) -> ThreadView:
    return ThreadView(
        id=line.id,
        channel=line.channel,
        language=line.language,
        owner=line.owner,
        last_turn=line.last_turn,
        has_stopped=line.opted_out_at is not None,
        takes_own_words=line.is_open,
        window_until=line.window_until,
    )


def _line(entry: Entry) -> LineView:
    return LineView(
        thread=entry.thread_id,
        number=entry.number,
        author=entry.author,
        text=entry.text,
        hides=entry.hides,
        language=entry.language,
        at=entry.at,
        topic=entry.topic,
        attached=entry.attached,
        staff=entry.staff_id,
        texts=list(entry.says),
        publication=entry.publication_id,
        deliveries=[Delivery(status=one.status, reason=one.reason) for one in entry.deliveries],
    )
