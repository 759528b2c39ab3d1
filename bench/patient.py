"""A patient at the real HTTP door, cheap enough to be many at once.

The standard library's client: measuring with a heavier one would mostly measure the measuring.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

REPLY_S = 30.0
"""How long to wait for a reply before it counts as a failure."""


class Refused(Exception):
    """The door said no; the text is the status."""


class NoReply(Exception):
    """The turn was taken and no reply came in time."""


class TakenOver(Exception):
    """A person of the team answers this thread from now on; the turn waits in a case."""


@dataclass(frozen=True)
class Heard:
    """A reply as it arrived."""

    seconds: float
    may_be_handed_over: bool  # one choice alone is the way back to the assistant: a person has taken over, probably


class Patient:
    """One thread: its cookie, its event stream and a connection for what it sends."""

    def __init__(self, url: str, language: str) -> None:
        """Open a thread and its stream; raises Refused."""
        where = urlsplit(url)
        self._host, self._port = str(where.hostname), int(where.port or 80)
        self._door = HTTPConnection(self._host, self._port, timeout=REPLY_S)
        answer, content = self._post("/api/chat/session", {"lang": language}, {})
        self._cookie = {"Cookie": str(answer.getheader("set-cookie")).partition(";")[0]}
        self._last = int(content["last_number"])
        self._stream = HTTPConnection(self._host, self._port, timeout=REPLY_S)
        self._stream.request("GET", "/api/chat/events", headers={**self._cookie, "Last-Event-ID": str(self._last)})
        self._events = self._stream.getresponse()
        if self._events.status != 200:
            raise Refused(str(self._events.status))

    def ask(self, text: str) -> Heard:
        """Send a turn and wait for its reply; raises Refused, NoReply, and TakenOver when a person owns the thread now."""
        began = time.perf_counter()
        _, taken = self._post("/api/chat/turns", {"client_id": str(uuid.uuid4()), "text": text}, self._cookie)
        try:
            while True:
                event = self._event()
                # It follows the reply that announced it: whoever hears it first has sent a turn that waits for a person.
                if event["event"] == "owner" and event["data"]["owner"] == "staff":
                    raise TakenOver
                if event["event"] == "reply" and event["data"]["number"] > taken["number"]:
                    return Heard(time.perf_counter() - began, len(event["data"]["choices"]) == 1)
        except (OSError, HTTPException) as silence:
            raise NoReply(type(silence).__name__) from None

    def close(self) -> None:
        """Close the page."""
        self._door.close()
        self._stream.close()

    def _post(self, path: str, body: dict[str, str], headers: dict[str, str]) -> tuple[HTTPResponse, Any]:
        self._door.request("POST", path, json.dumps(body), {**headers, "Content-Type": "application/json"})
        answer = self._door.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise Refused(str(answer.status))
        return answer, json.loads(content)

    def _event(self) -> dict[str, Any]:
        event: dict[str, Any] = {}
        while True:
            line = self._events.readline()
            if not line:
                raise HTTPException("the stream ended")
            name, _, value = line.decode().rstrip("\n").partition(":")
            if name == "data":
                event["data"] = json.loads(value)
            elif name in ("event", "id"):
                event[name] = value.strip()
            elif not line.strip() and "event" in event:
                return event
