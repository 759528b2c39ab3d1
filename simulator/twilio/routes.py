"""Twilio's API as HTTP: authentication, limits, faults, and the resources under one account."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.doors import NotUnderstood, TooLarge, answer, basic_of, body_of, form_of, same, world_of
from simulator.twilio import contents
from simulator.twilio.errors import SENTENCES, Refused
from simulator.twilio.resource import listed, shown
from simulator.twilio.sending import accept, fates_of, forced
from simulator.twilio.status import CANCELABLE, UNFINISHED, Status
from simulator.twilio.validation import Form, check
from simulator.world import World, new_sid

ROOT = "/2010-04-01/Accounts/{account}"
Door = Callable[[Request, World], Awaitable[Response]]
EARLY_S = 0.8
PIXEL = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")


def _guarded(door: Door, *, inside_account: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """A door behind authentication (docs: API authentication), concurrency limit and bursts of 429 (docs: Error 20429)."""

    async def guarded(request: Request) -> Response:
        world = world_of(request)
        running = world.enter("twilio")
        try:
            if not _knows(world, request, inside_account):
                raise Refused(20003)
            if world.burst_left_s("twilio") or running > world.configuration.twilio.concurrency:
                raise Refused(20429)
            response = await door(request, world)
        except Refused as refused:
            response = answer(refused.content(), refused.status)
        except TooLarge:
            response = answer({"code": 20001, "message": "Request entity too large", "more_info": "", "status": 413}, 413)
        except NotUnderstood:
            response = answer(Refused(20001, "the body is not an urlencoded form in UTF-8").content(), 400)
        finally:
            world.leave("twilio")
        response.headers["Twilio-Request-Id"] = new_sid("RQ")
        response.headers["Twilio-Concurrent-Requests"] = str(running)
        if response.status_code == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        return response

    return guarded


def _knows(world: World, request: Request, inside_account: bool) -> bool:
    name, password = basic_of(request)
    own = world.credentials
    pairs = ((own.twilio_account_sid, own.twilio_auth_token), (own.twilio_key_sid, own.twilio_key_secret))
    is_known = any(same(name, one) and same(password, two) for one, two in pairs)
    return is_known and (not inside_account or request.path_params["account"] == own.twilio_account_sid)


async def patience(request: Request, seconds: float) -> None:
    """Wait, or stop waiting when the caller has gone."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not await request.is_disconnected():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(min(0.2, seconds))


async def _create(request: Request, world: World) -> Response:
    """Docs: Messages resource, Create a Message: 201 with the resource."""
    form = Form(await form_of(request))
    recipient = form.get("To")
    key = world.faults.taken(recipient[:100])
    fault = world.faults.of_request(key, forced(world, recipient))
    if fault == "burst_429":
        world.start_burst("twilio")
        raise Refused(20429)
    if fault == "error_500":
        raise Refused(20500)
    if fault == "hang":
        await patience(request, world.faults.hang_s)
    with world.store.transaction():
        row = accept(world, check(world, form), key)
        is_early = "early" in fates_of(world, recipient) or world.faults.draw("early", key)
        if is_early:
            world.store.run("UPDATE steps SET due = ? WHERE subject = ?", [world.clock.now(), row["sid"]])
    world.store.prune()
    world.changed()
    if fault == "timeout_after_accept":
        await patience(request, world.faults.hang_s)
        return answer(Refused(20503).content(), 504)
    if fault == "error_500_after_accept":
        raise Refused(20500)
    if is_early:
        await asyncio.sleep(EARLY_S)
    return answer(shown(world, row), 201)


async def _list(request: Request, world: World) -> Response:
    """Docs: Messages resource, Read multiple Message resources."""
    return answer(listed(world, dict(request.query_params)))


def _found(request: Request, world: World) -> Any:
    row = world.store.one("SELECT * FROM texts WHERE sid = ?", [request.path_params["sid"]])
    if row is None:
        raise Refused(20404, request.url.path)
    return row


async def _fetch(request: Request, world: World) -> Response:
    """Docs: Messages resource, Fetch a Message resource."""
    return answer(shown(world, _found(request, world)))


async def _update(request: Request, world: World) -> Response:
    """Docs: Messages resource, Update: an empty Body redacts, Status=canceled cancels (Errors 20009, 30409)."""
    form = Form(await form_of(request))
    row = _found(request, world)
    sid = row["sid"]
    with world.store.transaction():
        if form.has("Status"):
            if form.get("Status") != Status.CANCELED:
                raise Refused(20001, "Status")
            if row["status"] not in CANCELABLE:
                raise Refused(30409)
            world.store.run("UPDATE texts SET status = ?, updated = ? WHERE sid = ?", [Status.CANCELED, world.clock.now(), sid])
            world.store.run("DELETE FROM steps WHERE subject = ?", [sid])
        if form.has("Body"):
            if form.get("Body"):
                raise Refused(20001, "Body can only be emptied")
            if row["status"] in UNFINISHED:
                raise Refused(20009, "redact")
            world.store.run("UPDATE texts SET body = '', updated = ? WHERE sid = ?", [world.clock.now(), sid])
    world.changed()
    return answer(shown(world, _found(request, world)))


async def _delete(request: Request, world: World) -> Response:
    """Docs: Messages resource, Delete: 204; not before it has a final status (Error 20009)."""
    row = _found(request, world)
    if row["status"] in UNFINISHED:
        raise Refused(20009, "delete")
    with world.store.transaction():
        world.store.run("DELETE FROM texts WHERE sid = ?", [row["sid"]])
    world.changed()
    return Response(status_code=204)


async def _media(request: Request, world: World) -> Response:
    """Docs: Media resource, Fetch: one white pixel, whatever was sent."""
    _found(request, world)
    return Response(PIXEL, media_type="image/gif")


async def _account(request: Request, world: World) -> Response:
    """Docs: Accounts resource, Fetch."""
    sid = world.credentials.twilio_account_sid
    kind = "Trial" if world.configuration.twilio.trial else "Full"
    content = {"sid": sid, "friendly_name": "Simulator", "status": "active", "type": kind, "owner_account_sid": sid}
    return answer({**content, "uri": f"/2010-04-01/Accounts/{sid}.json"})


async def _numbers(request: Request, world: World) -> Response:
    """Docs: IncomingPhoneNumbers resource, Read multiple; with the webhook addresses of each."""
    twilio = world.configuration.twilio
    wanted = request.query_params.get("PhoneNumber", "")
    owned = [sender for sender in twilio.senders if sender.kind in ("long_code", "short_code") and wanted in ("", sender.number)]
    found = [
        {
            "sid": f"PN{place:032x}",
            "account_sid": world.credentials.twilio_account_sid,
            "phone_number": sender.number,
            "friendly_name": sender.number,
            "sms_url": sender.inbound_url or twilio.inbound_url,
            "sms_method": "POST",
            "sms_fallback_url": sender.fallback_url,
            "status_callback": sender.status_callback,
            "capabilities": {"sms": True, "mms": False, "voice": False},
        }
        for place, sender in enumerate(owned, 1)
    ]
    page = {"page": 0, "page_size": 50, "start": 0, "end": max(len(found) - 1, 0), "uri": request.url.path}
    links: dict[str, Any] = {"first_page_uri": request.url.path, "next_page_uri": None, "previous_page_uri": None}
    return answer({"incoming_phone_numbers": found, **page, **links})


async def _new_content(request: Request, world: World) -> Response:
    return answer(contents.create(world, await body_of(request, 200_000)), 201)


async def _contents(request: Request, world: World) -> Response:
    return answer(contents.listed(world))


async def _content(request: Request, world: World) -> Response:
    return answer(contents.fetch(world, request.path_params["sid"]))


async def _approval(request: Request, world: World) -> Response:
    return answer(contents.approval(world, request.path_params["sid"]))


async def _ask_approval(request: Request, world: World) -> Response:
    return answer(contents.ask_approval(world, request.path_params["sid"], await body_of(request, 200_000)), 201)


def _route(path: str, method: str, door: Door) -> Route:
    return Route(path, _guarded(door, inside_account="{account}" in path), methods=[method])


def routes() -> list[Route]:
    """All doors of this provider."""
    one = f"{ROOT}/Messages/{{sid}}"
    return [
        _route(f"{ROOT}/Messages.json", "POST", _create),
        _route(f"{ROOT}/Messages.json", "GET", _list),
        _route(f"{one}/Media/{{media}}", "GET", _media),
        _route(f"{one}.json", "GET", _fetch),
        _route(f"{one}.json", "POST", _update),
        _route(f"{one}.json", "DELETE", _delete),
        _route(f"{ROOT}/IncomingPhoneNumbers.json", "GET", _numbers),
        _route(f"{ROOT}.json", "GET", _account),
        _route("/v1/Content", "POST", _new_content),
        _route("/v1/Content", "GET", _contents),
        _route("/v1/Content/{sid}", "GET", _content),
        _route("/v1/Content/{sid}/ApprovalRequests", "GET", _approval),
        _route("/v1/Content/{sid}/ApprovalRequests/whatsapp", "POST", _ask_approval),
    ]


def missing(path: str, status: int) -> Response:
    """The answer to an address or method that is not there."""
    refused = Refused(20004 if status == 405 else 20404, path)
    return answer({**refused.content(), "status": status}, status if status in (404, 405) else SENTENCES[20404][0])
