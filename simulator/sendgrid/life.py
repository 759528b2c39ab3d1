"""Moves e-mails through their events as time passes, delivers them, and gathers the events for the Event Webhook.

Docs: Event Webhook Reference (delivery and engagement events, bounce types and classifications).
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import Any

from simulator import faults, magic
from simulator.courier import EVENTS, Letter, copies, note, send
from simulator.sendgrid import suppressions
from simulator.sendgrid.sending import fates_of
from simulator.world import World

BATCH_MOST = 1_000
PAUSE_LAPSES_S = 72 * 3_600.0
LATE_S = 4 * 86_400.0
IP = "192.0.2.25"
NO_MAILBOX = {
    "type": "bounce",
    "status": "5.1.1",
    "bounce_classification": "Invalid Address",
    "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
}
REFUSED = {
    "type": "blocked",
    "status": "5.7.1",
    "bounce_classification": "Reputation",
    "reason": "554 5.7.1 Message refused by local policy",
}
FULL = {
    "type": "blocked",
    "status": "5.2.2",
    "bounce_classification": "Mailbox Unavailable",
    "reason": "552 5.2.2 The mailbox is full",
}
FULL_YET = {"response": "452 4.2.2 The mailbox is full"}
TRY_LATER = {"response": "451 4.7.1 Please try again later"}
MOVES = {
    "accepted": {"processed", "dropped", "canceled"},
    "processed": {"deferred", "delivered", "bounce", "dropped"},
    "deferred": {"deferred", "delivered", "bounce"},
    "delivered": {"open", "click", "spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe", "bounce"},
}
"""Which event may follow which status; what the recipient does later leaves the status delivered."""

Plan = list[tuple[float, str, dict[str, Any]]]


def step(world: World, due: sqlite3.Row) -> None:
    """Take one step of an e-mail's life."""
    row = world.store.one("SELECT * FROM mails WHERE n = ?", [int(due["subject"])])
    if row is None:
        return
    detail = json.loads(due["detail"])
    event = detail.pop("event")
    if event == "processed":
        _process(world, row)
    elif event == "arrive":
        deliver(world, row)
    elif event in MOVES.get(row["status"], set()):
        if event == "delivered":
            deliver(world, row)
        happen(world, row, event, detail)


def _process(world: World, row: sqlite3.Row) -> None:
    """Docs: Cancel Scheduled Sends (a batch); Suppressions (dropped)."""
    now, meta = world.clock.now(), json.loads(row["meta"])
    batch = world.store.one("SELECT status FROM batches WHERE id = ?", [meta["batch"]]) if meta["batch"] else None
    if batch and (batch["status"] == "cancel" or (batch["status"] == "pause" and now - row["created"] > PAUSE_LAPSES_S)):
        world.store.run("UPDATE mails SET status = 'canceled', updated = ? WHERE n = ?", [now, row["n"]])
        return
    if batch and batch["status"] == "pause":
        _later(world, row["n"], [(60.0, "processed", {})])
        return
    reason = suppressions.reason_to_drop(world, row["patient"], meta["group"], meta["bypass"])
    if reason:
        happen(world, row, "dropped", {"reason": reason})
        return
    happen(world, row, "processed", {})
    _later(world, row["n"], plan(world, row["address"], meta))


def plan(world: World, address: str, meta: dict[str, Any]) -> Plan:
    """The events to come after `processed`: as the recipient's fate and the faults want it."""
    key = meta["key"]
    names = (*faults.MAILS, *faults.BOTH)
    fate = magic.of_mail(address, world.configuration.fates)
    fault = fate if fate in names else world.faults.first(names, key)
    soon = 0.5 + 2.0 * world.faults.share("arrival", key)
    leaves = "group_unsubscribe" if meta["group"] else "unsubscribe"
    plans: dict[str | None, Plan] = {
        "bounce": [(soon, "bounce", NO_MAILBOX)],
        "block": [(soon, "bounce", REFUSED)],
        "mailbox_full": [
            *((wait, "deferred", {**FULL_YET, "attempt": str(place)}) for place, wait in enumerate((soon, 300.0, 1_800.0), 1)),
            (3_600.0, "bounce", FULL),
        ],
        "invalid": [(soon, "dropped", {"reason": "Invalid"})],
        "defer": [(soon, "deferred", {**TRY_LATER, "attempt": "1"}), (600.0, "delivered", {})],
        "spam_report": [(soon, "delivered", {}), (soon + 30.0, "spamreport", {})],
        "unsubscribe": [(soon, "delivered", {}), (soon + 30.0, leaves, {})],
        "silent": [(soon, "arrive", {})],
        "late": [(LATE_S, "delivered", {})],
    }
    return plans.get(fault, [(soon, "delivered", {})])


def _later(world: World, number: int, plan: Plan) -> None:
    now = world.clock.now()
    world.store.insert_all(
        "steps",
        [
            {"due": now + wait, "kind": "mail", "subject": str(number), "detail": json.dumps({"event": event, **detail})}
            for wait, event, detail in plan
        ],
    )


def happen(world: World, row: sqlite3.Row, event: str, detail: dict[str, Any]) -> None:
    """Set an e-mail's status, keep the suppression that follows, and hand the event to the webhook."""
    now, meta = world.clock.now(), json.loads(row["meta"])
    if event in ("processed", "deferred", "delivered", "bounce", "dropped"):
        world.store.run("UPDATE mails SET status = ?, updated = ? WHERE n = ?", [event, now, row["n"]])
    suppressions.follow(world, row["patient"], event, detail, meta["group"])
    full = {**_event(row, meta, event, int(now)), **detail}
    if event == "delivered":
        full |= {"response": "250 OK", "tls": 1}
    if event in ("delivered", "deferred", "bounce"):
        full["ip"] = IP
    waits = copies(world, meta["key"], event, fates_of(world, row["address"]))
    if not waits:
        note(world, EVENTS, world.configuration.sendgrid.event_url, row["request"], problem="lost by a fault")
    gathered = now + world.configuration.sendgrid.batch_wait_s
    rows = [{"due": gathered + wait, "event": json.dumps(_repeated(full, place))} for place, wait in enumerate(waits)]
    world.store.insert_all("events", rows)


def _event(row: sqlite3.Row, meta: dict[str, Any], event: str, at: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        **meta["args"],
        "email": row["address"],
        "timestamp": at,
        "smtp-id": f"<{row['request']}@geopod-ismtpd-simulator>",
        "event": event,
        "sg_event_id": secrets.token_urlsafe(18),
        "sg_message_id": f"{row['request']}.recvd-simulator-{row['position']}-{row['n']:X}.0",
    }
    if meta["categories"]:
        found["category"] = meta["categories"]
    if meta["group"]:
        found["asm_group_id"] = meta["group"]
    return found


def _repeated(event: dict[str, Any], place: int) -> dict[str, Any]:
    """Every other repeat comes under a new sg_event_id, as customers of SendGrid have seen it happen."""
    return {**event, "sg_event_id": secrets.token_urlsafe(18)} if place % 2 else event


def deliver(world: World, row: sqlite3.Row) -> None:
    """The mailbox has it: write it into the delivery log, which no webhook fault can touch."""
    meta = json.loads(row["meta"])
    world.store.insert(
        "deliveries",
        {
            "at": world.clock.now(),
            "channel": "email",
            "id": row["request"],
            "recipient": row["patient"],
            "sender": meta["from"],
            "subject": row["subject"],
            "text": "",
            "tags": json.dumps({**meta["args"], "mail": row["n"]}),
        },
    )


def gather(world: World) -> bool:
    """Put the events that are due into posts of up to a thousand; returns whether there were any."""
    now, settings = world.clock.now(), world.configuration.sendgrid
    if world.store.one("SELECT 1 FROM events WHERE due <= ? LIMIT 1", [now]) is None:
        return False
    statement = "SELECT * FROM events WHERE due <= ? ORDER BY due, n LIMIT ?"
    rows = world.store.all(statement, [now + settings.batch_wait_s, BATCH_MOST])
    with world.store.transaction():
        world.store.db.executemany("DELETE FROM events WHERE n = ?", [[row["n"]] for row in rows])
        events = [json.loads(row["event"]) for row in rows]
        send(world, Letter(EVENTS, settings.event_url, events, events[0]["sg_message_id"].partition(".")[0]))
    return True
