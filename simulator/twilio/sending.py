"""Accepts a message: chooses the sender, keeps its line and limits, and lays down what will happen to it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from simulator import faults, magic
from simulator.configuration import Sender, plain
from simulator.twilio import optout
from simulator.twilio.errors import Refused
from simulator.twilio.segments import cut, smart
from simulator.twilio.status import Status
from simulator.twilio.validation import Wanted
from simulator.world import World, new_sid

LINE_MOST_S = 36_000.0
"""Docs: Rate limits and message queues: a sender's line holds ten hours of its throughput."""
LATE_S = 4 * 86_400.0
HANDSET_ERRORS = {
    "unreachable": 30003,
    "blocked": 30004,
    "unknown_number": 30005,
    "landline": 30006,
    "spam_filter": 30007,
    "carrier_error": 30008,
    "no_whatsapp": 63003,
    "whatsapp_limit": 63032,
    "whatsapp_refused": 63049,
}
HANDSET_CODES = {*HANDSET_ERRORS.values(), 63014, 63024}
OWN_ERRORS = {"overflow": 30001, "expired": 30036, "provider_error": 30500, "whatsapp_rate": 63018}
WHATSAPP_ONLY = {"no_whatsapp", "whatsapp_rate", "whatsapp_limit", "whatsapp_refused"}
SMS_ONLY = {"landline", "spam_filter", "overflow", "expired"}


@dataclass(frozen=True)
class Step:
    """A change to come: in how many seconds, to which status (none: it merely arrives), with which error, and does it arrive."""

    after: float
    status: Status | None
    error: int = 0
    arrives: bool = False


def accept(world: World, wanted: Wanted, key: str) -> dict[str, Any]:
    """Store a message and its future in the caller's transaction; returns its row; raises Refused."""
    sender = _sender(world, wanted)
    _not_opted_out(world, wanted, sender)
    body = smart(wanted.body) if wanted.smart else wanted.body
    size = cut(body).segments if wanted.channel == "sms" else 1
    is_pooled = wanted.sender is None
    wait = (wanted.send_at - world.clock.now() if wanted.send_at else 0.0) + _queue(world, wanted, sender, size)
    steps = plan(world, wanted, key, wait=wait)
    first = Status.SCHEDULED if wanted.send_at else Status.ACCEPTED if is_pooled else Status.QUEUED
    row = _row(world, wanted, sender, body=body, segments=size, first=first, key=key)
    world.store.insert("texts", row)
    now = world.clock.now()
    world.store.insert_all("steps", [queued_step(row["sid"], now, step) for step in steps])
    return row


def plan(world: World, wanted: Wanted, key: str, *, wait: float) -> list[Step]:
    """The statuses to come, with their times: as the limits, the recipient's fate and the faults want it."""
    starts = [Step(wanted.send_at - world.clock.now(), Status.ACCEPTED)] if wanted.send_at else []
    if wanted.sender is None:
        starts.append(Step(starts[-1].after + 0.1 if starts else 0.1, Status.QUEUED))
    base = starts[-1].after if starts else 0.0
    fault = _fault(world, wanted, key)
    failure = _failure(world, wanted, fault, wait - base)
    if failure:
        return [*starts, Step(base + failure.after, Status.FAILED, failure.error)]
    sending = max(wait, base + 0.1)
    steps = [*starts, Step(sending, Status.SENDING), Step(sending + 0.2, Status.SENT)]
    arrival = sending + 0.8 + 2.0 * world.faults.share("arrival", key)
    error = _own_code(world, wanted) or HANDSET_ERRORS.get(fault or "")
    if error:
        return [*steps, Step(arrival + 1.0, Status.UNDELIVERED, error)]
    if fault == "silent":
        return [*steps, Step(arrival, None, arrives=True)]
    if fault == "late":
        arrival += LATE_S
    steps.append(Step(arrival, Status.DELIVERED, arrives=True))
    if wanted.channel == "whatsapp" and world.faults.share("reads", key) < 0.7:
        steps.append(Step(arrival + 5.0 + 60.0 * world.faults.share("reads_after", key), Status.READ))
    return steps


def _failure(world: World, wanted: Wanted, fault: str | None, wait: float) -> Step | None:
    """How Twilio itself gives up, in how many seconds from when the message is queued; or none."""
    code = _own_code(world, wanted)
    if code and code not in HANDSET_CODES:
        return Step(0.3, Status.FAILED, code)
    if fault == "expired" or (wait > wanted.validity_s and fault not in OWN_ERRORS):
        return Step(wanted.validity_s, Status.FAILED, OWN_ERRORS["expired"])
    if fault in OWN_ERRORS:
        return Step(0.3, Status.FAILED, OWN_ERRORS[fault])
    return Step(max(wait, 0.0) + 0.3, Status.FAILED, 63016) if is_outside_window(world, wanted) else None


def _own_code(world: World, wanted: Wanted) -> int:
    fate = magic.of_number(plain(wanted.recipient), world.configuration.fates)
    return fate.code if fate else 0


def is_outside_window(world: World, wanted: Wanted) -> bool:
    """Whether WhatsApp will refuse it: no approved template, and 24 hours since the patient wrote (docs: Error 63016)."""
    if wanted.channel != "whatsapp" or (wanted.content and wanted.content["is_approved"]):
        return False
    statement = "SELECT max(at) AS at FROM windows WHERE recipient = ? AND ? IN (sender, '')"
    row = world.store.one(statement, [wanted.recipient, wanted.sender or ""])
    last = row["at"] if row else None
    return last is None or world.clock.now() - last > world.configuration.twilio.whatsapp_window_s


def forced(world: World, number: str) -> set[str]:
    """The faults a recipient always meets."""
    fate = magic.of_number(plain(number), world.configuration.fates)
    return {fate.name} if fate and not fate.code else set()


def _fault(world: World, wanted: Wanted, key: str) -> str | None:
    barred = SMS_ONLY if wanted.channel == "whatsapp" else WHATSAPP_ONLY
    names = [name for name in (*faults.TEXTS, *faults.BOTH) if name not in barred]
    fixed = next((name for name in names if name in forced(world, wanted.recipient)), None)
    return fixed or world.faults.first(names, key)


def _sender(world: World, wanted: Wanted) -> Sender:
    """The sender named, or the pool's: the one this recipient had before (docs: Messaging Services, Sticky Sender)."""
    twilio = world.configuration.twilio
    if wanted.sender or wanted.service is None:
        return twilio.sender(wanted.sender or "") or Sender(number=wanted.sender or magic.WORKING_SENDER, mps=1_000)
    is_whatsapp = wanted.channel == "whatsapp"
    pool = [
        found for name in wanted.service.senders if (found := twilio.sender(name)) and (found.kind == "whatsapp") == is_whatsapp
    ]
    if not pool:
        raise Refused(21703, plain(wanted.recipient))
    sid = wanted.service.sid
    row = world.store.one("SELECT sender FROM sticky WHERE service = ? AND recipient = ?", [sid, wanted.recipient])
    kept = next((sender for sender in pool if row and sender.number == row["sender"]), None)
    chosen = kept or pool[int(world.faults.share("pool", wanted.recipient) * len(pool))]
    if kept is None:
        world.store.run("INSERT OR REPLACE INTO sticky VALUES (?, ?, ?)", [sid, wanted.recipient, chosen.number])
    return chosen


def _not_opted_out(world: World, wanted: Wanted, sender: Sender) -> None:
    if optout.is_out(world, sender.number, wanted.recipient):
        raise Refused(21610)


def _queue(world: World, wanted: Wanted, sender: Sender, segments: int) -> float:
    """Put a message into its sender's line; returns its wait in seconds (docs: Rate limits and message queues; 21611, 30001)."""
    if wanted.send_at:
        return 0.0
    now = world.clock.now()
    row = world.store.one("SELECT free FROM lines WHERE sender = ?", [sender.number])
    free = max(now, row["free"] if row else now)
    if free - now > LINE_MOST_S and wanted.sender:
        raise Refused(21611, sender.number)
    after = free + segments / sender.mps
    world.store.run("INSERT OR REPLACE INTO lines VALUES (?, ?)", [sender.number, after])
    return free - now


def queued_step(sid: str, now: float, step: Step) -> dict[str, Any]:
    """The row under which a step waits for its time."""
    detail = {"status": step.status, "error": step.error, "arrives": step.arrives}
    return {"due": now + step.after, "kind": "text", "subject": sid, "detail": json.dumps(detail)}


def _row(world: World, wanted: Wanted, sender: Sender, **more: Any) -> dict[str, Any]:
    now = world.clock.now()
    service = wanted.service
    extra: dict[str, Any] = {"key": more["key"], **wanted.retention}
    if wanted.content:
        extra["content"] = wanted.content["sid"]
    if wanted.sender is None:
        extra["pooled"] = True
    return {
        "sid": new_sid("MM" if wanted.media else "SM"),
        "channel": wanted.channel,
        "direction": "outbound-api",
        "sender": sender.number,
        "recipient": wanted.recipient,
        "body": more["body"],
        "status": more["first"],
        "segments": more["segments"],
        "service": service.sid if service else None,
        "callback": wanted.callback or (service.status_callback if service else "") or sender.status_callback,
        "media": json.dumps(wanted.media),
        "extra": json.dumps(extra),
        "created": now,
        "updated": now,
        "patient": plain(wanted.recipient),
    }


def fates_of(world: World, number: str) -> Collection[str]:
    """The callback faults a recipient always meets."""
    return forced(world, number) & set(faults.CALLBACKS)
