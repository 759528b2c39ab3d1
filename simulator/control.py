"""The control API under /simulator/: what tests read (an independent log of what arrived) and how they steer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import faults, magic, recipient
from simulator.clock import iso
from simulator.doors import NotUnderstood, TooLarge, answer, object_of, whole, world_of
from simulator.sendgrid import render
from simulator.twilio import contents
from simulator.twilio.errors import Refused
from simulator.world import World

Door = Callable[[Request, World], Awaitable[Any]]
PAGE, PAGE_MOST = 100, 10_000
WRITE_MOST = 20_000_000


def _open(door: Door) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return answer(await door(request, world_of(request)))
        except ValidationError as wrong:
            # Not the default text: it would repeat what was typed.
            problems = [
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors(include_url=False, include_input=False)
            ]
            return answer({"error": "; ".join(problems)}, 422)
        except Refused as refused:
            return answer({"error": refused.message}, 422)
        except TooLarge:
            return answer({"error": "too large"}, 413)
        except NotUnderstood:
            return answer({"error": "the body must be a JSON object"}, 400)
        except (recipient.Impossible, faults.BadFaults, ValueError, TypeError) as wrong:
            return answer({"error": str(wrong)}, 422)

    return serve


async def _health(request: Request, world: World) -> Any:
    return {"ready": True}


async def _state(request: Request, world: World) -> Any:
    waiting = request.app.state.pump.waiting()
    counts = {table: world.store.count(table) for table in ("texts", "mails", "deliveries")}
    clock = {"now": iso(world.clock.now()), "speed": world.clock.speed}
    return {
        "clock": clock,
        "held": world.held,
        "waiting": waiting,
        **counts,
        "seed": world.faults.seed,
        "faults": world.faults.rates,
    }


async def _configuration(request: Request, world: World) -> Any:
    """Read it, or lay a change over it; with the credentials, which are the simulator's own and open nothing else."""
    if request.method == "PATCH":
        world.configure(await object_of(request))
    own = world.credentials
    return {
        "configuration": world.configuration.model_dump(),
        "credentials": {
            "sendgrid_api_key": own.sendgrid_api_key,
            "sendgrid_public_key": world.signer.public_key,
            "twilio_account_sid": own.twilio_account_sid,
            "twilio_auth_token": own.twilio_auth_token,
            "twilio_key_sid": own.twilio_key_sid,
            "twilio_key_secret": own.twilio_key_secret,
        },
        "magic_numbers": {number: f"{fate.name}: {fate.says}" for number, fate in magic.NUMBERS.items()},
        "magic_mail": magic.MAIL_FATES,
        "faults": faults.ALL,
    }


async def _reset(request: Request, world: World) -> Any:
    body = await object_of(request)
    world.reset(configuration=body.get("configuration") is True)
    return {"reset": True}


async def _deliveries(request: Request, world: World) -> Any:
    """What arrived at phones and mailboxes, oldest first; `after` is the last number seen."""
    query = request.query_params
    where = ["n > ?"]
    values: list[Any] = [whole(query.get("after"), default=0, least=0, most=2**53)]
    for name in ("channel", "recipient", "id"):
        if query.get(name):
            where.append(f"{name} = ?")
            values.append(query[name])
    limit = whole(query.get("limit"), default=PAGE, least=1, most=PAGE_MOST)
    statement = f"SELECT * FROM deliveries WHERE {' AND '.join(where)} ORDER BY n LIMIT ?"  # noqa: S608 - conditions are ours
    found = [_delivery(world, row, bool(query.get("texts"))) for row in world.store.all(statement, [*values, limit])]
    return {"deliveries": found, "last": found[-1]["n"] if found else values[0]}


def _delivery(world: World, row: Any, with_text: bool) -> dict[str, Any]:
    found = {**dict(row), "at": iso(row["at"]), "tags": json.loads(row["tags"])}
    if with_text and row["channel"] == "email":
        mail = world.store.one("SELECT * FROM mails WHERE n = ?", [found["tags"]["mail"]])
        found["text"] = render.seen(world, mail)["text"] if mail else ""
    return found


async def _accepted(request: Request, world: World) -> Any:
    """What the providers accepted, whether it arrived or not: one entry a recipient, oldest first."""
    query = request.query_params
    after = whole(query.get("after"), default=0, least=0, most=2**53)
    limit = whole(query.get("limit"), default=PAGE, least=1, most=PAGE_MOST)
    if query.get("channel") == "email":
        rows = world.store.all("SELECT * FROM mails WHERE direction = 'outbound' AND n > ? ORDER BY n LIMIT ?", [after, limit])
        found = [
            {
                "n": row["n"],
                "id": row["request"],
                "recipient": row["patient"],
                "status": row["status"],
                "args": json.loads(row["meta"])["args"],
            }
            for row in rows
        ]
    else:
        rows = world.store.all("SELECT * FROM texts WHERE direction <> 'inbound' AND n > ? ORDER BY n LIMIT ?", [after, limit])
        names = ("n", "channel", "recipient", "sender", "status", "error", "segments", "callback")
        found = [{"id": row["sid"], **{name: row[name] for name in names}} for row in rows]
    return {"accepted": found, "last": found[-1]["n"] if found else after}


async def _calls(request: Request, world: World) -> Any:
    """The latest attempts to post webhooks, newest first."""
    limit = whole(request.query_params.get("limit"), default=PAGE, least=1, most=PAGE_MOST)
    return {
        "calls": [
            dict(row) | {"at": iso(row["at"])} for row in world.store.all("SELECT * FROM calls ORDER BY n DESC LIMIT ?", [limit])
        ]
    }


async def _clock(request: Request, world: World) -> Any:
    body = await object_of(request)
    if "speed" in body:
        world.clock.run_at(float(body["speed"]))
    if "advance_s" in body:
        world.clock.advance(float(body["advance_s"]))
    world.store.keep("clock", world.clock.now())
    world.changed()
    return {"now": iso(world.clock.now()), "speed": world.clock.speed}


async def _faults(request: Request, world: World) -> Any:
    """Rates by name, `seed`, `next` (faults of the next API requests), and the measures hang_s, burst_s, delay_s, repeat_most."""
    body = await object_of(request)
    measures = {name: float(body[name]) for name in ("hang_s", "burst_s", "delay_s") if name in body}
    repeat, seed = int(body.get("repeat_most", world.faults.repeat_most)), int(body.get("seed", world.faults.seed))
    if any(not 0 <= value <= 10_000_000 for value in measures.values()) or not 2 <= repeat <= 1_000:
        raise ValueError("a measure is out of bounds")
    rates = faults.checked(body.get("rates", world.faults.rates))
    world.faults.ask_next(body.get("next", []))
    world.faults.replace(rates)
    world.faults.seed, world.faults.repeat_most = seed, repeat
    for name, value in measures.items():
        setattr(world.faults, name, value)
    return {"rates": rates, "seed": seed, "repeat_most": repeat}


async def _hold(request: Request, world: World) -> Any:
    """Hold all webhooks back, or let them go again."""
    world.held = (await object_of(request)).get("held", True) is True
    world.changed()
    return {"held": world.held}


async def _inbound(request: Request, world: World) -> Any:
    return {"id": recipient.write(world, await object_of(request, WRITE_MOST))}


async def _mark(request: Request, world: World) -> Any:
    number = whole(request.path_params["number"], default=0, least=0, most=2**53)
    recipient.mark(world, number, str((await object_of(request)).get("event")))
    return {"done": True}


async def _template(request: Request, world: World) -> Any:
    """Put a WhatsApp template under a chosen SID: {sid, body, variables, approval}."""
    body = await object_of(request)
    sid, text, variables = body.get("sid", ""), body.get("body"), body.get("variables", {})
    if not isinstance(sid, str) or not isinstance(text, str) or not isinstance(variables, dict):
        raise ValueError("a template needs `body`, and may have `sid`, `variables`, `approval`")
    more = {"types": {"twilio/text": {"body": text}}, "variables": {str(name): str(value) for name, value in variables.items()}}
    found = contents.store(world, body=text, sid=sid, approval="unsubmitted", **more)
    contents.set_approval(world, found["sid"], str(body.get("approval", "approved")))
    return found


def routes() -> list[Route]:
    """All doors of the control API."""
    doors: list[tuple[str, str, Door]] = [
        ("health", "GET", _health),
        ("state", "GET", _state),
        ("configuration", "GET", _configuration),
        ("configuration", "PATCH", _configuration),
        ("reset", "POST", _reset),
        ("deliveries", "GET", _deliveries),
        ("accepted", "GET", _accepted),
        ("calls", "GET", _calls),
        ("clock", "POST", _clock),
        ("faults", "POST", _faults),
        ("hold", "POST", _hold),
        ("inbound", "POST", _inbound),
        ("mails/{number}/events", "POST", _mark),
        ("templates", "POST", _template),
    ]
    return [Route(f"/simulator/{path}", _open(door), methods=[method]) for path, method, door in doors]
