"""The rows for programs: tokens, remembered requests, where events are posted and what became of each post."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.desk.models import Case
from bot.desk.staff.models import StaffAccount

URL = "webhook_endpoints.url"
SECRET = "webhook_endpoints.secret"  # noqa: S105 - what the seal is bound to
ANSWER = "api_requests.answer"
"""What sealed fields are bound to."""


class ApiToken(Base):
    """What a program shows; only its keyed hash is kept. Scopes stand with the account it acts as."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id), index=True)
    entry: Mapped[str] = mapped_column(String(80), unique=True)
    hint: Mapped[str] = mapped_column(String(8))  # its last signs, to tell two apart
    made_by: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = ({"sqlite_autoincrement": True},)  # the log names tokens by number


class ApiRequest(Base):
    """A writing request that named a key, with its answer: the same again is answered and not done."""

    __tablename__ = "api_requests"

    staff_id: Mapped[int] = mapped_column(ForeignKey(StaffAccount.id, ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of what the program named
    asked: Mapped[str] = mapped_column(String(64))  # SHA-256 of address and body
    status_code: Mapped[int] = mapped_column(default=0)
    sealed_answer: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(index=True)


class EndpointStatus(StrEnum):
    """Whether events are posted to an endpoint."""

    ACTIVE = "active"  # they are
    RESTING = "resting"  # it failed for a day: events are kept until somebody switches it on
    OFF = "off"  # somebody switched it off: nothing is kept for it


LISTENING = (EndpointStatus.ACTIVE, EndpointStatus.RESTING)
"""An endpoint in one of these has events laid down for it."""


class WebhookEndpoint(Base):
    """An address of another program that wants to hear of events."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    sealed_url: Mapped[str] = mapped_column(Text)  # such addresses often hold a secret
    events: Mapped[list[str]] = mapped_column(JSON)  # empty: all
    status: Mapped[str] = mapped_column(String(10), default=EndpointStatus.ACTIVE)
    sealed_secret: Mapped[str] = mapped_column(Text)
    sealed_former: Mapped[str | None] = mapped_column(Text)  # signs beside the new one for a while
    former_until: Mapped[datetime | None]
    made_by: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime]
    holder: Mapped[str | None] = mapped_column(String(60))  # the worker that posts to it now
    held_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    failing_since: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(80), default="")
    well_at: Mapped[datetime | None]  # when it last took something

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        EndpointStatus.ACTIVE: frozenset({EndpointStatus.RESTING, EndpointStatus.OFF}),
        EndpointStatus.RESTING: frozenset({EndpointStatus.ACTIVE, EndpointStatus.OFF}),
        EndpointStatus.OFF: frozenset({EndpointStatus.ACTIVE}),
    }

    __table_args__ = (one_of("status", EndpointStatus), {"sqlite_autoincrement": True})


class WebhookEvent(Base):
    """Something that happened, as it is told: codes, numbers and times, nobody's words."""

    __tablename__ = "webhook_events"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)  # the webhook-id: the same for every try
    type: Mapped[str] = mapped_column(String(40))
    case_id: Mapped[int | None] = mapped_column(ForeignKey(Case.id, ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(index=True)


class DeliveryStatus(StrEnum):
    """Where a post of an event to an endpoint is."""

    WAITING = "waiting"  # to be posted, again after a failure
    DELIVERED = "delivered"  # taken by the other side
    FAILED = "failed"  # given up after a day of tries; can be posted again by hand


class WebhookDelivery(Base):
    """One event for one endpoint: laid down with the event, in the same transaction."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("webhook_events.id", ondelete="CASCADE"), index=True)
    case_id: Mapped[int | None] = mapped_column(Key)
    status: Mapped[str] = mapped_column(String(10), default=DeliveryStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    answered: Mapped[int | None]  # the other side's status code, at the last try
    problem: Mapped[str] = mapped_column(String(80), default="")
    tried_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        DeliveryStatus.WAITING: frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}),
        DeliveryStatus.DELIVERED: frozenset({DeliveryStatus.WAITING}),
        DeliveryStatus.FAILED: frozenset({DeliveryStatus.WAITING}),
    }

    __table_args__ = (
        one_of("status", DeliveryStatus),
        Index(
            "ix_webhook_deliveries_waiting",
            "endpoint_id",
            "case_id",
            "id",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )


class ClockTold(Base):
    """A clock of a case whose warning or end was told, so that it is told once."""

    __tablename__ = "webhook_clocks"

    case_id: Mapped[int] = mapped_column(ForeignKey(Case.id, ondelete="CASCADE"), primary_key=True)
    clock: Mapped[str] = mapped_column(String(12), primary_key=True)
    state: Mapped[str] = mapped_column(String(10), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
