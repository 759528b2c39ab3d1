"""A real browser before a real web process; only the engine is a stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.schema import migrate
from bot.base.settings import REPOSITORY
from bot.conversations.speaking import proposal, publication
from bot.web.limits import UNLIMITED
from bot.web.shield import LOADER_INTEGRITY, LOADER_PATH
from tests.conftest import Keys
from tests.e2e.host_site import Host, running_host
from tests.engine.running import free_port

PATIENCE_MS = 60_000
"""How long to wait for what should be so at once: CI has two cores, and both are busy."""

expect.set_options(timeout=PATIENCE_MS)

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever lives here needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.fail("These tests need Chromium and Chinese fonts: apt-get install chromium fonts-noto-cjk", pytrace=False)
    return found


@dataclass
class Site:
    """A running web process with its stand-in engine; it can be stopped and started again."""

    home: Path
    environment: dict[str, str]
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """What to type into the browser."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the web process and wait until it answers."""
        with (self.home / "web.log").open("ab") as log:
            command = [sys.executable, "-m", "bot.web"]
            web = subprocess.Popen(command, cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log)
        self.processes.append(web)
        end = time.monotonic() + 90
        while time.monotonic() < end and web.poll() is None:
            try:
                if httpx.get(f"{self.address}/health/live", trust_env=False, timeout=60).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"the web process did not start:\n{(self.home / 'web.log').read_text()}")

    def stop(self) -> None:
        """Stop the web process as a supervisor does."""
        web = self.processes.pop()
        web.terminate()
        assert web.wait(45) in (0, -15)


@contextmanager
def running_site(home: Path, keys: Keys, *, engine_url: str, token: str, more: Mapping[str, str] | None = None) -> Iterator[Site]:
    """A site with the repository's texts in force, before the engine at this address."""
    url = f"sqlite:///{home / 'candour.sqlite3'}"
    migrate(url)
    _publish(url)
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CANDOUR_")},
        "CANDOUR_HOME": str(home),
        "CANDOUR_WEB_PORT": str(port),
        "CANDOUR_ENGINE_URL": engine_url,
        "CANDOUR_ENGINE_TOKEN": token,
        "CANDOUR_VAULT_KEYS": keys.vault,
        "CANDOUR_INDEX_KEYS": keys.index,
        "CANDOUR_AUDIT_KEYS": keys.audit,
        # All browsers of the tests share one address.
        **{f"CANDOUR_LIMIT_{name.upper()}": str(allowed) for name, allowed in asdict(UNLIMITED).items()},
        **(more or {}),
    }
    made = Site(home, environment, port)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def stand_in() -> Iterator[str]:
    """The address of the stand-in engine."""
    port = free_port()
    engine = subprocess.Popen([sys.executable, str(Path(__file__).with_name("stand_in_engine.py")), str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        engine.terminate()
        engine.wait(10)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, keys: Keys, stand_in: str) -> Iterator[Site]:
    """A site before the stand-in engine."""
    with running_site(tmp_path_factory.mktemp("site"), keys, engine_url=stand_in, token="-") as made:
        yield made


def _publish(url: str) -> None:
    database = Database(url)
    with database.writing() as session:
        at = system_clock()
        proposed = publication.propose(session, proposal.read(REPOSITORY / "data"), by="demo editor", at=at)
        publication.approve(session, proposed.id, by="demo approver", at=at)
    database.close()


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """One browser for all tests; each test has contexts of its own."""
    opened = playwright.chromium.launch(executable_path=chromium, args=QUIET)
    yield opened
    opened.close()


@dataclass
class Watch:
    """What went wrong in the pages of a test."""

    own: str | tuple[str, ...]
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    may_fail: bool = False
    expected: tuple[str, ...] = ()
    """What the browser itself reports of what a test does on purpose; it may come late, so it is named beforehand."""
    heard: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Watch a page from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: None if request.url.startswith(self.own) else self.strangers.append(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning") or (self.may_fail and "net::ERR" in message.text):
            return
        is_expected = any(words in message.text for words in self.expected)
        (self.heard if is_expected else self.complaints).append(message.text)

    def hears(self, page: Page, words: str) -> None:
        """Wait until the browser has reported something that was expected."""
        for _ in range(200):
            if any(words in said for said in self.heard):
                return
            page.wait_for_timeout(100)
        raise AssertionError(f"the browser never said {words!r}: {self.heard}")


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """Fails a test whose pages complained, broke the policy or asked another host."""
    watching = Watch(site.address)
    yield watching
    assert watching.complaints == []
    assert watching.strangers == []


@pytest.fixture
def contexts(browser: Browser, site: Site) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser profiles of their own."""
    opened: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(base_url=site.address, **{"locale": "en-GB", **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def page(contexts: Callable[..., BrowserContext], watch: Watch) -> Page:
    """A page in a profile of its own."""
    made = contexts().new_page()
    watch.over(made)
    return made


@dataclass
class Embedding:
    """A clinic's site and the chat it embeds."""

    host: Host
    site: Site

    def reset(self) -> None:
        """The line and the policy as the handbook tells them."""
        ours = self.site.address
        self.host.lang, self.host.style, self.host.more = "en", "plain", {}
        self.host.script = (
            f'<script src="{ours}{LOADER_PATH}" integrity="{LOADER_INTEGRITY}" crossorigin="anonymous" defer></script>'
        )
        self.host.policy = (
            f"default-src 'self'; script-src 'self' {ours}; frame-src {ours}; object-src 'none'; base-uri 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )


@pytest.fixture(scope="session")
def running_embedding(tmp_path_factory: pytest.TempPathFactory, keys: Keys, stand_in: str) -> Iterator[Embedding]:
    """A clinic's site that may embed the chat, from another origin of the same site and from another site."""
    with running_host(free_port()) as host:
        allowed = {"CANDOUR_EMBED_ORIGINS": f"{host.same_site},{host.foreign}"}
        home = tmp_path_factory.mktemp("embedded")
        with running_site(home, keys, engine_url=stand_in, token="-", more=allowed) as site:
            yield Embedding(host, site)


@pytest.fixture
def embedding(running_embedding: Embedding) -> Embedding:
    """The same, as it is at first."""
    running_embedding.reset()
    return running_embedding


@pytest.fixture(scope="session")
def wary_browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """A browser that blocks third-party cookies, as browsers do today."""
    opened = playwright.chromium.launch(executable_path=chromium, args=[*QUIET, "--test-third-party-cookie-phaseout"])
    yield opened
    opened.close()


@pytest.fixture
def over(embedding: Embedding) -> Iterator[Watch]:
    """Fails a test whose pages complained, broke a policy, or asked a third host."""
    watching = Watch((embedding.host.same_site, embedding.host.foreign, embedding.site.address))
    yield watching
    assert watching.complaints == []
    assert watching.strangers == []


@pytest.fixture
def visitors(wary_browser: Browser, over: Watch) -> Iterator[Callable[..., Page]]:
    """Makes pages in browser profiles of their own."""
    opened: list[BrowserContext] = []

    def make(**options: object) -> Page:
        context = wary_browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 860}, **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        page = context.new_page()
        over.over(page)
        return page

    yield make
    for context in opened:
        context.close()
