"""Content templates for WhatsApp and their approval (docs: Content API, Content resource and Approval requests).

Meta takes 24 to 48 hours to approve; a test would not wait, so the simulator approves at once. The control API sets the other
states.
"""

from __future__ import annotations

import json
from typing import Any

from simulator.clock import iso
from simulator.doors import NotUnderstood, loaded
from simulator.twilio.errors import Refused
from simulator.world import World, new_sid

STATES = ("unsubmitted", "received", "pending", "approved", "rejected", "paused", "disabled")


def create(world: World, body: bytes) -> dict[str, Any]:
    """Store a template and return it; raises Refused or NotUnderstood."""
    given = loaded(body)
    if not isinstance(given, dict):
        raise NotUnderstood
    types, variables = given.get("types"), given.get("variables") or {}
    if not isinstance(types, dict):
        raise Refused(20001, "types")
    types = {kind: content for kind, content in types.items() if isinstance(content, dict)}
    first: dict[str, Any] = next(iter(types.values()), {})
    text = first.get("body")
    if not isinstance(text, str) or not text:
        raise Refused(20001, "types: a body is needed")
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise Refused(20001, "variables")
    return store(
        world,
        body=text,
        types=types,
        variables=variables,
        name=str(given.get("friendly_name") or "")[:200],
        language=str(given.get("language") or "en")[:20],
    )


def store(world: World, *, body: str, approval: str = "unsubmitted", sid: str = "", **more: Any) -> dict[str, Any]:
    """Keep a template under a SID (a new one when none is given)."""
    sid = sid or new_sid("HX")
    content = {"types": {"twilio/text": {"body": body}}, "variables": {}, "name": "", "language": "en", **more}
    kept = json.dumps({**content, "body": body, "approval": approval})
    with world.store.transaction():
        world.store.run("INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", [sid, kept, world.clock.now()])
    return fetch(world, sid)


def known(world: World, sid: str) -> dict[str, Any] | None:
    """What is kept of a template: one that was made, or one of the configuration."""
    row = world.store.one("SELECT * FROM contents WHERE sid = ?", [sid])
    if row is not None:
        return {**json.loads(row["content"]), "created": row["created"]}
    owned = next((one for one in world.configuration.twilio.templates if one.sid == sid), None)
    if owned is None:
        return None
    types = {"twilio/text": {"body": owned.body}}
    given = {"name": "", "language": owned.language, "body": owned.body, "approval": owned.approval}
    return {"types": types, "variables": {}, "created": 0.0, **given}


def fetch(world: World, sid: str) -> dict[str, Any]:
    """One template; raises Refused."""
    content = known(world, sid)
    if content is None:
        raise Refused(20404, f"/Content/{sid}")
    url = f"{world.origin}/v1/Content/{sid}"
    return {
        "sid": sid,
        "account_sid": world.credentials.twilio_account_sid,
        "friendly_name": content["name"],
        "language": content["language"],
        "variables": content["variables"],
        "types": content["types"],
        "url": url,
        "date_created": iso(content["created"]),
        "date_updated": iso(content["created"]),
        "links": {"approval_fetch": f"{url}/ApprovalRequests", "approval_create": f"{url}/ApprovalRequests/whatsapp"},
    }


def listed(world: World) -> dict[str, Any]:
    """All templates, on one page."""
    made = [row["sid"] for row in world.store.all("SELECT sid FROM contents ORDER BY created DESC LIMIT 500")]
    sids = dict.fromkeys([*made, *(one.sid for one in world.configuration.twilio.templates)])
    url = f"{world.origin}/v1/Content"
    page = {"page": 0, "page_size": 500, "first_page_url": url, "next_page_url": None, "previous_page_url": None, "url": url}
    return {"meta": {**page, "key": "contents"}, "contents": [fetch(world, sid) for sid in sids]}


def approval(world: World, sid: str) -> dict[str, Any]:
    """The state of a template's approval; raises Refused."""
    content = known(world, sid)
    if content is None:
        raise Refused(20404, f"/Content/{sid}")
    state = {"status": content["approval"], "name": content["name"], "category": content.get("category", "UTILITY")}
    return {
        "sid": sid,
        "account_sid": world.credentials.twilio_account_sid,
        "url": f"{world.origin}/v1/Content/{sid}/ApprovalRequests",
        "whatsapp": {"type": "whatsapp", "content_type": next(iter(content["types"])), "rejection_reason": "", **state},
    }


def ask_approval(world: World, sid: str, body: bytes) -> dict[str, Any]:
    """Submit a template; the simulator approves at once; raises Refused or NotUnderstood."""
    given = loaded(body)
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise Refused(20001, "name")
    set_approval(world, sid, "approved", name=given["name"][:200], category=str(given.get("category") or "UTILITY")[:40])
    found: dict[str, Any] = approval(world, sid)["whatsapp"]
    return found


def set_approval(world: World, sid: str, state: str, **more: Any) -> None:
    """Put a template's approval into a state; raises Refused."""
    content = known(world, sid)
    if content is None:
        raise Refused(20404, f"/Content/{sid}")
    if state not in STATES:
        raise Refused(20001, "approval")
    created = content.pop("created")
    kept = json.dumps({**content, "approval": state, **more})
    with world.store.transaction():
        world.store.run("INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", [sid, kept, created])
