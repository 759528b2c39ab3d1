"""What one can do as the recipient, from the page or from a test: type back, report spam, bounce, leave, open."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from simulator.sendgrid import life, parse
from simulator.twilio import inbound
from simulator.world import World

EVENTS = ("open", "click", "spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe", "bounce")


class Impossible(ValueError):
    """This cannot be done; the text says why."""


def write(world: World, given: Mapping[str, Any]) -> str:
    """Send something as the recipient; `channel` is sms, whatsapp or email; returns its id; raises Impossible."""
    channel = given.get("channel")
    known = _known(parse.Typed if channel == "email" else inbound.Typed, given)
    try:
        with world.store.transaction():
            if channel == "email":
                identity = parse.receive(world, parse.Typed(**known))
            elif channel in ("sms", "whatsapp"):
                if channel == "whatsapp" and not str(known["to"]).startswith("whatsapp:"):
                    known["to"] = f"whatsapp:{known['to']}"
                identity = inbound.receive(world, inbound.Typed(**known))
            else:
                raise Impossible("`channel` must be sms, whatsapp or email")
    except (parse.CannotWrite, inbound.CannotWrite) as wrong:
        raise Impossible(str(wrong)) from None
    world.changed()
    return identity


def _known(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a kind out of a JSON object, each of its right type; raises Impossible."""
    texts = {
        "patient",
        "to",
        "subject",
        "text",
        "html",
        "name",
        "in_reply_to",
        "kind",
        "charset",
        "spf",
        "dkim",
        "profile",
        "button",
        "sid",
    }
    found: dict[str, Any] = {}
    for name in kind.__dataclass_fields__:  # type: ignore[attr-defined]
        value = given.get(name)
        if value is None:
            continue
        if name in texts and not isinstance(value, str):
            raise Impossible(f"`{name}` must be a text")
        found[name] = value
    if not found.get("patient") or not found.get("to"):
        raise Impossible("`patient` and `to` are needed")
    if not _is_map(found.get("headers", {})) or not _is_list(found.get("attachments", []), _is_map):
        raise Impossible("`headers` and `attachments` must hold texts")
    if not _is_list(found.get("media", []), lambda one: isinstance(one, str)):
        raise Impossible("`media` must be a list of content types")
    times = found.get("times", 1)
    if not isinstance(times, int) or not 1 <= times <= 100:
        raise Impossible("`times` must be a whole number from 1 to 100")
    if "place" in found:
        found["place"] = _place(found["place"])
    return found


def _place(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(one, int | float) for one in value):
        raise Impossible("`place` must be [latitude, longitude]")
    return float(value[0]), float(value[1])


def _is_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _is_list(value: object, fits: Any) -> bool:
    return isinstance(value, list) and len(value) <= 10 and all(fits(one) for one in value)


def mark(world: World, number: int, event: str) -> None:
    """Let something happen to a delivered e-mail; raises Impossible (docs: Event Webhook Reference; Tracking Settings)."""
    row = _mail(world, number)
    meta = json.loads(row["meta"])
    if event not in EVENTS:
        raise Impossible(f"`event` must be one of {', '.join(EVENTS)}")
    if row["status"] != "delivered":
        raise Impossible("only what was delivered can be opened, reported, left or bounced late")
    if event in ("open", "click") and not meta[event]:
        raise Impossible(f"{event} tracking is off for this e-mail, so SendGrid would not know")
    if event.startswith("group_") and not meta["group"]:
        raise Impossible("this e-mail has no unsubscribe group")
    detail: dict[str, Any] = {"useragent": "Mozilla/5.0 (simulator)", "ip": "192.0.2.77"} if event in ("open", "click") else {}
    if event == "click":
        detail["url"] = "https://example.test/"
    with world.store.transaction():
        life.happen(world, row, event, life.NO_MAILBOX if event == "bounce" else detail)
    world.changed()


def _mail(world: World, number: int) -> sqlite3.Row:
    row = world.store.one("SELECT * FROM mails WHERE n = ? AND direction = 'outbound'", [number])
    if row is None:
        raise Impossible("there is no such e-mail")
    return row
