"""An endpoint of another program: a small server that checks signatures by itself, and a room that posts to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.desk.integrations import endpoints
from bot.desk.integrations.addresses import Reach
from bot.desk.integrations.delivering import WebhookRoom
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk

DEVELOPMENT = Reach(is_development=True)
TOLERANCE_S = 300


def verified(secret: str, headers: dict[str, str], body: bytes, now_s: float) -> bool:
    """Whether a post is genuine, by the Standard Webhooks specification: written from its text and not from our code."""
    key = base64.b64decode(secret[len("whsec_") :])
    uid, stamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(now_s - int(stamp)) > TOLERANCE_S:
        return False
    expected = base64.b64encode(hmac.new(key, f"{uid}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    given = [part.split(",", 1) for part in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(signature, expected) for version, signature in given)


@dataclass
class Got:
    """A post that came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def uid(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass
class Receiver:
    """The other program; `answer` says with what status and headers it answers a post."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answer: Callable[[Got], tuple[int, dict[str, str]]] = field(default=lambda _: (204, {}))

    def types(self) -> list[str]:
        return [one.document["type"] for one in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got({name.lower(): value for name, value in self.headers.items()}, body)
            made.got.append(got)
            status, headers = made.answer(got)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/hooks"
    yield made
    server.shutdown()
    thread.join(60)
    server.server_close()


def room_of(desk: Desk, *, holder: str = "one", reach: Reach = DEVELOPMENT, **more: Any) -> WebhookRoom:
    """The posting of one worker; its chance is in the middle, so that delays are exactly those of the table."""
    more.setdefault("chance", lambda: 0.5)
    return WebhookRoom(desk.database, desk.vault, desk.clock, holder, base="https://help.example.hk", reach=reach, **more)


def registered(desk: Desk, url: str, *events: str, name: str = "Help desk") -> endpoints.Registered:
    """An endpoint for these events, all when none is named."""
    admin = desk.colleague(Role.ADMIN)
    with desk.database.writing() as session:
        return endpoints.register(session, desk.vault, DEVELOPMENT, name=name, url=url, events=events, by=admin, at=desk.clock())
