"""The wallboard: how the desk stands, and what the last days looked like; every chart has its numbers beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot.base.errors import NotPublished
from bot.base.languages import Language
from bot.desk.sight import board
from bot.desk.sight.days import keep
from bot.desk.staff.roles import Permission
from bot.desk.work import queue
from bot.web.console import charts
from bot.web.console.answers import console_router
from bot.web.console.door import Staff, requires
from bot.web.console.live import topic
from bot.web.console.naming import named
from bot.web.console.rendering import Entry, page
from bot.web.console.words import all_words

router = console_router()
ENTRY = Entry("wallboard", "/desk/wallboard", Permission.SEE_FIGURES, 30, "w")
DAYS = (1, 7, 14, 30)
MOST_BARS = 10


def _state(session: Session, _: int, at: datetime) -> str:
    """Another one every minute, and whenever the queue changes."""
    return f"{at:%H%M}.{queue.fingerprint(session)}"


topic("wallboard", Permission.SEE_FIGURES, _state)

Reader = Annotated[Staff, requires(Permission.SEE_FIGURES)]
Silent = Annotated[Staff, requires(Permission.SEE_FIGURES, by_itself=True)]


@router.get("/wallboard", response_class=HTMLResponse)
def wallboard(staff: Reader, days: Annotated[str, Query()] = "7") -> Response:
    """All figures of the last days."""
    number = _days(days)
    span = board.last_days(staff.now, number)
    keep(staff.database, span, staff.now)
    with staff.database.reading() as session:
        shown = board.board(session, span, staff.now)
        name = _namer(staff, session)
        state = _state(session, 0, staff.now)
    return page(
        staff, "console/wallboard.html", board=shown, days=number, choices=DAYS, name=name, state=state, most=MOST_BARS, step=step
    )


@router.get("/wallboard/{chart}.svg")
def picture(staff: Silent, chart: str, days: Annotated[str, Query()] = "7") -> Response:
    """One chart as a picture."""
    nothing = staff.t("wallboard.nothing")
    with staff.database.reading() as session:
        span, name = board.last_days(staff.now, _days(days)), _namer(staff, session)
        if chart == "topics":
            return _over_time(staff, board.topics_over_time(session, span), name, nothing)
        if chart == "languages":
            return _over_time(staff, board.languages_over_time(session, span), name, nothing)
        counts = board.counts_of(session, span)
    counted = counts.reasons if chart == "reasons" else {channel: failed for channel, (failed, _) in counts.failures.items()}
    if chart not in ("reasons", "failures"):
        return Response(status_code=404)
    most = dict(list(counted.items())[:MOST_BARS]) if any(counted.values()) else {}
    return charts.bars({name(one): number for one, number in reversed(most.items())}, staff.t(f"wallboard.{chart}"), nothing)


def _over_time(staff: Staff, series: board.Series, name: Callable[[str], str], nothing: str) -> Response:
    rows = {} if series.is_empty else {name(one): numbers for one, numbers in series.rows.items()}
    return charts.stacked([step(one) for one in series.days], rows, nothing)


def step(at: date) -> str:
    """What a step of time is called beneath a chart: the hour within one day, else the day."""
    return f"{at:%H}" if isinstance(at, datetime) else f"{at.day}/{at.month}"


def _days(asked: str) -> int:
    return int(asked) if asked in map(str, DAYS) else 7


def _namer(staff: Staff, session: Session) -> Callable[[str], str]:
    """How a topic, language, reason, channel or outcome is called; by its code where it has no name."""
    try:
        content = staff.door.published(session).content
    except NotPublished:
        content = {"wordings": {}}
    known, languages = all_words(), {one.value: one.own_name for one in Language}

    def name(code: str) -> str:
        if code == board.REST:
            return staff.t("wallboard.rest")
        for key in (f"reasons.{code}", f"wallboard.{code}"):
            if key in known:
                return known[key][staff.language]
        return languages.get(code) or named(content, code, staff.language)

    return name
