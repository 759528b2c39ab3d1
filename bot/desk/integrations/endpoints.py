"""Where events are posted: registered, changed, switched, given a new secret, tried; and posts of the past, once more by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.desk.integrations.addresses import Reach, target_of
from bot.desk.integrations.events import EVENTS, note_for
from bot.desk.integrations.models import (
    SECRET,
    URL,
    DeliveryStatus,
    EndpointStatus,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from bot.desk.integrations.signing import new_secret
from bot.desk.staff.may import require
from bot.desk.staff.roles import Permission

FORMER_LASTS = timedelta(hours=24)
"""How long a secret signs beside the one that replaced it."""
MOST = 20
"""Endpoints of one installation: every event is laid down once for each."""


@dataclass(frozen=True, repr=False)
class Registered:
    """A new endpoint, or an old one with a new secret: what is shown once."""

    row: WebhookEndpoint
    secret: str


@dataclass(frozen=True, repr=False)
class Listed:
    """An endpoint as a list shows it."""

    row: WebhookEndpoint
    url: str
    waiting: int
    failed: int


@dataclass(frozen=True)
class Posted:
    """A post as a list shows it."""

    row: WebhookDelivery
    event: WebhookEvent


def register(
    session: Session, vault: Vault, reach: Reach, *, name: str, url: str, events: Iterable[str], by: int | None, at: datetime
) -> Registered:
    """Register an endpoint; its secret is made here. Raises BadInput for what cannot be posted to, and without the right."""
    _allowed(session, by)
    if (session.scalar(select(func.count()).select_from(WebhookEndpoint)) or 0) >= MOST:
        raise BadInput(f"There are {MOST} endpoints already: remove one first.")
    secret = new_secret()
    row = WebhookEndpoint(
        name=_named(name),
        sealed_url=vault.seal(_checked(url, reach), URL),
        events=_events(events),
        sealed_secret=vault.seal(secret, SECRET),
        made_by=_name(by),
        made_at=at,
    )
    session.add(row)
    session.flush()
    _record(session, vault, "registered", row, by, at, events=row.events)
    return Registered(row, secret)


def change(
    session: Session,
    vault: Vault,
    reach: Reach,
    endpoint_id: int,
    *,
    name: str | None = None,
    url: str | None = None,
    events: Iterable[str] | None = None,
    by: int | None,
    at: datetime,
) -> WebhookEndpoint:
    """Change what is given of an endpoint; posts that wait go to the new address."""
    _allowed(session, by)
    row = _locked(session, endpoint_id)
    if name is not None:
        row.name = _named(name)
    if url is not None:
        row.sealed_url = vault.seal(_checked(url, reach), URL)
        _well(row)
    if events is not None:
        row.events = _events(events)
    _record(session, vault, "changed", row, by, at, events=row.events, address=url is not None)
    return row


def rotate(session: Session, vault: Vault, endpoint_id: int, *, by: int | None, at: datetime) -> Registered:
    """Give an endpoint a new secret; for a day posts carry a signature of each."""
    _allowed(session, by)
    row, secret = _locked(session, endpoint_id), new_secret()
    row.sealed_former, row.former_until = row.sealed_secret, at + FORMER_LASTS
    row.sealed_secret = vault.seal(secret, SECRET)
    _record(session, vault, "secret_changed", row, by, at)
    return Registered(row, secret)


def turn_on(session: Session, vault: Vault, endpoint_id: int, *, by: int | None, at: datetime) -> WebhookEndpoint:
    """Post to an endpoint again; what waited while it rested is posted now. Raises IllegalMove when it is on."""
    _allowed(session, by)
    row = _locked(session, endpoint_id)
    move(row, EndpointStatus.ACTIVE)
    _well(row)
    waiting = update(WebhookDelivery).where(WebhookDelivery.endpoint_id == row.id)
    session.execute(waiting.where(WebhookDelivery.status == DeliveryStatus.WAITING.value).values(next_at=at, attempts=0))
    _record(session, vault, "on", row, by, at)
    return row


def turn_off(session: Session, vault: Vault, endpoint_id: int, *, by: int | None, at: datetime) -> WebhookEndpoint:
    """Post nothing more to an endpoint, and lay nothing down for it. Raises IllegalMove when it is off."""
    _allowed(session, by)
    row = _locked(session, endpoint_id)
    move(row, EndpointStatus.OFF)
    _record(session, vault, "off", row, by, at)
    return row


def remove(session: Session, vault: Vault, endpoint_id: int, *, by: int | None, at: datetime) -> None:
    """Forget an endpoint and what waits for it."""
    _allowed(session, by)
    row = _locked(session, endpoint_id)
    _record(session, vault, "removed", row, by, at)
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.endpoint_id == row.id))
    session.delete(row)


def try_out(session: Session, endpoint_id: int, *, by: int | None, at: datetime) -> str:
    """Lay a test event down for one endpoint; returns its id. Raises BadInput when it is not switched on."""
    _allowed(session, by)
    row = _locked(session, endpoint_id)
    if row.status != EndpointStatus.ACTIVE:
        raise BadInput("Switch the endpoint on first.")
    row.not_before = None
    return note_for(session, [row], "webhook.test", None, at)


def again(session: Session, vault: Vault, delivery_id: int, *, endpoint_id: int, by: int | None, at: datetime) -> WebhookDelivery:
    """Post something once more, under the id it had; one that waits is tried now. Raises NoResultFound for none of its posts."""
    _allowed(session, by)
    endpoint = _locked(session, endpoint_id)
    mine = select(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == endpoint_id)
    row = session.scalars(mine.with_for_update()).one()
    if row.status != DeliveryStatus.WAITING:
        move(row, DeliveryStatus.WAITING)
    row.next_at, row.attempts, row.ended_at = at, 0, None
    endpoint.not_before = None
    _record(session, vault, "posted_again", endpoint, by, at, delivery=delivery_id)
    return row


def listed(session: Session, vault: Vault) -> list[Listed]:
    """All endpoints, with how much waits and was given up."""
    counted = select(WebhookDelivery.endpoint_id, WebhookDelivery.status, func.count()).group_by(
        WebhookDelivery.endpoint_id, WebhookDelivery.status
    )
    many = {(row[0], row[1]): int(row[2]) for row in session.execute(counted)}
    return [
        Listed(
            row,
            vault.open(row.sealed_url, URL),
            many.get((row.id, DeliveryStatus.WAITING.value), 0),
            many.get((row.id, DeliveryStatus.FAILED.value), 0),
        )
        for row in session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id))
    ]


def one(session: Session, vault: Vault, endpoint_id: int) -> Listed:
    """One endpoint; raises NoResultFound for none."""
    session.get_one(WebhookEndpoint, endpoint_id)
    return next(each for each in listed(session, vault) if each.row.id == endpoint_id)


def posts(
    session: Session, endpoint_id: int, *, status: DeliveryStatus | None = None, before: int | None = None, limit: int = 50
) -> Sequence[Posted]:
    """The posts to an endpoint, the newest first, below the number `before`."""
    wanted = select(WebhookDelivery, WebhookEvent).join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
    wanted = wanted.where(WebhookDelivery.endpoint_id == endpoint_id)
    if status is not None:
        wanted = wanted.where(WebhookDelivery.status == status.value)
    if before is not None:
        wanted = wanted.where(WebhookDelivery.id < before)
    rows = session.execute(wanted.order_by(WebhookDelivery.id.desc()).limit(limit)).all()
    return [Posted(row, event) for row, event in rows]


def resting(session: Session) -> list[WebhookEndpoint]:
    """The endpoints that failed for a day and wait for somebody."""
    return list(
        session.scalars(
            select(WebhookEndpoint).where(WebhookEndpoint.status == EndpointStatus.RESTING.value).order_by(WebhookEndpoint.id)
        )
    )


def _well(row: WebhookEndpoint) -> None:
    row.failures, row.failing_since, row.not_before, row.problem = 0, None, None, ""


def _locked(session: Session, endpoint_id: int) -> WebhookEndpoint:
    return session.get_one(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)


def _checked(url: str, reach: Reach) -> str:
    target_of(url.strip(), reach)
    return url.strip()


def _named(name: str) -> str:
    if not 3 <= len(name.strip()) <= 80:
        raise BadInput("A name has between 3 and 80 characters.")
    return name.strip()


def _events(events: Iterable[str]) -> list[str]:
    wanted = sorted(set(events))
    if not set(wanted) <= set(EVENTS):
        raise BadInput("There is no such event.")
    return wanted


def _allowed(session: Session, by: int | None) -> None:
    if by is not None:
        require(session, by, Permission.MANAGE_WEBHOOKS)


def _name(by: int | None) -> str:
    return "operator" if by is None else f"staff:{by}"


def _record(
    session: Session, vault: Vault, kind: str, row: WebhookEndpoint, by: int | None, at: datetime, **content: object
) -> None:
    subject = f"webhook:{row.id}"
    audit.record(session, at=at, actor=_name(by), kind=f"webhook.{kind}", subject=subject, content=content, vault=vault)
