"""Events leave: one worker at a time posts to an endpoint, in order, again after failures, until a day is over.

A post that was interrupted is made again under the same id: the other side drops what it has. Events of one case reach an
endpoint in the order in which they happened; a later one waits until the earlier was taken or given up. Between cases there is
no order.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from bot.base.clock import Clock
from bot.base.database import Database
from bot.base.errors import BadInput, Tampered
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.desk.integrations import repeats
from bot.desk.integrations.addresses import Reach, Target, target_of
from bot.desk.integrations.models import (
    SECRET,
    URL,
    DeliveryStatus,
    EndpointStatus,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from bot.desk.integrations.posting import Answered, post
from bot.desk.integrations.signing import headers

log = logging.getLogger(__name__)

DELAYS = tuple(timedelta(seconds=each) for each in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800))
"""How long after each failure the next try comes: about a day, all together."""
JITTER = 0.2
"""Each delay is longer or shorter by up to this part, so that what failed together does not come back together."""
REST_AFTER = timedelta(hours=24)
"""An endpoint that took nothing for so long is left alone until somebody switches it on."""
BREATH = timedelta(minutes=5)
"""The most that a failing endpoint is left alone between two tries."""
HOLD = timedelta(seconds=60)
"""How long a worker has an endpoint to itself; more than one post takes."""
AT_ONCE = 8
SERVE_S = 5.0
"""Seconds that one endpoint is served before others get their turn; the worker has to go round (`base/pulse.py`)."""
KEPT = timedelta(days=30)
SWEEP_EVERY = timedelta(hours=1)
GONE = 410

Post = Callable[[Target, bytes, dict[str, str], Reach], Answered]


@dataclass(frozen=True, repr=False)
class _Work:
    """A post to be made, with everything it needs."""

    delivery_id: int
    uid: str
    body: bytes
    url: str
    secrets: tuple[str, ...]


class WebhookRoom:
    """One process's posting; `tick` is called about once a second."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        holder: str,
        *,
        base: str,
        reach: Reach,
        send: Post = post,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`base` is where the console is, for links; `send` makes a post; `chance` is a number between 0 and 1."""
        self._database, self._vault, self._clock, self._holder = database, vault, clock, holder
        self._base, self._reach, self._send, self._chance = base.rstrip("/"), reach, send, chance
        self._swept: datetime | None = None

    def tick(self) -> int:
        """Post what is due; returns how many posts were made."""
        at = self._clock()
        if self._swept is None or at - self._swept >= SWEEP_EVERY or at < self._swept:
            self._swept = at
            self._sweep(at)
        with self._database.reading() as session:
            due = ready(session, at)
        if not due:
            return 0
        with ThreadPoolExecutor(min(AT_ONCE, len(due)), thread_name_prefix="webhooks") as pool:
            return sum(pool.map(self._serve, due))

    def _serve(self, endpoint_id: int) -> int:
        """Post to one endpoint for a while, if no other worker does."""
        made, end = 0, time.monotonic() + SERVE_S
        try:
            while time.monotonic() < end and self._hold(endpoint_id):
                work = self._next(endpoint_id)
                if work is None:
                    break
                answered = self._made(work)
                made += 1
                with self._database.writing() as session:
                    if not self._conclude(session, endpoint_id, work, answered):
                        break
        except Exception as failed:  # one broken endpoint must not keep the others waiting
            log.error("endpoint %d could not be served: %s", endpoint_id, type(failed).__name__)
        finally:
            self._let_go(endpoint_id)
        return made

    def _hold(self, endpoint_id: int) -> bool:
        at = self._clock()
        free = or_(WebhookEndpoint.held_until.is_(None), WebhookEndpoint.held_until <= at, WebhookEndpoint.holder == self._holder)
        mine = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, free)
        mine = mine.where(WebhookEndpoint.status == EndpointStatus.ACTIVE.value)
        with self._database.writing() as session:
            taken = mine.values(holder=self._holder, held_until=at + HOLD).returning(WebhookEndpoint.id)
            return session.scalar(taken) is not None

    def _let_go(self, endpoint_id: int) -> None:
        ours = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.holder == self._holder)
        with self._database.writing() as session:
            session.execute(ours.values(holder=None, held_until=None))

    def _next(self, endpoint_id: int) -> _Work | None:
        at = self._clock()
        with self._database.reading() as session:
            # What failed comes after what was not tried yet: an event that is always refused holds up its own case alone.
            due = _deliverable(at).where(WebhookDelivery.endpoint_id == endpoint_id)
            row = session.scalars(due.order_by(WebhookDelivery.next_at, WebhookDelivery.id).limit(1)).first()
            if row is None:
                return None
            endpoint, event = session.get_one(WebhookEndpoint, endpoint_id), session.get_one(WebhookEvent, row.event_id)
            if endpoint.not_before is not None and endpoint.not_before > at:
                return None
            former = endpoint.sealed_former if endpoint.former_until and endpoint.former_until > at else None
            sealed = [one for one in (endpoint.sealed_secret, former) if one]
            return _Work(
                row.id,
                event.uid,
                body_of(event, self._base),
                self._vault.open(endpoint.sealed_url, URL),
                tuple(self._vault.open(one, SECRET) for one in sealed),
            )

    def _made(self, work: _Work) -> Answered:
        try:
            target = target_of(work.url, self._reach)
        except (BadInput, Tampered):
            return Answered(problem="the address is not allowed")
        return self._send(target, work.body, headers(work.uid, self._clock(), work.body, work.secrets), self._reach)

    def _conclude(self, session: Session, endpoint_id: int, work: _Work, answered: Answered) -> bool:
        """Write down what came of it; returns whether the endpoint may be posted to again at once."""
        at = self._clock()
        endpoint = session.get(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
        row = session.get(WebhookDelivery, work.delivery_id, with_for_update=True, populate_existing=True)
        if endpoint is None or row is None or row.status != DeliveryStatus.WAITING:
            return endpoint is not None  # removed, or another worker was faster after we had been stopped
        row.attempts += 1
        row.tried_at, row.answered, row.problem = at, answered.status, answered.problem[:80]
        if answered.is_taken:
            move(row, DeliveryStatus.DELIVERED)
            row.ended_at = at
            endpoint.failures, endpoint.failing_since, endpoint.not_before, endpoint.problem = 0, None, None, ""
            endpoint.well_at = at
            return True
        self._failed(endpoint, row, answered, at)
        return False

    def _failed(self, endpoint: WebhookEndpoint, row: WebhookDelivery, answered: Answered, at: datetime) -> None:
        if row.attempts > len(DELAYS):
            move(row, DeliveryStatus.FAILED)
            row.ended_at = at
        else:
            row.next_at = at + self._jittered(DELAYS[row.attempts - 1])
        endpoint.failures += 1
        endpoint.failing_since = endpoint.failing_since or at
        endpoint.problem = answered.problem[:80]
        pause = min(self._jittered(DELAYS[min(endpoint.failures, len(DELAYS)) - 1]), BREATH)
        endpoint.not_before = at + max(pause, timedelta(seconds=answered.retry_after_s))
        is_over = answered.status == GONE or at - endpoint.failing_since >= REST_AFTER
        if is_over and endpoint.status == EndpointStatus.ACTIVE:
            move(endpoint, EndpointStatus.RESTING)
            log.error("endpoint %d took nothing for too long: it rests until somebody switches it on", endpoint.id)

    def _jittered(self, delay: timedelta) -> timedelta:
        return delay * (1 - JITTER + 2 * JITTER * self._chance())

    def _sweep(self, at: datetime) -> None:
        with self._database.writing() as session:
            repeats.sweep(session, at)
            waits = exists().where(
                WebhookDelivery.event_id == WebhookEvent.id, WebhookDelivery.status == DeliveryStatus.WAITING.value
            )
            old = select(WebhookEvent.id).where(WebhookEvent.at < at - KEPT, ~waits).limit(10_000)
            ids = session.scalars(old).all()
            for start in range(0, len(ids), 500):
                some = ids[start : start + 500]
                session.execute(delete(WebhookDelivery).where(WebhookDelivery.event_id.in_(some)))
                session.execute(delete(WebhookEvent).where(WebhookEvent.id.in_(some)))


def ready(session: Session, at: datetime) -> list[int]:
    """The endpoints that something is due for."""
    due = (
        _deliverable(at)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(WebhookEndpoint.status == EndpointStatus.ACTIVE.value)
        .where(or_(WebhookEndpoint.not_before.is_(None), WebhookEndpoint.not_before <= at))
        .with_only_columns(WebhookDelivery.endpoint_id)
        .distinct()
    )
    return list(session.scalars(due))


def body_of(event: WebhookEvent, base: str) -> bytes:
    """What is posted: the same bytes at every try."""
    link = {"link": f"{base}/desk/cases/{event.case_id}"} if event.case_id and base else {}
    document = {"type": event.type, "timestamp": event.at.isoformat(), "data": {**event.data, **link}}
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _deliverable(at: datetime) -> Any:
    """Posts that are due and behind none of the same case."""
    before = aliased(WebhookDelivery)
    earlier = exists().where(
        before.endpoint_id == WebhookDelivery.endpoint_id,
        before.case_id == WebhookDelivery.case_id,
        before.status == DeliveryStatus.WAITING.value,
        before.id < WebhookDelivery.id,
    )
    return select(WebhookDelivery).where(
        WebhookDelivery.status == DeliveryStatus.WAITING.value, WebhookDelivery.next_at <= at, ~earlier
    )
