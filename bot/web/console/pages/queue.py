"""The queue: what waits, in which order, and taking it; many at once by two; what is switched for the whole desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.desk.hours import switches
from bot.desk.hours.deadlines import reschedule
from bot.desk.models import Outcome
from bot.desk.reasons import PACES, TEAMS
from bot.desk.records import Switch
from bot.desk.sight.listing import Listed, listing
from bot.desk.staff import approvals
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.desk.work import bulk, claims, queue
from bot.desk.work.queue import Filters
from bot.web.console.answers import console_router, go_back, go_to
from bot.web.console.deciding import who_decides
from bot.web.console.door import Staff, requires, signed_in
from bot.web.console.fields import whole
from bot.web.console.live import state_of
from bot.web.console.notices import Notice, refused, said
from bot.web.console.pages.state import actors, advice
from bot.web.console.rendering import SWITCHES, Entry, entries_for, page

router = console_router()
ENTRY = Entry("queue", "/desk", Permission.SEE_QUEUE, 10, "q")

ROWS = 100
CHANNELS = ("web", "whatsapp", "sms", "email")
CHOICES: dict[str, Any] = {
    "views": ("all", "mine", "unclaimed", "overdue"),
    "teams": TEAMS,
    "channels": CHANNELS,
    "tongues": list(Language),
    "priorities": range(len(PACES)),
    "outcomes": list(Outcome),
    "switches": SWITCHES,
}
"""What the lists of the page offer."""


@router.get("", response_class=HTMLResponse)
def queue_page(staff: Annotated[Staff, signed_in()]) -> Response:
    """The queue; whoever may not see it is led to the first page they may."""
    if Permission.SEE_QUEUE not in staff.may:
        return go_to(staff, next((one.href for one in entries_for(staff) if one.href != "/desk"), "/desk/me"))
    asked = _asked(staff.request.query_params)
    with staff.database.reading() as session:
        hours, start = staff.hours(session), whole(asked["from"] or "0")
        state = state_of(session, "queue", staff.now)  # before the list, which is at least as new then
        shown = listing(session, _filters(asked, staff.id), staff.now, hours, limit=ROWS, offset=start)
        values: dict[str, Any] = {
            "state": state,
            "page": replace(shown, rows=sorted(shown.rows, key=_turn)),
            "names": {one.id: one.name for one in colleagues(session, staff.vault).values()},
            "numbers": queue.counts(session, staff.now),
            "handed": queue.meant_for(session, staff.id),
            "switched": switches.switched_on(session),
            "by": actors(staff, session),
            "advice": advice(staff, session),
        }
    values |= {"asked": asked, "start": start, "rows": ROWS, "filtered": any(asked[name] for name in asked if name != "from")}
    return page(staff, "console/queue.html", **values, **CHOICES, link=_link)


@router.post("/queue/{case_id}/claim")
def claim(staff: Annotated[Staff, requires(Permission.WORK_CASES)], case_id: int) -> Response:
    """Take a case; of several who press at once one gets it, and the others see who."""
    with staff.database.writing() as session:
        got = claims.claim(session, staff.vault, case_id, staff.id, staff.now)
        holder = colleagues(session, staff.vault).get(got.holder or 0)
    if got.won:
        return go_to(staff, f"/desk/cases/{case_id}", said("queue.yours"))
    return go_back(staff, refused("queue.taken", name=holder.name) if holder else refused("queue.gone"))


@router.post("/queue/{case_id}/release")
def release(staff: Annotated[Staff, requires(Permission.WORK_CASES)], case_id: int) -> Response:
    """Put a case of one's own back."""
    with staff.database.writing() as session:
        claims.release(session, staff.vault, case_id, staff.id, staff.now)
    return go_back(staff, said("queue.released"))


@router.post("/queue/release-all")
def release_all(staff: Annotated[Staff, requires(Permission.WORK_CASES)]) -> Response:
    """Put back everything one has and owes an answer on."""
    with staff.database.writing() as session:
        number = claims.release_all(session, staff.vault, staff.id, staff.now)
    return go_back(staff, said("queue.released_all", n=number))


@router.post("/queue/close")
def close_many(staff: Annotated[Staff, requires(Permission.RUN_DESK)]) -> Response:
    """Ask for many cases to be closed; a second person decides."""
    chosen, outcome = staff.sent.numbers("case"), staff.sent.get("outcome")
    if outcome not in list(Outcome):
        raise BadInput("Choose what became of these cases.")
    with staff.database.writing() as session:
        asked = bulk.ask_to_close(session, staff.vault, chosen, outcome=Outcome(outcome), by=staff.id, at=staff.now)
        deciders = approvals.who_can(session, asked)
    return go_back(staff, said("queue.closing_asked", n=len(set(chosen))), who_decides(deciders))


@router.post("/queue/switch")
def switch(staff: Annotated[Staff, requires(Permission.RUN_DESK)]) -> Response:
    """Switch the weather or surge on or off for the whole desk."""
    name, on = staff.sent.get("switch"), staff.sent.get("on") == "1"
    if name not in SWITCHES:
        raise BadInput("There is no such switch.")
    turn = switches.turn_on if on else switches.turn_off
    with staff.database.writing() as session:
        changed = turn(session, staff.vault, Switch(name), by=staff.actor, at=staff.now)
        if changed and Switch(name) in switches.WEATHER:
            reschedule(session, staff.now, staff.hours(session))
    return go_back(staff, _switched(name, on=on, changed=changed))


def _switched(name: str, *, on: bool, changed: bool) -> Notice:
    return said(f"queue.switched_{'on' if on else 'off'}_{name}") if changed else said("queue.switched_already")


def _turn(row: Listed) -> tuple[int, bool]:
    # Of equal urgency, who waits for us comes before those whose own turn it is: the top row is what to do next.
    return row.case.priority, row.waited is None


def _asked(query: Mapping[str, str]) -> dict[str, str]:
    names = ("view", "priority", "team", "language", "channel", "from")
    return {name: query.get(name, "") for name in names}


def _filters(asked: Mapping[str, str], staff_id: int) -> Filters:
    view = asked["view"]
    return Filters(
        claimed_by=staff_id if view == "mine" else None,
        only_unclaimed=view == "unclaimed",
        only_breached=view == "overdue",
        priority=whole(asked["priority"]) if asked["priority"] else None,
        team=asked["team"] or None,
        language=asked["language"] or None,
        channel=asked["channel"] or None,
    )


def _link(asked: Mapping[str, str], **changed: object) -> str:
    """The queue's address with these filters; codes and numbers alone, nothing of a patient."""
    kept = {name: value for name, value in {**asked, "from": "", **changed}.items() if value not in ("", None)}
    return f"/desk?{urlencode(kept)}" if kept else "/desk"
