"""The simulator's own page: the phones and mailboxes things were delivered to, and what may be typed into them.

E-mails are shown in a frame without scripts, without anything from elsewhere and without an origin.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from simulator.clock import iso
from simulator.doors import answer, whole, world_of
from simulator.sendgrid import render
from simulator.world import World

PAGE = Path(__file__).parent / "static" / "page.html"
LATEST = 2_000
LINES = 100
STREAMS_MOST = 50
BEAT_S = 15.0
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox; frame-ancestors 'self'"
SHOWN = {"sent", "delivered", "read", "received"}


async def _page(request: Request) -> Response:
    return Response(PAGE.read_bytes(), media_type="text/html; charset=utf-8")


async def _threads(request: Request) -> Response:
    """The threads of the latest deliveries, newest first; `find` looks for an address, `channel` narrows."""
    world, query = world_of(request), request.query_params
    find, channel = query.get("find", "").strip().lower(), query.get("channel", "")
    limit = whole(query.get("limit"), default=60, least=1, most=500)
    found = [*_text_threads(world, find), *_mailboxes(world, find)]
    wanted = [one for one in found if channel in ("", one["channel"])]
    wanted.sort(key=lambda one: -one["updated"])
    return answer({"threads": [{**one, "at": iso(one["updated"])} for one in wanted[:limit]], "clock": _clock(world)})


def _clock(world: World) -> dict[str, Any]:
    return {"now": iso(world.clock.now()), "speed": world.clock.speed, "held": world.held}


def _latest(world: World, table: str, find: str) -> list[sqlite3.Row]:
    condition = "WHERE patient GLOB ? || '*'" if find else ""
    kept = "".join(sign for sign in find if sign not in "*?[]")
    return world.store.all(f"SELECT * FROM {table} {condition} ORDER BY n DESC LIMIT {LATEST}", [kept] if find else [])  # noqa: S608


def _text_threads(world: World, find: str) -> list[dict[str, Any]]:
    threads: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in _latest(world, "texts", find):
        own = row["recipient"] if row["direction"] == "inbound" else row["sender"]
        key = (row["channel"], row["patient"], own)
        if key not in threads:
            last = row["body"] or json.loads(row["extra"]).get("phone", "")
            threads[key] = {
                "channel": row["channel"],
                "patient": row["patient"],
                "own": own,
                "last": last[:120],
                "updated": row["updated"],
                "status": row["status"],
                "count": 0,
            }
        threads[key]["count"] += 1
    return list(threads.values())


def _mailboxes(world: World, find: str) -> list[dict[str, Any]]:
    boxes: dict[str, dict[str, Any]] = {}
    for row in _latest(world, "mails", find):
        if row["patient"] not in boxes:
            boxes[row["patient"]] = {
                "channel": "email",
                "patient": row["patient"],
                "own": "",
                "last": row["subject"][:120],
                "updated": row["updated"],
                "status": row["status"],
                "count": 0,
            }
        boxes[row["patient"]]["count"] += 1
    return list(boxes.values())


async def _thread(request: Request) -> Response:
    """The last hundred lines of one thread, oldest first."""
    world, query = world_of(request), request.query_params
    patient = query.get("patient", "")
    if query.get("channel") == "email":
        statement = "SELECT * FROM mails WHERE patient = ? ORDER BY n DESC LIMIT ?"
        lines = [_mail(world, row) for row in world.store.all(statement, [patient.lower(), LINES])]
    else:
        statement = "SELECT * FROM texts WHERE patient = ? AND channel = ? AND ? IN (sender, recipient) ORDER BY n DESC LIMIT ?"
        rows = world.store.all(statement, [patient, query.get("channel", ""), query.get("own", ""), LINES])
        lines = [_text(row) for row in rows]
    return answer({"lines": lines[::-1], "clock": _clock(world)})


def _text(row: sqlite3.Row) -> dict[str, Any]:
    text = row["body"] or json.loads(row["extra"]).get("phone", "")
    return {
        "n": row["n"],
        "id": row["sid"],
        "mine": row["direction"] == "inbound",
        "text": text,
        "status": row["status"],
        "error": row["error"],
        "arrived": row["status"] in SHOWN,
        "segments": row["segments"],
        "media": len(json.loads(row["media"])),
        "at": iso(row["updated"]),
    }


def _mail(world: World, row: sqlite3.Row) -> dict[str, Any]:
    seen, meta = render.seen(world, row), json.loads(row["meta"])
    return {
        "n": row["n"],
        "id": row["request"],
        "mine": row["direction"] == "inbound",
        "status": row["status"],
        "at": iso(row["updated"]),
        "arrived": row["status"] in SHOWN,
        "subject": seen["subject"],
        "text": seen["text"],
        "has_html": bool(seen["html"]),
        "from": seen["from"],
        "from_name": seen["from_name"],
        "to": seen["to"],
        "reply_to": seen["reply_to"],
        "message_id": seen["message_id"],
        "attachments": seen["attachments"],
        "group": meta.get("group"),
        "open": meta.get("open", False),
    }


async def _html(request: Request) -> Response:
    """One e-mail's HTML, for the frame."""
    number = whole(request.path_params["number"], default=0, least=0, most=2**53)
    row = world_of(request).store.one("SELECT * FROM mails WHERE n = ?", [number])
    html = render.seen(world_of(request), row)["html"] if row else ""
    return Response(
        html.encode("utf-8"), headers={"Content-Security-Policy": FRAME_POLICY}, media_type="text/html; charset=utf-8"
    )


async def _senders(request: Request) -> Response:
    """Whom a patient can write to."""
    configuration = world_of(request).configuration
    numbers = [{"number": one.number, "kind": one.kind} for one in configuration.twilio.senders if one.is_two_way]
    return answer({"senders": numbers, "inbox": configuration.sendgrid.inbox})


async def _stream(request: Request) -> Response:
    """Server-sent events: a line whenever something happened, twice a second at most."""
    state = request.app.state
    state.streams = getattr(state, "streams", 0)
    if state.streams >= STREAMS_MOST:
        return answer({"error": "too many open pages"}, 503)

    async def lines() -> AsyncIterator[bytes]:
        state.streams += 1
        try:
            seen, quiet = -1, 0.0
            while not getattr(state, "stopping", False):
                if state.world.changes != seen or quiet >= BEAT_S:
                    seen, quiet = state.world.changes, 0.0
                    yield f"data: {seen}\n\n".encode()
                await asyncio.sleep(0.5)
                quiet += 0.5
        finally:
            state.streams -= 1

    return StreamingResponse(lines(), media_type="text/event-stream")


def routes() -> list[Route]:
    """All doors of the page."""
    return [
        Route("/", _page),
        Route("/simulator/threads", _threads),
        Route("/simulator/thread", _thread),
        Route("/simulator/mails/{number}/html", _html),
        Route("/simulator/senders", _senders),
        Route("/simulator/stream", _stream),
    ]
