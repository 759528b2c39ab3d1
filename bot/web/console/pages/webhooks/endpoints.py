"""Where events of cases are posted: registered, tried, switched, given a new secret; and what became of each post."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse

from bot.desk.integrations import endpoints
from bot.desk.integrations.addresses import Reach, reach_of
from bot.desk.integrations.events import EVENTS
from bot.desk.staff.roles import Permission
from bot.web.console.answers import console_router, go_to
from bot.web.console.door import Staff, requires
from bot.web.console.notices import said
from bot.web.console.rendering import Entry, page
from bot.web.console.words import answer

router = console_router()
HERE = "/desk/webhooks"
ENTRY = Entry("webhooks", HERE, Permission.MANAGE_WEBHOOKS, 94, "h", "system")
ROWS = 50

_Admin = Annotated[Staff, requires(Permission.MANAGE_WEBHOOKS)]
_Id = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("/webhooks", response_class=HTMLResponse)
def webhooks(staff: _Admin) -> Response:
    """Every endpoint, with how it stands."""
    with staff.database.reading() as session:
        listed = endpoints.listed(session, staff.vault)
    return page(staff, "console/webhooks.html", endpoints=listed, events=list(EVENTS), in_words=partial(answer, staff.language))


@router.get("/webhooks/{endpoint_id}", response_class=HTMLResponse)
def webhook(staff: _Admin, endpoint_id: _Id, before: Annotated[int | None, Query(ge=1, lt=2**31)] = None) -> Response:
    """One endpoint and what was posted to it lately."""
    with staff.database.reading() as session:
        one = endpoints.one(session, staff.vault, endpoint_id)
        posts = endpoints.posts(session, endpoint_id, before=before, limit=ROWS)
    shown: dict[str, Any] = {"one": one, "posts": posts, "rows": ROWS, "events": list(EVENTS)}
    return page(staff, "console/webhook.html", **shown, in_words=partial(answer, staff.language))


@router.post("/webhooks/register", response_class=HTMLResponse)
def register(staff: _Admin) -> Response:
    """Register an endpoint; its secret is shown in the answer and nowhere else."""
    sent = staff.sent
    with staff.database.writing() as session:
        made = endpoints.register(
            session,
            staff.vault,
            _reach(staff),
            name=sent.get("name", 80),
            url=sent.get("url", 1000),
            events=sent.all("event"),
            by=staff.id,
            at=staff.now,
        )
    return _show(staff, made.secret)


@router.post("/webhooks/{endpoint_id}/change")
def change(staff: _Admin, endpoint_id: _Id) -> Response:
    """Change name, address and events."""
    sent = staff.sent
    name, url, events = sent.get("name", 80), sent.get("url", 1000), sent.all("event")
    with staff.database.writing() as session:
        reach = _reach(staff)
        endpoints.change(session, staff.vault, reach, endpoint_id, name=name, url=url, events=events, by=staff.id, at=staff.now)
    return go_to(staff, f"{HERE}/{endpoint_id}", said("webhooks.changed"))


@router.post("/webhooks/{endpoint_id}/secret", response_class=HTMLResponse)
def secret(staff: _Admin, endpoint_id: _Id) -> Response:
    """Give it a new secret; the old one signs beside it for a day."""
    with staff.database.writing() as session:
        made = endpoints.rotate(session, staff.vault, endpoint_id, by=staff.id, at=staff.now)
    return _show(staff, made.secret)


@router.post("/webhooks/{endpoint_id}/on")
def on(staff: _Admin, endpoint_id: _Id) -> Response:
    """Post to it again; what waited is posted now."""
    with staff.database.writing() as session:
        endpoints.turn_on(session, staff.vault, endpoint_id, by=staff.id, at=staff.now)
    return go_to(staff, f"{HERE}/{endpoint_id}", said("webhooks.now_on"))


@router.post("/webhooks/{endpoint_id}/off")
def off(staff: _Admin, endpoint_id: _Id) -> Response:
    """Post nothing more to it."""
    with staff.database.writing() as session:
        endpoints.turn_off(session, staff.vault, endpoint_id, by=staff.id, at=staff.now)
    return go_to(staff, f"{HERE}/{endpoint_id}", said("webhooks.now_off"))


@router.post("/webhooks/{endpoint_id}/test")
def test(staff: _Admin, endpoint_id: _Id) -> Response:
    """Lay a test event down for it."""
    with staff.database.writing() as session:
        endpoints.try_out(session, endpoint_id, by=staff.id, at=staff.now)
    return go_to(staff, f"{HERE}/{endpoint_id}", said("webhooks.tried"))


@router.post("/webhooks/{endpoint_id}/remove")
def remove(staff: _Admin, endpoint_id: _Id) -> Response:
    """Forget it and what waits for it."""
    with staff.database.writing() as session:
        endpoints.remove(session, staff.vault, endpoint_id, by=staff.id, at=staff.now)
    return go_to(staff, HERE, said("webhooks.removed"))


@router.post("/webhooks/{endpoint_id}/again/{delivery_id}")
def again(staff: _Admin, endpoint_id: _Id, delivery_id: _Id) -> Response:
    """Post something once more."""
    with staff.database.writing() as session:
        endpoints.again(session, staff.vault, delivery_id, endpoint_id=endpoint_id, by=staff.id, at=staff.now)
    return go_to(staff, f"{HERE}/{endpoint_id}", said("webhooks.posted_again"))


def _reach(staff: Staff) -> Reach:
    settings = staff.door.application.settings
    return reach_of(settings.public_url, settings.webhook_networks)


def _show(staff: Staff, shown: str) -> Response:
    return page(staff, "console/shown_once.html", what="secret", secret=shown, address="", ends_at=None, home=HERE)
