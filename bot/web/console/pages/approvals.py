"""What waits for a second person."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.desk.sight.listing import numbers_of
from bot.desk.staff import accounts, approvals
from bot.desk.staff.approvals import What
from bot.desk.staff.models import Approval
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.desk.work import bulk
from bot.web.console.answers import console_router, go_to
from bot.web.console.deciding import DEEDS, deed, who_decides
from bot.web.console.door import Staff, requires
from bot.web.console.notices import Notice, said
from bot.web.console.pages.accounts import show_link
from bot.web.console.rendering import Entry, page

router = console_router()
HERE = "/desk/approvals"
ENTRY = Entry("approvals", HERE, Permission.DECIDE, 45, "a")


@router.get("/approvals", response_class=HTMLResponse)
def waiting(staff: Annotated[Staff, requires(Permission.DECIDE)]) -> Response:
    """Requests that wait, with who could decide them, and those decided lately."""
    with staff.database.reading() as session:
        rows = []
        for request in approvals.waiting(session, staff.now):
            known = DEEDS.get(What(request.what))
            deciders = approvals.who_can(session, request)
            may = staff.id in (*deciders.on_duty, *deciders.others)
            told = known.describe(staff, session, request) if known else ""
            who = who_decides(deciders)
            rows.append({"request": request, "told": told, "known": known, "may": may, "who": staff.t(who.key, **who.values)})
        everybody = colleagues(session, staff.vault)
        alone = not any(
            one.on_duty and one.is_active and one.id != staff.id and one.may(Permission.DECIDE) for one in everybody.values()
        )
        decided = approvals.decided(session, 30)
    names = {one.id: one.name for one in everybody.values()}
    return page(staff, "console/approvals.html", rows=rows, decided=decided, names=names, alone=alone)


@router.post("/approvals/{request_id}/agree")
def agree(staff: Annotated[Staff, requires(Permission.DECIDE)], request_id: int) -> Response:
    """Agree as the second person; it is done in the same moment."""
    with staff.database.writing() as session:
        request = next((one for one in approvals.waiting(session, staff.now) if one.id == request_id), None)
        if request is None:
            raise BadInput("This request was decided already, or its time is over.")
        done = DEEDS[What(request.what)].carry_out(staff, session, request_id)
    return done if isinstance(done, Response) else go_to(staff, HERE, done)


@router.post("/approvals/{request_id}/refuse")
def refuse(staff: Annotated[Staff, requires(Permission.DECIDE)], request_id: int) -> Response:
    """Say no, or take one's own request back."""
    with staff.database.writing() as session:
        approvals.refuse(session, staff.vault, request_id, by=staff.id, at=staff.now)
    return go_to(staff, HERE, said("approvals.refused"))


def _closing(staff: Staff, session: Session, request: Approval) -> str:
    details = approvals.details_of(request, staff.vault)
    numbers = numbers_of(session, details["cases"])
    shown = ", ".join(numbers[:20]) + (" …" if len(numbers) > 20 else "")
    return staff.t("approvals.bulk_resolve", n=len(numbers), outcome=staff.t(f"desk.outcome_{details['outcome']}"), numbers=shown)


def _close(staff: Staff, session: Session, request_id: int) -> Notice:
    published = staff.door.published(session)
    closed = bulk.approve_closing(session, staff.vault, published, request_id, by=staff.id, at=staff.now)
    return said("approvals.bulk_done", n=len(closed))


def _recovery(staff: Staff, session: Session, request: Approval) -> str:
    whose = colleagues(session, staff.vault)[approvals.details_of(request, staff.vault)["staff"]]
    return staff.t("approvals.recovery", name=whose.name)


def _recover(staff: Staff, session: Session, request_id: int) -> Response:
    request = approvals.approve(session, staff.vault, request_id, by=staff.id, at=staff.now)
    whose = int(approvals.details_of(request, staff.vault)["staff"])
    made = accounts.recover(session, staff.vault, whose, by=request.asked_by, approved_by=staff.id, at=staff.now)
    return show_link(staff, made)


deed(What.BULK_RESOLVE, _closing, _close)
deed(What.RECOVERY, _recovery, _recover)
