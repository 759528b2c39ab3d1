"""What every test may ask for: databases of both kinds, keys, a clock, what was logged."""

from __future__ import annotations

import logging
import os
import random
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck
from playwright.sync_api import Playwright, sync_playwright

from bot.base.database import Database
from bot.base.schema import migrate
from bot.base.vault import BlindIndex, Vault, new_key
from bot.desk.staff import secrecy
from tests.make import FakeClock
from tests.servers import PostgresServer

hypothesis.settings.register_profile(
    # A change is judged by the same examples twice, and by no clock: a busy machine is not a defect.
    "steady",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
hypothesis.settings.load_profile("steady")

_SYSTEM = secrets._sysrand  # type: ignore[attr-defined]


def _draw_from(source: random.Random) -> None:
    secrets._sysrand, secrets.choice, secrets.randbits = source, source.choice, source.getrandbits  # type: ignore[attr-defined]


def pytest_configure(config: pytest.Config) -> None:
    """Keys, references and codes are the same in every run, except where one explores; processes of their own draw freely."""
    if config.getoption("--hypothesis-profile") != "explore":
        _draw_from(random.Random("session"))
        os.register_at_fork(after_in_child=lambda: _draw_from(_SYSTEM))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each test has its own row of chance, whichever ran before it."""
    random.seed(item.nodeid)
    if secrets._sysrand is not _SYSTEM:  # type: ignore[attr-defined]
        _draw_from(random.Random(item.nodeid))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for PostgreSQL by name is marked `postgres`."""
    for item in items:
        if any(name.endswith("postgres_url") for name in getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(scope="session", autouse=True)
def _light_passwords() -> Iterator[None]:
    """Passwords cost as little work as Argon2 can be told to: what it costs in earnest is no test's question but one's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrecy, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until it is moved."""
    return FakeClock()


@dataclass(frozen=True, repr=False)
class Keys:
    """The secrets of a test installation."""

    vault: str
    index: str
    audit: str


@pytest.fixture(scope="session")
def keys() -> Keys:
    """Fresh keys of each purpose."""
    return Keys(vault=new_key("v1"), index=new_key("i1"), audit=new_key("a1"))


@pytest.fixture
def vault(keys: Keys) -> Vault:
    """A vault with one key."""
    return Vault(keys.vault)


@pytest.fixture
def index(keys: Keys) -> BlindIndex:
    """A blind index with one key."""
    return BlindIndex(keys.index)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Everything that was logged in this test from DEBUG on, as one text with tracebacks."""
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of the browser: one for the whole run, since two cannot stand in one process."""
    with sync_playwright() as driver:
        yield driver


# ---------------------------------------------------------------- databases


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file migrated once, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "candour.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """The address of a migrated SQLite database of this test's own."""
    path = tmp_path / "candour.sqlite3"
    shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test run's own."""
    server = PostgresServer()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a database migrated once, to be copied."""
    name = postgres_server.make(name="candour_template")
    migrate(postgres_server.url(name))
    return name


@pytest.fixture(scope="session")
def postgres_copies(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Callable[[], str]]:
    """Gives the names of migrated databases."""
    with postgres_server.copies(postgres_template) as take:
        yield take


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_copies: Callable[[], str]) -> Iterator[str]:
    """The address of a migrated PostgreSQL database of this test's own."""
    name = postgres_copies()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'empty.sqlite3'}"


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a PostgreSQL database without a table."""
    name = postgres_server.make()
    yield postgres_server.url(name)
    postgres_server.drop(name)


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated database, once per kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=BOTH)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, once per kind."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, migrated database, once per kind."""
    opened = Database(database_url)
    yield opened
    opened.close()
