"""Where events are posted, and what became of each post."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from bot.desk.integrations import endpoints
from bot.desk.integrations.addresses import Reach, reach_of
from bot.desk.integrations.endpoints import Listed, Posted, Registered
from bot.desk.integrations.events import EVENTS
from bot.desk.integrations.models import DeliveryStatus, EndpointStatus
from bot.desk.staff.roles import Scope
from bot.web.api.acting import act, not_remembered
from bot.web.api.cursors import cursor_of, number_of
from bot.web.api.door import Caller, Writer, reads, writes
from bot.web.api.shapes.base import Cursor, Done, Id, Limit
from bot.web.api.shapes.desk import (
    ChangedWebhook,
    NewWebhook,
    PostPage,
    PostView,
    Tried,
    WebhookView,
    WebhookWithSecret,
)

router = APIRouter(tags=["webhooks"])
Reader = Annotated[Caller, reads(Scope.WEBHOOKS_MANAGE)]
Manager = Annotated[Writer, writes(Scope.WEBHOOKS_MANAGE)]


@router.get("/webhooks", summary="Where events are posted")
def listed(caller: Reader) -> list[WebhookView]:
    """Every endpoint, with how it stands."""
    with caller.database.reading() as session:
        return [_view(one) for one in endpoints.listed(session, caller.vault)]


@router.get("/webhooks/events", summary="Types of events")
def types(caller: Reader) -> dict[str, str]:
    """Each with what it tells."""
    return dict(EVENTS)


@router.post("/webhooks", summary="Register an endpoint", status_code=201)
def register(caller: Manager, sent: NewWebhook) -> WebhookWithSecret:
    """Its secret is in the answer and nowhere else; the answer is not kept for repeats."""

    def work(session: Session) -> WebhookWithSecret:
        made = endpoints.register(
            session,
            caller.vault,
            _reach(caller),
            name=sent.name,
            url=sent.url,
            events=sent.events,
            by=caller.id,
            at=caller.now,
        )
        return _with_secret(session, caller, made)

    return not_remembered(caller, work)


@router.get("/webhooks/{webhook}", summary="An endpoint")
def one(caller: Reader, webhook: Id) -> WebhookView:
    """How it stands."""
    with caller.database.reading() as session:
        return _view(endpoints.one(session, caller.vault, webhook))


@router.patch("/webhooks/{webhook}", summary="Change an endpoint", response_model=WebhookView)
def change(caller: Manager, webhook: Id, sent: ChangedWebhook) -> Response:
    """Name, address, events, and whether it is on; what waits goes to the new address."""

    def work(session: Session) -> WebhookView:
        endpoints.change(
            session,
            caller.vault,
            _reach(caller),
            webhook,
            name=sent.name,
            url=sent.url,
            events=sent.events,
            by=caller.id,
            at=caller.now,
        )
        is_on = endpoints.one(session, caller.vault, webhook).row.status == EndpointStatus.ACTIVE
        if sent.is_on is not None and sent.is_on != is_on:
            turn = endpoints.turn_on if sent.is_on else endpoints.turn_off
            turn(session, caller.vault, webhook, by=caller.id, at=caller.now)
        return _view(endpoints.one(session, caller.vault, webhook))

    return act(caller, work, sent=sent)


@router.delete("/webhooks/{webhook}", summary="Remove an endpoint", response_model=Done)
def remove(caller: Manager, webhook: Id) -> Response:
    """With everything that waits for it."""

    def work(session: Session) -> Done:
        endpoints.remove(session, caller.vault, webhook, by=caller.id, at=caller.now)
        return Done(done=True)

    return act(caller, work)


@router.post("/webhooks/{webhook}/secret", summary="Change the secret")
def rotate(caller: Manager, webhook: Id) -> WebhookWithSecret:
    """For 24 hours posts carry a signature of the old and of the new one. Not kept for repeats."""

    def work(session: Session) -> WebhookWithSecret:
        made = endpoints.rotate(session, caller.vault, webhook, by=caller.id, at=caller.now)
        return _with_secret(session, caller, made)

    return not_remembered(caller, work)


@router.post("/webhooks/{webhook}/test", summary="Post a test event", response_model=Tried)
def try_out(caller: Manager, webhook: Id) -> Response:
    """Of the type `webhook.test`."""

    def work(session: Session) -> Tried:
        return Tried(event=endpoints.try_out(session, webhook, by=caller.id, at=caller.now))

    return act(caller, work)


@router.get("/webhooks/{webhook}/deliveries", summary="What was posted")
def deliveries(
    caller: Reader,
    webhook: Id,
    status: Annotated[DeliveryStatus | None, Query(description="Only those that are there.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PostPage:
    """The newest first; kept for 30 days."""
    before = number_of(cursor) if cursor else None
    with caller.database.reading() as session:
        endpoints.one(session, caller.vault, webhook)
        found = list(endpoints.posts(session, webhook, status=status, before=before, limit=limit + 1))
    following = cursor_of((found[limit - 1].row.id,)) if len(found) > limit else None
    return PostPage(deliveries=[_post(each) for each in found[:limit]], next=following)


@router.post("/webhooks/{webhook}/deliveries/{delivery}/again", summary="Post an event once more", response_model=Done)
def again(caller: Manager, webhook: Id, delivery: Id) -> Response:
    """Under the `webhook-id` it had."""

    def work(session: Session) -> Done:
        endpoints.again(session, caller.vault, delivery, endpoint_id=webhook, by=caller.id, at=caller.now)
        return Done(done=True)

    return act(caller, work)


def _reach(caller: Caller) -> Reach:
    return reach_of(caller.settings.public_url, caller.settings.webhook_networks)


def _with_secret(session: Session, caller: Caller, made: Registered) -> WebhookWithSecret:
    return WebhookWithSecret(**_view(endpoints.one(session, caller.vault, made.row.id)).model_dump(), secret=made.secret)


def _view(one: Listed) -> WebhookView:
    row = one.row
    return WebhookView(
        id=row.id,
        name=row.name,
        url=one.url,
        events=list(row.events),
        status=EndpointStatus(row.status),
        failing_since=row.failing_since,
        problem=row.problem,
        well_at=row.well_at,
        waiting=one.waiting,
        failed=one.failed,
    )


def _post(each: Posted) -> PostView:
    row = each.row
    is_waiting = row.status == DeliveryStatus.WAITING
    return PostView(
        id=row.id,
        event=each.event.uid,
        type=each.event.type,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        answered=row.answered,
        problem=row.problem,
        at=each.event.at,
        next_at=row.next_at if is_waiting else None,
    )
