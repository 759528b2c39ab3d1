"""The patient's chat: open a thread, send turns, follow the transcript, choose the language.

A turn is stored in one transaction and answered afterwards; the answer comes over the event stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from bot.base.errors import CandourError
from bot.base.languages import Language
from bot.conversations import choices, threads
from bot.conversations.models import Thread
from bot.conversations.speaking.opening import Opening, open_with_greeting, opening
from bot.conversations.transcript import TURN_TEXT, Line, lines_after
from bot.web.door import CHANNEL, Door, door_of
from bot.web.labels import wanted
from bot.web.limits import number
from bot.web.refusals import as_json, describe
from bot.web.schemas import (
    Choice,
    LanguageName,
    LanguageTaken,
    NewLanguage,
    NewSession,
    NewTurn,
    OwnerEvent,
    ReplyEvent,
    SessionAnswer,
    Statement,
    TurnEvent,
    TurnTaken,
)
from bot.web.stream import log

router = APIRouter(prefix="/api/chat", tags=["chat"])
AtDoor = Annotated[Door, Depends(door_of)]
BODY = ("foreign_origin", "bad_input", "not_json", "wrong_type", "too_large")

HEARTBEAT_S = 15
SEND_TIMEOUT_S = 20
"""A browser that takes nothing for so long is let go; it comes back with Last-Event-ID."""
RECONNECT_MS = 2000


@router.post("/session", summary="Open a thread or find one's own", responses=describe(*BODY))
def open_session(request: Request, response: Response, door: AtDoor, new: NewSession | None = None) -> SessionAnswer:
    """Answer with what is to be read before the first turn; the cookie made here is the only key to the thread."""
    application, now = door.application, door.application.clock()
    language = (new and new.lang) or wanted(request.headers.get("accept-language", ""))
    with application.database.reading() as session:
        known = door.thread(session, request)
        if known is not None:
            return _answer(door, session, known)
    door.limiter.count("address_sessions", request.state.address)
    is_apart = new is not None and new.apart and door.may_be_apart(request)
    with application.database.writing() as session:
        published = door.published(session)
        said = opening(published, language, CHANNEL)
        index = door.give_cookie(response, is_apart=is_apart)
        thread = threads.open_thread(session, channel=CHANNEL, address_index=index, language=language.value, at=now)
        open_with_greeting(session, thread, published, said, language, at=now, vault=application.vault)
        session.refresh(thread)
        return _answer(door, session, thread)


@router.get("/session", summary="The caller's thread", responses=describe("no_session", "foreign_origin"))
def get_session(request: Request, door: AtDoor) -> SessionAnswer:
    """Answer with the thread as it is now, without changing anything."""
    with door.application.database.reading() as session:
        return _answer(door, session, door.thread_or_refuse(session, request))


@router.post("/turns", status_code=202, summary="Send a turn", responses=describe("no_session", *BODY))
def take_turn(request: Request, door: AtDoor, new: NewTurn) -> TurnTaken:
    """Store the turn and have it answered; the same client id again is the same turn and stores nothing."""
    application = door.application
    door.limiter.count("address_turns", request.state.address)
    for index in door.indexes(request)[:1]:
        door.limiter.count("session_turns", index)
    with application.database.writing() as session:
        thread = door.thread_or_refuse(session, request)
        # A pressed button is shown as what stood on it; an id that was never issued shows as nothing.
        text = new.text if new.choice is None else choices.label_of(session, thread.id, new.choice)
        turn, is_new = threads.store_turn(
            session,
            thread.id,
            external_id=str(new.client_id),
            sealed_text=None if text is None else application.vault.seal(text, TURN_TEXT),
            choice=new.choice,
            at=application.clock(),
            network=application.index.index("network", request.state.address),
        )
        thread_id, place = thread.id, turn.number
    if is_new:
        door.answering.offer(thread_id, characters=len(new.text or ""))
    return TurnTaken(number=place, client_id=new.client_id, repeat=not is_new)


@router.post("/language", summary="Choose the language", responses=describe("no_session", *BODY))
def choose_language(request: Request, door: AtDoor, new: NewLanguage) -> LanguageTaken:
    """Answer in this language from now on, whatever language the turns are written in."""
    for index in door.indexes(request)[:1]:
        door.limiter.count("session_turns", index)
    with door.application.database.writing() as session:
        thread = door.thread_or_refuse(session, request)
        thread.language, thread.language_chosen = new.lang.value, True
    return LanguageTaken(language=new.lang)


@router.post(
    "/forget", status_code=204, summary="Have this browser forget the thread", responses=describe("no_session", "foreign_origin")
)
def forget(request: Request, door: AtDoor) -> Response:
    """Take the cookie away, for those whose device others look at; what was said stays on record, and a case stays open."""
    answer = Response(status_code=204)
    with door.application.database.writing() as session:
        door.take_cookie(request, answer, door.thread_or_refuse(session, request))
    return answer


class EventStream(Response):
    """Stands for the stream in the description; what is sent is a `Stream`."""

    media_type = "text/event-stream"


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "model": TurnEvent | ReplyEvent | OwnerEvent,
        "description": "Server-sent events `turn`, `reply` and `owner`, each with one of these objects as its data; "
        "the id of a turn or reply is its number.",
    }
}


@router.get(
    "/events",
    summary="Follow the transcript",
    response_class=EventStream,
    responses=_STREAM | as_json("no_session", "foreign_origin", "bad_input"),
)
def follow(
    request: Request,
    door: AtDoor,
    after: Annotated[str | None, Query(description="Begin after this line, on the first connection.")] = None,
    last_event_id: Annotated[str | None, Header(description="Begin after this line; a browser sends it by itself.")] = None,
) -> Response:
    """Stream every line after the given one, each once and in order, and then the new ones as they come."""
    begin = number(last_event_id or after)
    with door.application.database.reading() as session:
        thread_id = door.thread_or_refuse(session, request).id
    place = (f"thread:{thread_id}", request.state.address)
    door.limiter.take_stream(*place)
    return Stream(door, place, _events(door, thread_id, begin))


class Stream(EventSourceResponse):
    """An event stream that gives its place back when it ends, and ends quietly when its reader is too slow."""

    def __init__(self, door: Door, place: tuple[str, str], events: AsyncIterator[ServerSentEvent]) -> None:
        super().__init__(events, ping=HEARTBEAT_S, send_timeout=SEND_TIMEOUT_S, sep="\n")
        self._door, self._place = door, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream until it ends."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("a stream was let go: its reader is too slow")
        finally:
            self._door.limiter.give_stream_back(*self._place)


async def _events(door: Door, thread_id: int, after: int) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(retry=RECONNECT_MS)
    owner = ""
    try:
        async for look in door.hub.follow(thread_id, after):
            for line in look.lines:
                yield _event(line)
            if look.owner != owner:
                owner = look.owner
                yield ServerSentEvent(OwnerEvent(owner=owner).model_dump_json(), event="owner")
    except (CandourError, SQLAlchemyError) as failed:
        # The stream has begun, so no refusal can be sent: it ends, and the browser comes back.
        log.warning("a stream of thread %d ended: %s", thread_id, type(failed).__name__)


def _event(line: Line) -> ServerSentEvent:
    data: TurnEvent | ReplyEvent
    if line.kind == "turn":
        data = TurnEvent(number=line.number, text=line.text, at=line.at, client_id=line.external_id)
    else:
        data = ReplyEvent(
            number=line.number,
            text=line.text,
            at=line.at,
            author=line.author,
            language=line.language,
            choices=[Choice(id=choice_id, label=label) for choice_id, label in line.choices],
        )
    return ServerSentEvent(data.model_dump_json(), event=line.kind, id=str(line.number))


def _answer(door: Door, session: Session, thread: Thread) -> SessionAnswer:
    language = Language(thread.language)
    said: Opening = opening(door.published(session), language, CHANNEL)
    first = lines_after(session, door.application.vault, thread.id, 0, 1)
    return SessionAnswer(
        language=language,
        owner=thread.owner,
        last_number=thread.last_number,
        collection_statement=Statement(publication=said.publication_id, text=said.statement),
        greeting=said.greeting,
        languages=[LanguageName(id=known, name=known.own_name) for known in Language],
        topics=[Choice(id=choice_id, label=label) for line in first for choice_id, label in line.choices],
    )
