"""The queue, who may take cases, and what a token is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from bot.base.languages import Language
from bot.desk.models import CaseStatus
from bot.desk.sight.listing import listing
from bot.desk.staff.accounts import profile_of
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission, Scope
from bot.desk.work import queue
from bot.desk.work.queue import Filters
from bot.web.api.cursors import cursor_of, place_of
from bot.web.api.door import Caller, anybody, reads
from bot.web.api.problems import KINDS, PREFIX, Problem
from bot.web.api.shapes.base import Cursor, Limit, ProblemView
from bot.web.api.shapes.cases import CasePage, Channel, Counts, Team
from bot.web.api.shapes.desk import Me, Member
from bot.web.api.views import Viewing

router = APIRouter(tags=["queue"])
Reader = Annotated[Caller, reads(Scope.CASES_READ)]


@router.get("/me", summary="What this token is", tags=["programs"])
def me(caller: Annotated[Caller, reads(None)]) -> Me:
    """Name, scopes and end of the token that asks."""
    account = caller.bearer.account
    scopes = [Scope(one) for one in account.roles if one in Scope.__members__.values()]
    return Me(id=account.id, name=profile_of(account, caller.vault).name, scopes=scopes, ends_at=caller.bearer.ends_at)


@router.get("/problems/{kind}", summary="What a kind of problem means", tags=["programs"], dependencies=[anybody()])
def explained(kind: Annotated[str, Path(max_length=40, examples=["taken"])]) -> ProblemView:
    """The kind in words; `type` of every refusal leads here."""
    if kind not in KINDS:
        raise Problem("not_found")
    status, title, advice = KINDS[kind]
    return ProblemView(type=f"{PREFIX}/problems/{kind}", title=title, status=status, detail=advice)


@router.get("/colleagues", summary="To whom cases can be handed", tags=["queue"])
def team(caller: Annotated[Caller, reads(Scope.CASES_WORK)]) -> list[Member]:
    """Everybody who may work on cases now, by number."""
    with caller.database.reading() as session:
        found = colleagues(session, caller.vault).values()
    able = [one for one in found if one.is_active and one.may(Permission.WORK_CASES)]
    return [Member(id=one.id, name=one.name, on_duty=one.on_duty) for one in able]


@router.get("/cases", summary="The queue")
def cases(
    caller: Reader,
    status: Annotated[CaseStatus | None, Query(description="Only cases that are there; live ones without it.")] = None,
    team: Annotated[Team | None, Query(description="Only this team's.")] = None,
    priority: Annotated[int | None, Query(ge=0, le=3, description="Only this priority.")] = None,
    reason: Annotated[str | None, Query(max_length=40, description="Only this leading reason.")] = None,
    channel: Annotated[Channel | None, Query(description="Only this channel.")] = None,
    language: Annotated[Language | None, Query(description="Only this language.")] = None,
    mine: Annotated[bool, Query(description="Only what this program has.")] = False,
    unclaimed: Annotated[bool, Query(description="Only what nobody has.")] = False,
    breached: Annotated[bool, Query(description="Only what is past a deadline.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CasePage:
    """Cases in the order in which they are to be taken: the most urgent first, then whose patient has waited longest."""
    filters = Filters(
        status=status,
        team=team,
        priority=priority,
        claimed_by=caller.id if mine else None,
        reason=reason,
        channel=channel,
        language=language.value if language else None,
        only_breached=breached,
        only_unclaimed=unclaimed,
        after=place_of(cursor) if cursor else None,
    )
    with caller.database.reading() as session:
        page = listing(session, filters, caller.now, caller.hours(session), limit=limit)
        viewing = Viewing(session, caller)
        rows = [viewing.row(row.case, row.channel, row.language, row.owner, row.is_proven) for row in page.rows]
        last = page.rows[-1].case if page.has_more else None
    following = cursor_of((last.priority, last.waiting_since.isoformat(), last.id)) if last else None
    return CasePage(cases=rows, next=following)


@router.get("/queue/counts", summary="The queue in numbers")
def counts(caller: Reader) -> Counts:
    """How many cases wait, are held and are overdue."""
    with caller.database.reading() as session:
        now = queue.counts(session, caller.now)
    return Counts(
        unclaimed=now.unclaimed,
        held=now.held,
        breached=now.breached,
        by_priority=now.by_priority,
        by_team=now.by_team,
        waiting_since=now.waiting_since,
    )
