"""The web door in tests: a real database and inbox, and an engine that is a table of answers."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.answering import Mind
from bot.assembly import Application
from bot.base.database import Database
from bot.base.errors import EngineUnavailable
from bot.base.settings import REPOSITORY, Settings
from bot.base.vault import BlindIndex, Vault
from bot.conversations.engine import Guess, Understanding
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking import proposal, publication
from bot.conversations.speaking.publication import Library
from bot.inbox import Inbox
from bot.web.__main__ import server_for
from bot.web.app import create_app
from bot.web.limits import UNLIMITED, Limits
from tests.conftest import Keys
from tests.engine.running import free_port
from tests.make import FakeClock


@dataclass
class TableEngine:
    """Understands what stands in its table, and a plain question about what happened in anything else."""

    table: dict[str, str] = field(default_factory=dict)
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    def ask(self, key: str, text: str, language: str) -> Understanding:
        """Understand a text."""
        self.asked.append(text)
        return self._about(self.table.get(text, "what_happened"))

    def press(self, key: str, topic: str, language: str) -> Understanding:
        """Follow a topic."""
        return self._about(topic)

    def _about(self, topic: str) -> Understanding:
        self.may_answer.wait(60)
        if self.is_down:
            raise EngineUnavailable("down")
        return Understanding((topic,), (), (Guess(topic, 0.98),))

    def healthy(self) -> bool:
        """Whether it would answer."""
        return not self.is_down

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Rings:
    """A doorbell that remembers who rang."""

    kinds: list[str] = field(default_factory=list)

    def ring(self, kind: str) -> None:
        """Remember."""
        self.kinds.append(kind)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def engine() -> TableEngine:
    """The engine of this test."""
    return TableEngine()


@pytest.fixture(scope="session")
def content() -> dict[str, Any]:
    """What the repository proposes to say."""
    return proposal.read(REPOSITORY / "data")


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> Settings:
    """Settings of a development machine."""
    return Settings(_env_file=None, home=tmp_path, database_url=sqlite_url)


@pytest.fixture
def application(settings: Settings, keys: Keys, clock: FakeClock, engine: TableEngine) -> Iterator[Application]:
    """The application with nothing published."""
    database, library, vault = Database(settings.database), Library(), Vault(keys.vault)
    # The words of danger have tests of their own; here nothing is to come between a turn and the engine.
    mind = Mind(engine, Lexicon((), {}, {}, {}))
    made = Application(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        index=BlindIndex(keys.index),
        doorbell=Rings(),  # type: ignore[arg-type]
        engine=engine,  # type: ignore[arg-type]
        library=library,
        inbox=Inbox(database, vault, mind, library, clock),
    )
    yield made
    made.close()


@pytest.fixture
def published(application: Application, content: dict[str, Any], clock: FakeClock) -> Application:
    """The application with the repository's texts in force."""
    with application.database.writing() as session:
        proposed = publication.propose(session, content, by="demo editor", at=clock())
        publication.approve(session, proposed.id, by="demo approver", at=clock())
    return application


class Patient:
    """A browser with a cookie jar that knows how to ask."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def open(self, **body: str) -> dict[str, Any]:
        """Open a thread."""
        answer = self.client.post("/api/chat/session", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def say(self, text: str, client_id: str | None = None) -> Any:
        """Send a turn."""
        return self.client.post("/api/chat/turns", json={"client_id": client_id or str(uuid.uuid4()), "text": text})

    def press(self, choice: str) -> Any:
        """Press a button."""
        return self.client.post("/api/chat/turns", json={"client_id": str(uuid.uuid4()), "choice": choice})


@contextmanager
def serving(application: Application, limits: Limits = UNLIMITED, port: int = 0) -> Iterator[str]:
    """A web process's server in a thread of this one; gives its address."""
    port = port or free_port()
    server = server_for(create_app(application, limits), "127.0.0.1", port)
    thread = threading.Thread(target=server.run, name="web")
    thread.start()
    eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def address(published: Application) -> Iterator[str]:
    """The address of a door without limits."""
    with serving(published) as at:
        yield at


@pytest.fixture
def browsers(address: str) -> Iterator[Callable[[], Patient]]:
    """Makes browsers of their own before one and the same door."""
    with ExitStack() as opened:
        yield lambda: Patient(opened.enter_context(httpx.Client(base_url=address, trust_env=False, timeout=30)))


@pytest.fixture
def patient(browsers: Callable[[], Patient]) -> Patient:
    """One browser."""
    return browsers()


def eventually(is_so: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until something is so, and give it back; fails after some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = is_so()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it never came to be so")
