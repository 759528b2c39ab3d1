"""The engine's only door: a turn comes in as masked text or a topic, names go out.

Rasa's own channels answer an empty 200 when anything inside fails. Here every action has to leave a
word behind: a turn in which one did not is an error, and so is a turn which leads to nothing at
all. A text is never a command, and no text is ever logged.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as answer

from engine.memory import BoundedMemory
from engine.shapes import Refused, Turn, made_of, payload, turn
from engine.texts import plain

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "CANDOUR_ENGINE_TOKEN"  # noqa: S105  a name, not a token
# Longer than the application waits, so that it gives up first; it ends a turn that hangs on a
# stopped action server, whose conversation would stay locked for minutes otherwise.
LONGEST_TURN = 12.0
# Intents with which Rasa steers itself; every other one in the domain is a topic.
RASAS_OWN = frozenset({"restart", "back", "session_start", "nlu_fallback"})
QUIET = frozenset({"action_listen", "action_session_start", "action_extract_slots"})


class Collected(OutputChannel):
    """Keeps the names which a turn leads to, in order."""

    def __init__(self) -> None:
        self.say: list[str] = []
        self.do: list[dict[str, Any]] = []
        self.odd = False

    @classmethod
    def name(cls) -> str:
        """The channel's name inside Rasa."""
        return "candour"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Take one response of Rasa; anything but names marks the turn as odd."""
        try:
            say, do = payload(message.get("custom"))
        except Refused:
            self.odd = True
            return
        self.say += say
        self.do += do


def spoken(events: list[Event]) -> bool:
    """Whether every action since the patient's last turn left a word behind, and the last listens.

    Rasa swallows the exception of an action and goes on; a missing word is the trace it leaves.
    """
    waiting, ended = False, False
    for event in events:
        if isinstance(event, UserUttered):
            waiting, ended = False, False
        elif isinstance(event, BotUttered):
            waiting = False
        elif isinstance(event, ActionExecuted):
            if waiting:
                return False
            ended = event.action_name == "action_listen"
            waiting = event.action_name not in QUIET
    return ended and not waiting


def _incoming(asked: Turn, output: Collected) -> UserMessage:
    given: dict[str, Any] = {
        "output_channel": output,
        "sender_id": asked.key,
        "input_channel": Door.name(),
        "metadata": {"lang": asked.lang},
    }
    if asked.topic is None:
        return UserMessage(text=plain(asked.text or ""), **given)
    intent = {"name": asked.topic, "confidence": 1.0}
    parsed = {
        "text": asked.topic,
        "intent": intent,
        "entities": [],
        "intent_ranking": [intent],
    }
    return UserMessage(text=asked.topic, parse_data=parsed, **given)


def _refusal(status: int, error: str) -> HTTPResponse:
    return answer({"error": error}, status=status)


class Door(InputChannel):
    """Rasa input channel `candour`; refuses to exist without a token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    @classmethod
    def name(cls) -> str:
        """URL prefix and recorded channel name."""
        return "candour"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> Door:
        """The door with the token from the environment; raises RasaException without one."""
        token = os.environ.get(TOKEN_VARIABLE, "")
        if not token:
            raise RasaException(f"{TOKEN_VARIABLE} is not set")
        return cls(token)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Routes `health` and `turn`."""
        routes = Blueprint("candour")

        @routes.get("/health")
        async def health(request: Request) -> HTTPResponse:
            agent = getattr(request.app.ctx, "agent", None)
            if agent is None or not agent.is_ready():
                return answer({"ready": False}, status=503)
            return answer({"ready": True, "model": agent.model_name})

        @routes.post("/turn")
        async def take_turn(request: Request) -> HTTPResponse:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, self._expected):
                return _refusal(401, "token")
            agent = getattr(request.app.ctx, "agent", None)
            if agent is None or not agent.is_ready():
                return _refusal(503, "not ready")
            try:
                asked = turn(request.body)
            except Refused as refused:
                return _refusal(refused.status, refused.reason)
            if asked.topic is not None and asked.topic not in _topics(agent):
                return _refusal(422, "topic")
            return await _lead(asked, request.app.ctx.memory, on_new_message)

        return routes


def _topics(agent: Any) -> set[str]:
    return set(agent.domain.intents) - RASAS_OWN


def _fault(tracker: DialogueStateTracker | None, output: Collected) -> str | None:
    """What is wrong with a turn that raised nothing, in one word; None when it led somewhere."""
    if tracker is None or not spoken(list(tracker.events)):
        return "action"
    if output.odd:
        return "wording"
    return None if output.say or output.do else "silent"


async def _lead(asked: Turn, memory: BoundedMemory, handle: Callable[[UserMessage], Awaitable[Any]]) -> HTTPResponse:
    """Let Rasa take the turn; any error, silence or stray text is a 500 and the key is forgotten."""
    output = Collected()
    error: str | None = None
    try:
        await asyncio.wait_for(handle(_incoming(asked, output)), LONGEST_TURN)
    except TimeoutError:
        error = "slow"
    except Exception as failed:  # a door: every error becomes an answer
        logger.error("a turn failed inside Rasa", exc_info=failed)
        error = "engine"
    tracker = await memory.retrieve(asked.key)
    error = error or _fault(tracker, output)
    if tracker is None or error is not None:
        memory.forget(asked.key)
        return _refusal(500, error or "engine")
    understood = made_of(tracker.latest_message.parse_data or {})
    return answer({"say": output.say, "do": output.do, **understood}, dumps=json.dumps)
