"""The stream that keeps open pages complete, and the pulse by which they know that the line holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import PlainTextResponse
from sse_starlette import EventSourceResponse, ServerSentEvent

from bot.web.console.answers import console_router
from bot.web.console.door import Forbidden, Staff, signed_in
from bot.web.console.fields import whole
from bot.web.console.live import MOST_TOPICS, TOPICS, Live, Stream

router = console_router()

HEARTBEAT_S = 5
SEND_TIMEOUT_S = 20
RECONNECT_MS = 1500


@router.get("/events")
async def events(
    staff: Annotated[Staff, signed_in(by_itself=True)],
    watch: Annotated[list[str] | None, Query()] = None,
    known: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """Follow topics, each from the state in which the page was made."""
    topics = tuple(dict.fromkeys(watch or []))[:MOST_TOPICS]
    for name in topics:
        kind, colon, number = name.partition(":")
        if colon:
            whole(number)
        if kind not in TOPICS or TOPICS[kind].permission not in staff.may:
            raise Forbidden("base.refused_role")
    live: Live = staff.request.app.state.console_live
    if not live.has_room(staff.present.session_id):
        return PlainTextResponse("", 503)
    stream = Stream(staff.token, staff.present.session_id, topics, dict(zip(watch or [], known or [], strict=False)))

    async def lines() -> AsyncIterator[ServerSentEvent]:
        async for kind, data in live.follow(stream):
            yield ServerSentEvent(data=data, event=kind, retry=RECONNECT_MS)

    return EventSourceResponse(lines(), ping=HEARTBEAT_S, send_timeout=SEND_TIMEOUT_S, ping_message_factory=_pulse)


def _pulse() -> ServerSentEvent:
    return ServerSentEvent(data="{}", event="pulse")
