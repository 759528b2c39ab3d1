"""Patients as a browser would have them: each turn sent until it is taken, the event stream followed through every cut."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

_addresses = count(1)


@dataclass(frozen=True)
class Event:
    """One event of the stream."""

    kind: str
    number: int | None
    data: dict[str, Any]


class Patient:
    """One thread at the web door; comes from an address of its own, through the trusted proxy on loopback."""

    def __init__(self, url: str, language: str = "en") -> None:
        number = next(_addresses)
        self._client = httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(20.0, connect=2.0),
            headers={"X-Forwarded-For": f"10.8.{number // 250}.{number % 250 + 1}"},
            limits=httpx.Limits(max_keepalive_connections=0),  # a kept connection to a killed process only confuses
            trust_env=False,
        )
        opened = self._client.post("/api/chat/session", json={"lang": language})
        opened.raise_for_status()
        self._client.cookies.update(opened.cookies)
        self.first = int(opened.json()["last_number"])
        self.events: list[Event] = []
        self.reconnects = 0
        self._changed = threading.Condition()
        self._stop = threading.Event()
        threading.Thread(target=self._listen, name=f"patient-{number}", daemon=True).start()

    def try_to_send(self, text: str, client_id: str | None = None) -> httpx.Response:
        """Send a turn once, whatever comes of it; raises httpx.HTTPError when nobody answers."""
        return self._client.post("/api/chat/turns", json={"client_id": client_id or str(uuid.uuid4()), "text": text})

    def send(self, text: str, seconds: float = 60) -> int:
        """Send a turn with one id until it is taken, as the page does; returns its number."""
        client_id, until = str(uuid.uuid4()), time.monotonic() + seconds
        while True:
            try:
                answer = self.try_to_send(text, client_id)
                if answer.status_code == httpx.codes.ACCEPTED:
                    return int(answer.json()["number"])
                assert answer.status_code in (429, 503), answer.status_code
            except httpx.TransportError:
                pass
            assert time.monotonic() < until, "the turn was not taken in time"
            time.sleep(0.2)

    def reply_after(self, number: int, seconds: float = 20) -> str:
        """The text of the first reply after this line, as the stream brings it."""
        with self._changed:
            found = self._changed.wait_for(lambda: self._reply_after(number), seconds)
        assert found, f"no reply after line {number} within {seconds} s"
        return str(found)

    def asks(self, text: str, seconds: float = 20) -> str:
        """Send a turn and return the reply."""
        return self.reply_after(self.send(text), seconds)

    def lines(self) -> list[Event]:
        """Turns and replies as the stream brought them."""
        with self._changed:
            return [event for event in self.events if event.number is not None]

    def await_line(self, number: int, seconds: float = 20) -> None:
        """Wait until the stream has brought this line."""
        with self._changed:
            there = self._changed.wait_for(lambda: any(event.number == number for event in self.events), seconds)
        assert there, f"line {number} did not come within {seconds} s"

    def leave(self) -> None:
        """Stop listening."""
        self._stop.set()

    def _reply_after(self, number: int) -> str | None:
        replies = (event for event in self.events if event.kind == "reply" and event.number and event.number > number)
        return next((event.data["text"] for event in replies), None)

    def _listen(self) -> None:
        last = self.first
        while not self._stop.is_set():
            try:
                with self._client.stream("GET", "/api/chat/events", headers={"Last-Event-ID": str(last)}) as answer:
                    answer.raise_for_status()
                    for event in _events(answer):
                        last = event.number or last
                        with self._changed:
                            self.events.append(event)
                            self._changed.notify_all()
                        if self._stop.is_set():
                            return
            except httpx.HTTPError:
                pass
            self.reconnects += 1
            self._stop.wait(0.2)


def _events(answer: httpx.Response) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif "data" in fields and "event" in fields:
            number = int(fields["id"]) if "id" in fields else None
            yield Event(fields["event"], number, json.loads(fields["data"]))
            fields = {}
        else:
            fields = {}
