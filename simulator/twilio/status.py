"""The life of a message: which status may follow which (docs: Messages resource, Message Status values)."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Statuses of an outgoing message, and the one of an incoming message."""

    ACCEPTED = "accepted"  # by a Messaging Service, which has yet to choose a sender
    SCHEDULED = "scheduled"  # for SendAt
    QUEUED = "queued"  # in the sender's line
    SENDING = "sending"  # being handed to the carrier
    SENT = "sent"  # with the carrier
    DELIVERED = "delivered"  # the handset has it
    UNDELIVERED = "undelivered"  # the carrier gave up
    FAILED = "failed"  # Twilio gave up
    READ = "read"  # WhatsApp's blue ticks
    CANCELED = "canceled"  # by the customer, before it was sent
    RECEIVED = "received"  # incoming


MOVES: dict[Status, frozenset[Status]] = {
    Status.SCHEDULED: frozenset({Status.ACCEPTED, Status.CANCELED}),
    Status.ACCEPTED: frozenset({Status.QUEUED, Status.FAILED, Status.CANCELED}),
    Status.QUEUED: frozenset({Status.SENDING, Status.FAILED, Status.CANCELED}),
    Status.SENDING: frozenset({Status.SENT, Status.FAILED}),
    Status.SENT: frozenset({Status.DELIVERED, Status.UNDELIVERED}),
    Status.DELIVERED: frozenset({Status.READ}),
    Status.UNDELIVERED: frozenset(),
    Status.FAILED: frozenset(),
    Status.READ: frozenset(),
    Status.CANCELED: frozenset(),
    Status.RECEIVED: frozenset(),
}
UNFINISHED = frozenset({Status.ACCEPTED, Status.SCHEDULED, Status.QUEUED, Status.SENDING})
"""While in one of these a message can be neither redacted nor deleted."""
CANCELABLE = frozenset({Status.ACCEPTED, Status.SCHEDULED, Status.QUEUED})
