"""Accepts a Mail Send request: stores it once, and a row and a first step for each recipient."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from typing import Any

from simulator import faults, magic
from simulator.sendgrid.content import BYPASSES, is_on
from simulator.sendgrid.errors import SENDER, Refused
from simulator.sendgrid.validation import check, recipients
from simulator.world import World

PROCESSED_S = 0.1


def taken(world: World, body: object) -> dict[str, Any]:
    """The request when SendGrid takes it; raises Refused (docs: Mail Send, Errors; Sender Identity; Cancel Scheduled Sends)."""
    checked = check(body, world.clock.now())
    allowed = world.configuration.sendgrid.verified_domains
    domain = checked["from"]["email"].rpartition("@")[2].lower()
    if "*" not in allowed and domain not in {one.lower() for one in allowed}:
        raise Refused.single(403, SENDER, "from")
    batch = checked.get("batch_id")
    if batch is not None and world.store.one("SELECT 1 FROM batches WHERE id = ?", [str(batch)]) is None:
        raise Refused.single(400, "The batch_id is not valid.", "batch_id")
    group = (checked.get("asm") or {}).get("group_id")
    if group is not None and world.store.one("SELECT 1 FROM groups WHERE id = ?", [group]) is None:
        raise Refused.single(400, "The asm group_id does not exist.", "asm.group_id")
    return checked


def is_sandboxed(body: dict[str, Any]) -> bool:
    """Whether the request is only to be checked (docs: Sandbox Mode: 200 instead of 202)."""
    return is_on(body, "mail_settings", "sandbox_mode")


def accept(world: World, body: dict[str, Any]) -> str:
    """Store a checked request in the caller's transaction; returns its X-Message-Id."""
    now = world.clock.now()
    request = secrets.token_urlsafe(16)
    world.store.insert("requests", {"id": request, "body": json.dumps(body, ensure_ascii=False), "created": now})
    row = world.store.one("SELECT seq FROM sqlite_sequence WHERE name = 'mails'")
    first = (row["seq"] if row else 0) + 1
    shared = _shared(world, body)
    rows, steps = [], []
    for number, (position, kind, one) in enumerate(recipients(body), first):
        person = body["personalizations"][position]
        meta = {**shared, "kind": kind, "args": {**shared["args"], **(person.get("custom_args") or {})}}
        meta["key"] = world.faults.taken(one["email"].lower())
        rows.append(
            {
                "n": number,
                "request": request,
                "position": position,
                "patient": one["email"].lower(),
                "address": one["email"],
                "direction": "outbound",
                "meta": json.dumps(meta),
                "subject": person.get("subject") or body.get("subject") or "",
                "status": "accepted",
                "created": now,
                "updated": now,
            }
        )
        due = max(now, person.get("send_at") or body.get("send_at") or 0) + PROCESSED_S
        steps.append({"due": due, "kind": "mail", "subject": str(number), "detail": '{"event": "processed"}'})
    world.store.insert_all("mails", rows)
    world.store.insert_all("steps", steps)
    return request


def _shared(world: World, body: dict[str, Any]) -> dict[str, Any]:
    settings = world.configuration.sendgrid
    return {
        "args": body.get("custom_args") or {},
        "categories": body.get("categories") or [],
        "group": (body.get("asm") or {}).get("group_id"),
        "batch": body.get("batch_id"),
        "from": body["from"]["email"],
        "bypass": [name for name in BYPASSES if is_on(body, "mail_settings", name)],
        "open": is_on(body, "tracking_settings", "open_tracking", default=settings.open_tracking),
        "click": is_on(body, "tracking_settings", "click_tracking", default=settings.click_tracking),
    }


def forced(world: World, body: object) -> set[str]:
    """The API faults that a recipient of the request wants, looked for before anything is checked."""
    try:
        own = world.configuration.fates
        found = {magic.of_mail(one["email"], own) for _, _, one in recipients(body)}  # type: ignore[arg-type]
        return {name for name in found if name in faults.API}
    except (TypeError, KeyError, AttributeError):
        return set()


def first_recipient(body: object) -> str:
    """The address that stands for a request when faults are drawn."""
    try:
        return str(next(recipients(body))[2]["email"]).lower()[:320]  # type: ignore[arg-type]
    except (TypeError, KeyError, AttributeError, StopIteration):
        return ""


def fates_of(world: World, address: str) -> Collection[str]:
    """The callback faults an address always meets."""
    name = magic.of_mail(address, world.configuration.fates)
    return {name} if name in faults.CALLBACKS else set()
