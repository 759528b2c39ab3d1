"""Moves messages through their statuses as time passes, delivers them, and tells the customer by status callback."""

from __future__ import annotations

import json
import logging
import sqlite3
from datetime import UTC, datetime
from typing import Any

from simulator.configuration import plain
from simulator.courier import TWILIO, Letter, copies, send
from simulator.twilio.sending import fates_of
from simulator.twilio.status import MOVES, Status
from simulator.world import World

log = logging.getLogger(__name__)

PRICES = {"sms": 0.0485, "whatsapp": 0.0352}
"""US$ a segment or message; invented, only the form is Twilio's (docs: Messages resource, price)."""


def step(world: World, due: sqlite3.Row) -> None:
    """Take one step of a message's life; a message that was deleted or canceled takes none."""
    row = world.store.one("SELECT * FROM texts WHERE sid = ?", [due["subject"]])
    if row is None:
        return
    detail = json.loads(due["detail"])
    if detail["status"] is None or Status(detail["status"]) in MOVES[Status(row["status"])]:
        if detail["arrives"]:
            deliver(world, row)
        if detail["status"] is not None:
            move(world, row, Status(detail["status"]), error=detail["error"] or None)


def move(world: World, row: sqlite3.Row, to: Status, *, error: int | None = None) -> None:
    """Set a message's status and post its callback."""
    now = world.clock.now()
    price = row["price"]
    if to is Status.SENT:
        price = f"-{PRICES[row['channel']] * row['segments']:.5f}"
    sent = now if to is Status.SENT else row["sent"]
    world.store.run(
        "UPDATE texts SET status = ?, error = ?, price = ?, sent = ?, updated = ? WHERE sid = ?",
        [to, error, price, sent, now, row["sid"]],
    )
    if row["callback"]:
        key = json.loads(row["extra"]).get("key", row["sid"])
        letter = Letter(TWILIO, row["callback"], callback_form(world, row, to, error), row["sid"], to)
        send(world, letter, waits=copies(world, key, to, fates_of(world, row["recipient"])))


def callback_form(world: World, row: sqlite3.Row, status: Status, error: int | None) -> dict[str, str]:
    """The parameters of a status callback (docs: Outbound Message Status in Status Callbacks)."""
    form = {
        "AccountSid": world.credentials.twilio_account_sid,
        "ApiVersion": "2010-04-01",
        "From": row["sender"],
        "To": row["recipient"],
        "MessageSid": row["sid"],
        "SmsSid": row["sid"],
        "MessageStatus": str(status),
        "SmsStatus": str(status),
    }
    if row["service"]:
        form["MessagingServiceSid"] = row["service"]
    if error:
        form["ErrorCode"] = str(error)
    if row["channel"] == "whatsapp":
        form |= {"ChannelPrefix": "whatsapp", "ChannelToAddress": row["recipient"], "ChannelInstallSid": "XE" + "0" * 32}
        if status in (Status.DELIVERED, Status.READ):
            form["EventType"] = str(status).upper()
    elif status in (Status.DELIVERED, Status.UNDELIVERED):
        form["RawDlrDoneDate"] = datetime.fromtimestamp(world.clock.now(), UTC).strftime("%y%m%d%H%M")
    return form


def deliver(world: World, row: sqlite3.Row) -> None:
    """The handset has it: write it into the delivery log, which no callback fault can touch."""
    extra = json.loads(row["extra"])
    tags: dict[str, Any] = {"segments": row["segments"], "callback": row["callback"], "service": row["service"]}
    if "content" in extra:
        tags["content"] = extra["content"]
    world.store.insert(
        "deliveries",
        {
            "at": world.clock.now(),
            "channel": row["channel"],
            "id": row["sid"],
            "recipient": plain(row["recipient"]),
            "sender": row["sender"],
            "subject": "",
            "text": row["body"],
            "tags": json.dumps(tags),
        },
    )
    kept = {name: extra.get(name) for name in ("ContentRetention", "AddressRetention")}
    if kept["ContentRetention"] == "discard":
        # The phone still shows it; Twilio forgets it (docs: Messages resource, ContentRetention).
        extra["phone"] = row["body"]
        world.store.run("UPDATE texts SET body = '', extra = ? WHERE sid = ?", [json.dumps(extra), row["sid"]])
