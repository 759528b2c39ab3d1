"""The patient's side of the web chat, for the terminal: the same door, the same rules.

Nothing is taken a shorter way than a browser takes: a session, turns with an id of the client's, and
replies as server-sent events.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.base.errors import BadInput, CandourError, TooMany

SESSION, TURNS = "/api/chat/session", "/api/chat/turns"
EVENTS, LANGUAGE = "/api/chat/events", "/api/chat/language"
PATIENCE_S = 60.0
"""How long a reply may take: an engine that fails is answered for within its time-out."""


class NoReply(CandourError):
    """The door took the turn and did not answer it in time."""


@dataclass(frozen=True)
class Said:
    """A reply as the patient sees it."""

    number: int
    text: str
    language: str | None
    author: str
    choices: list[Mapping[str, str]] = field(default_factory=list)


class Door:
    """One patient's thread through the web door."""

    def __init__(self, url: str, language: str | None = None) -> None:
        """Open a new thread; raises CandourError when the door does not let us in."""
        self._client = httpx.Client(base_url=url, timeout=30.0, trust_env=False)
        answer = self._post(SESSION, {"lang": language} if language else {})
        # By hand: over loopback a cookie marked Secure would not be sent back.
        cookies = [cookie.split(";")[0] for cookie in answer.headers.get_list("set-cookie")]
        self._client.headers["cookie"] = "; ".join(cookies)
        self.opening: Mapping[str, Any] = answer.json()
        self.last = int(self.opening["last_number"])
        if language:
            self.choose_language(language)

    def choose_language(self, language: str) -> None:
        """Fix the language of the thread."""
        self._post(LANGUAGE, {"lang": language})

    def send(self, text: str | None = None, *, choice: str | None = None) -> str:
        """Send a turn, words or a pressed button; returns its client id."""
        client_id = str(uuid.uuid4())
        what = {"text": text} if choice is None else {"choice": choice}
        self._post(TURNS, {"client_id": client_id, **what})
        return client_id

    def reply(self) -> Said:
        """Wait for the next reply; raises NoReply when none comes."""
        try:
            for said in self._events():
                self.last = max(self.last, said.number)
                return said
        except httpx.TimeoutException:
            pass
        except httpx.HTTPError:
            raise NoReply("The connection to the web process broke while waiting for the reply.") from None
        raise NoReply("No reply came in time; the turn is stored and will be answered.")

    def close(self) -> None:
        """Let go of the connection; the thread stays."""
        self._client.close()

    def _post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        try:
            answer = self._client.post(path, json=body)
        except httpx.HTTPError:
            raise CandourError("The web process does not answer.") from None
        if answer.is_success:
            return answer
        try:
            text = str(answer.json()["error"]["text"])
        except (ValueError, KeyError, TypeError):
            text = f"The web process answered {answer.status_code}."
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise TooMany(text, retry_after_s=int(answer.headers.get("retry-after", "1")))
        raise BadInput(text)

    def _events(self) -> Iterator[Said]:
        headers = {"last-event-id": str(self.last), "accept": "text/event-stream"}
        timeout = httpx.Timeout(PATIENCE_S, connect=5.0)
        until = time.monotonic() + PATIENCE_S
        with self._client.stream("GET", EVENTS, headers=headers, timeout=timeout) as answer:
            answer.raise_for_status()
            kind, data = "", ""
            for line in answer.iter_lines():
                if time.monotonic() > until:  # the stream's heartbeat keeps the connection's own time-out from ending
                    return
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line:
                    if kind == "reply":
                        yield _said(json.loads(data))
                    kind, data = "", ""


def _said(event: Mapping[str, Any]) -> Said:
    return Said(int(event["number"]), event["text"], event.get("language"), event["author"], event.get("choices") or [])
