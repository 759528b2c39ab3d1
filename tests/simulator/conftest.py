"""A running simulator, the official libraries pointed at it, and an ear that hears its webhooks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import uvicorn
from sendgrid import SendGridAPIClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.rest import Client

from simulator.__main__ import server_for
from simulator.options import Options
from tests.engine.running import free_port

FAST = 600.0
WAIT_S = 60.0


def until(check: Callable[[], Any], seconds: float = WAIT_S) -> Any:
    """Wait until the check gives something true, and return it."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


class Thread:
    """A uvicorn server in a thread of this process."""

    def __init__(self, server: uvicorn.Server) -> None:
        self.server = server
        self._thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
        self._thread.start()
        until(lambda: server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(60)


@dataclass
class Running:
    """A simulator at an address."""

    url: str
    options: Options
    thread: Thread

    @property
    def world(self) -> Any:
        return self.thread.server.config.app.state.world  # type: ignore[union-attr]

    @property
    def account(self) -> str:
        return self.options.credentials.twilio_account_sid

    @property
    def token(self) -> str:
        return self.options.credentials.twilio_auth_token

    def twilio(self) -> Client:
        """The official client, as docs/simulator.md tells to point it here."""
        client = Client(self.account, self.token)
        client.api.base_url = self.url
        client.content.base_url = self.url
        return client

    def sendgrid(self) -> SendGridAPIClient:
        """The official client, as docs/simulator.md tells to point it here."""
        return SendGridAPIClient(self.options.credentials.sendgrid_api_key, host=self.url)

    def get(self, path: str, **query: Any) -> Any:
        response = httpx.get(f"{self.url}/simulator/{path}", params=query, timeout=30)
        response.raise_for_status()
        return response.json()

    def post(self, path: str, **body: Any) -> Any:
        response = httpx.post(f"{self.url}/simulator/{path}", json=body, timeout=30)
        assert response.status_code == 200, response.text
        return response.json()

    def configure(self, **change: Any) -> None:
        httpx.patch(f"{self.url}/simulator/configuration", json=change).raise_for_status()

    def raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}{path}", timeout=30, **more)

    def message(self, **form: str) -> httpx.Response:
        """A raw Messages create."""
        path = f"/2010-04-01/Accounts/{self.account}/Messages.json"
        return self.raw("POST", path, data=form, auth=(self.account, self.token))

    def status(self, sid: str) -> str:
        row = self.world.store.one("SELECT status FROM texts WHERE sid = ?", [sid])
        return str(row["status"])

    def settled(self) -> None:
        """Wait until nothing is left to happen."""
        until(lambda: not any(self.get("state")["waiting"].values()))

    def delivered(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("deliveries", limit=10_000, **query)["deliveries"]
        return found


def start(**options: Any) -> Running:
    """Start a simulator in this process."""
    wanted = Options(port=free_port(), **options)
    return Running(f"http://127.0.0.1:{wanted.port}", wanted, Thread(server_for(wanted)))


@pytest.fixture(scope="session")
def shared_simulator() -> Iterator[Running]:
    running = start(speed=FAST)
    yield running
    running.thread.stop()


@pytest.fixture
def simulator(shared_simulator: Running) -> Running:
    """An emptied simulator whose time runs 600 times as fast."""
    shared_simulator.post("reset", configuration=True)
    shared_simulator.post("clock", speed=FAST)
    shared_simulator.post("faults", rates={}, seed=0, hang_s=60, burst_s=2, delay_s=259_200, repeat_most=46)
    return shared_simulator


@dataclass
class Heard:
    """One webhook as it came."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Ear:
    """Hears webhooks; answers as told."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: Callable[[Heard], Response] = lambda heard: Response(status_code=204)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        app = Starlette(routes=[Route("/{path:path}", self._hear, methods=["POST"])])
        self.thread = Thread(uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False)))

    async def _hear(self, request: Request) -> Response:
        heard = Heard(request.url.path, request.url.query, dict(request.headers), await request.body())
        self.heard.append(heard)
        return self.answers(heard)

    def wait(self, number: int = 1, path: str = "") -> list[Heard]:
        """Wait for so many webhooks, and return all there are."""
        return until(lambda: found if len(found := [one for one in self.heard if path in one.path]) >= number else None)


@pytest.fixture(scope="session")
def shared_ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.thread.stop()


@pytest.fixture
def ear(shared_ear: Ear) -> Ear:
    """An ear that has heard nothing yet."""
    shared_ear.heard.clear()
    shared_ear.answers = lambda heard: Response(status_code=204)
    return shared_ear


@pytest.fixture
def make_simulator(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a simulator with options of one's own."""
    started: list[Running] = []

    def make(**options: Any) -> Running:
        started.append(start(**options))
        return started[-1]

    yield make
    for running in started:
        running.thread.stop()
