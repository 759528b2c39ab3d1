"""The list of campaigns, the page of one with its live numbers and charts, and the log of what was done to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot.base.clock import in_hong_kong
from bot.campaigns import figures, hands
from bot.campaigns.figures import Standing
from bot.campaigns.models import Campaign, CampaignStatus, NoticeStatus, ObligationStatus
from bot.campaigns.plan import plan_of
from bot.campaigns.planning import errands, versions
from bot.campaigns.planning.authors import authors
from bot.campaigns.watching import tables
from bot.patients.models import Way
from bot.web.console import charts
from bot.web.console.deciding import who_decides
from bot.web.console.door import Staff
from bot.web.console.pages.campaigns.deciding import PARTS
from bot.web.console.pages.campaigns.place import Reader, Silent, deciders, names, office, router, shown
from bot.web.console.pages.campaigns.saying import advice, code_in_words, in_words
from bot.web.console.rendering import page
from bot.web.console.words import all_words

DOUBTS = 50
LIVE = (CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED)


@router.get("/campaigns", response_class=HTMLResponse)
def campaigns(staff: Reader) -> Response:
    """All of them, and who holds which version of what."""
    with staff.database.reading() as session:
        state = tables.fingerprint_of_all(session)
        rows = [figures.standing(session, one, staff.now) for one in figures.everyone(session)]
        ids = [one.id for one in figures.everyone(session)]
        held, owed = versions.held(session), versions.on_their_way(session)
    told = {one.name: in_words(staff, one.pause_reason or one.waits_for) for one in rows}
    both = list(zip(ids, rows, strict=True))
    return page(staff, "console/campaigns.html", rows=both, told=told, state=state, held=held, owed=owed)


@router.get("/campaigns/{campaign_id}", response_class=HTMLResponse)
def campaign(staff: Reader, campaign_id: int) -> Response:
    """How one stands, what it waits for, and what can be done."""
    with staff.database.reading() as session:
        state = tables.fingerprint(session, campaign_id)  # before the numbers: they are at least as new
        head = shown(session, campaign_id)
        now = figures.standing(session, head.campaign, staff.now)
        values = _read(staff, session, head.campaign, now)
    one = head.campaign
    return page(
        staff,
        "console/campaign.html",
        state=state,
        campaign=one,
        head=head,
        now_=now,
        plan=plan_of(one.plan),
        parts=PARTS,
        error=in_words(staff, head.errand.error) if head.errand else "",
        is_live=office(staff).is_live,
        **values,
        **_said(staff, one, now),
    )


def _read(staff: Staff, session: Session, one: Campaign, now: Standing) -> dict[str, Any]:
    """What is read for the page beside the numbers."""
    reported = errands.last_report(session, staff.vault, one)
    who = who_decides(deciders(staff, session, one))
    return {
        "report": reported[1] if reported else None,
        "reported": reported[0] if reported else None,
        "who": staff.t(who.key, **who.values),
        "alone": who.is_bad,
        "is_mine": staff.actor in authors(session, one),
        "approval": tables.approval(session, one),
        "names": names(staff, session),
        "holds": tables.standing_holds(session, one, staff.now),
        "doubts": hands.in_doubt(session, one, DOUBTS) if now.in_doubt else [],
        "tests": tables.tests_sent(session, one),
        "again": tables.waiting_again(session, one),
        "hours": _hours(staff, session, one) if one.status in LIVE else None,
    }


def _said(staff: Staff, one: Campaign, now: Standing) -> dict[str, Any]:
    """The numbers and reasons of a campaign as the page puts them in words."""
    return {
        "why": in_words(staff, one.pause_reason),
        "advice": advice(staff, one.pause_reason),
        "waits": in_words(staff, now.waits_for),
        "code": lambda code: code_in_words(staff, code),
        "in_words": lambda sentence: in_words(staff, sentence),
        "people_states": _order(ObligationStatus, now.people),
        "notice_states": _order(NoticeStatus, {state: 1 for states in now.notices.values() for state in states}),
        "channels": [way for way in Way if way.value in now.notices],
        "next_wave": _next_wave(now),
    }


@router.get("/campaigns/{campaign_id}/log", response_class=HTMLResponse)
def log(staff: Reader, campaign_id: int) -> Response:
    """Everything that was done to it, by whom and when."""
    with staff.database.reading() as session:
        one = figures.numbered(session, campaign_id)
        acts = tables.acts(session, one)
        known = names(staff, session)
    return page(staff, "console/campaign_log.html", campaign=one, acts=acts, names=known, act=lambda kind: _act(staff, kind))


@router.get("/campaigns/{campaign_id}/{chart}.svg")
def picture(staff: Silent, campaign_id: int, chart: str) -> Response:
    """One chart as a picture."""
    nothing = staff.t("campaigns.nothing_sent")
    with staff.database.reading() as session:
        one = figures.numbered(session, campaign_id)
        if chart == "hours":
            series = _hours(staff, session, one)
            return charts.stacked(series["labels"], series["rows"], nothing)
        now = figures.standing(session, one, staff.now)
    if chart != "states":
        return Response(status_code=404)
    channels = [way for way in Way if way.value in now.notices]
    states = _order(NoticeStatus, {state: 1 for states in now.notices.values() for state in states})
    rows = {staff.t(f"campaigns.n_{state}"): [now.notices[way.value].get(state, 0) for way in channels] for state in states}
    return charts.stacked([staff.t(f"campaigns.way_{way.value}") for way in channels], rows, nothing)


def _act(staff: Staff, kind: str) -> str:
    """What an entry of the log says was done."""
    key = f"campaigns.act_{kind.partition('.')[2]}"
    return staff.t(key) if key in all_words() else staff.t("campaigns.act_other")


def _hours(staff: Staff, session: Session, one: Campaign) -> dict[str, Any]:
    """What left when, as the chart and its table show it."""
    series = tables.over_time(session, one, staff.now)
    form = "%H:%M" if series.step < timedelta(days=1) else "%d/%m"
    labels = [in_hong_kong(start).strftime(form) for start in series.starts]
    rows = {staff.t(f"campaigns.way_{channel}"): numbers for channel, numbers in series.rows.items()}
    return {"labels": labels, "rows": rows}


def _order(states: Any, counted: dict[str, int]) -> Sequence[str]:
    """The states that occur, in the order in which they follow each other."""
    return [state.value for state in states if counted.get(state.value)]


def _next_wave(now: Standing) -> int | None:
    """The wave that somebody may release; None when none waits for a person."""
    waits = now.status in ("running", "paused") and now.people.get("planned", 0) and now.wave > 0
    return now.wave + 1 if waits else None
