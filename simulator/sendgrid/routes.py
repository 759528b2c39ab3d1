"""SendGrid's API as HTTP: Mail Send with its faults, batches, and the settings of the webhooks."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.doors import NotUnderstood, answer, json_of, object_of
from simulator.sendgrid import sending
from simulator.sendgrid.door import Limited, limit_headers, route
from simulator.sendgrid.errors import Refused
from simulator.sendgrid.suppression_routes import suppression_routes
from simulator.sendgrid.validation import recipients
from simulator.twilio.routes import patience
from simulator.world import World

REQUEST_MOST = 30 * 1024 * 1024
"""Docs: Mail Send, Limitations: 30 MB with attachments."""
EARLY_S = 0.8
PAUSED_MOST = 10
SCOPES = [
    "mail.send",
    "mail.batch.create",
    "mail.batch.read",
    "user.webhooks.event.settings.read",
    "suppression.read",
    "asm.groups.read",
]


async def _send(request: Request, world: World) -> Response:
    """Docs: Mail Send: 202 and X-Message-Id; 200 in sandbox mode; JSON only (415)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused.single(415, "Content-Type should be application/json.")
    body = await json_of(request, REQUEST_MOST)
    key = world.faults.taken(f"request:{sending.first_recipient(body)}")
    fault = world.faults.of_request(key, sending.forced(world, body))
    if fault == "burst_429":
        world.start_burst("sendgrid")
        raise Limited(limit_headers(world.configuration.sendgrid.mail_send_per_second, 0, _reset(world)))
    if fault == "error_500":
        raise Refused.single(500, "internal error")
    if fault == "hang":
        await patience(request, world.faults.hang_s)
    checked = sending.taken(world, body)
    if sending.is_sandboxed(checked):
        return Response(status_code=200)
    with world.store.transaction():
        identity = sending.accept(world, checked)
    world.store.prune(len(checked["personalizations"]))
    world.changed()
    if fault == "timeout_after_accept":
        await patience(request, world.faults.hang_s)
        return answer(Refused.single(504, "gateway timeout").content(), 504)
    if fault == "error_500_after_accept":
        raise Refused.single(500, "internal error")
    if world.faults.draw("early", key) or any("early" in sending.fates_of(world, one) for one in _addresses(checked)):
        await _hurry(world, identity)
    return Response(status_code=202, headers={"X-Message-Id": identity})


async def _hurry(world: World, identity: str) -> None:
    """Let the first events of a request overtake its answer."""
    world.store.run(
        "UPDATE steps SET due = 0 WHERE kind = 'mail' AND subject IN (SELECT n FROM mails WHERE request = ?)", [identity]
    )
    world.changed()
    await asyncio.sleep(EARLY_S)


def _addresses(body: dict[str, Any]) -> list[str]:
    return [one["email"] for _, _, one in recipients(body)]


def _reset(world: World) -> float:
    return time.time() + world.faults.burst_s + 1


# ---------------------------------------------------------------- batches (docs: Cancel Scheduled Sends)


async def _new_batch(request: Request, world: World) -> Any:
    identity = secrets.token_urlsafe(32)
    world.store.insert("batches", {"id": identity, "status": ""})
    return {"batch_id": identity}


async def _batch(request: Request, world: World) -> Any:
    row = world.store.one("SELECT id FROM batches WHERE id = ?", [request.path_params["batch"]])
    if row is None:
        raise Refused.single(400, "invalid batch id", "batch_id")
    return {"batch_id": row["id"]}


async def _set_batch(request: Request, world: World) -> Any:
    """Pause or cancel; at most ten batches at a time."""
    body = await object_of(request)
    batch, status = request.path_params.get("batch") or body.get("batch_id"), body.get("status")
    if status not in ("pause", "cancel"):
        raise Refused.single(400, "status must be pause or cancel", "status")
    row = world.store.one("SELECT status FROM batches WHERE id = ?", [str(batch)])
    if row is None:
        raise Refused.single(400, "invalid batch id", "batch_id")
    used = world.store.one("SELECT count(*) AS number FROM batches WHERE status <> ''")
    if not row["status"] and used and used["number"] >= PAUSED_MOST:
        raise Refused.single(400, "you may only have 10 batches paused or cancelled", "status")
    world.store.run("UPDATE batches SET status = ? WHERE id = ?", [status, str(batch)])
    world.changed()
    return None if request.method == "PATCH" else {"batch_id": batch, "status": status}


async def _batches(request: Request, world: World) -> Any:
    batch = request.path_params.get("batch")
    rows = world.store.all("SELECT * FROM batches WHERE status <> ''")
    return [{"batch_id": row["id"], "status": row["status"]} for row in rows if batch in (None, row["id"])]


async def _free_batch(request: Request, world: World) -> Any:
    if not world.store.run("UPDATE batches SET status = '' WHERE id = ? AND status <> ''", [request.path_params["batch"]]):
        raise Refused.single(404, "batch id not found", "batch_id")
    return None


# ---------------------------------------------------------------- settings


async def _scopes(request: Request, world: World) -> Any:
    """Docs: API Key Permissions, Retrieve a list of scopes."""
    return {"scopes": SCOPES}


async def _event_settings(request: Request, world: World) -> Any:
    """Docs: Webhooks, Event Webhook settings; a PATCH changes address and state."""
    if request.method == "PATCH":
        body = await object_of(request)
        url = body.get("url", world.configuration.sendgrid.event_url) if body.get("enabled", True) else ""
        _configure(world, {"event_url": url})
    settings = world.configuration.sendgrid
    kinds = (
        "group_resubscribe",
        "delivered",
        "group_unsubscribe",
        "spam_report",
        "bounce",
        "deferred",
        "unsubscribe",
        "processed",
        "open",
        "click",
        "dropped",
    )
    return {"enabled": bool(settings.event_url), "url": settings.event_url, **dict.fromkeys(kinds, True)}


async def _signed_settings(request: Request, world: World) -> Any:
    """Docs: Webhooks, Signed Event Webhook: the public key; a PATCH turns signing on and off."""
    if request.method == "PATCH":
        _configure(world, {"event_signed": (await object_of(request)).get("enabled") is True})
    return {"public_key": world.signer.public_key if world.configuration.sendgrid.event_signed else ""}


async def _parse_settings(request: Request, world: World) -> Any:
    """Docs: Inbound Parse settings."""
    if request.method == "POST":
        body = await object_of(request)
        _configure(world, {"parse_url": body.get("url", ""), "parse_is_raw": body.get("send_raw") is True})
    settings = world.configuration.sendgrid
    one = {"url": settings.parse_url, "hostname": "parse.example.test", "spam_check": True, "send_raw": settings.parse_is_raw}
    return one if request.method == "POST" else {"result": [one] if settings.parse_url else []}


def _configure(world: World, change: dict[str, Any]) -> None:
    try:
        world.configure({"sendgrid": change})
    except ValueError:
        raise NotUnderstood from None


def routes() -> list[Route]:
    """All doors of this provider."""
    hooks = "/v3/user/webhooks"
    return [
        route("/v3/mail/send", "POST", _send, is_send=True),
        route("/v3/mail/batch", "POST", _new_batch, 201),
        route("/v3/mail/batch/{batch}", "GET", _batch),
        route("/v3/user/scheduled_sends", "POST", _set_batch, 201),
        route("/v3/user/scheduled_sends", "GET", _batches),
        route("/v3/user/scheduled_sends/{batch}", "GET", _batches),
        route("/v3/user/scheduled_sends/{batch}", "PATCH", _set_batch, 204),
        route("/v3/user/scheduled_sends/{batch}", "DELETE", _free_batch, 204),
        route("/v3/scopes", "GET", _scopes),
        *(route(f"{hooks}/event/settings", method, _event_settings) for method in ("GET", "PATCH")),
        *(route(f"{hooks}/event/settings/signed", method, _signed_settings) for method in ("GET", "PATCH")),
        route(f"{hooks}/parse/settings", "GET", _parse_settings),
        route(f"{hooks}/parse/settings", "POST", _parse_settings, 201),
        *suppression_routes(),
    ]
