"""The widget as it is in earnest: the chat over https, the clinic's page on another site, third-party cookies blocked."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.base.settings import REPOSITORY
from tests.conftest import Keys
from tests.e2e.conftest import Embedding, Site, running_site
from tests.e2e.host_site import running_host
from tests.e2e.test_widget import answered, ask, frame_of, open_widget
from tests.e2e.tls import tls_before
from tests.engine.running import free_port


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, keys: Keys, stand_in: str) -> Iterator[Embedding]:
    """A clinic's site, and the chat behind a proxy that speaks TLS."""
    home, port = tmp_path_factory.mktemp("secure"), free_port()
    public = f"https://127.0.0.1:{port}"
    with running_host(free_port()) as host:
        more = {"CANDOUR_EMBED_ORIGINS": host.foreign, "CANDOUR_PUBLIC_URL": public}
        with running_site(home, keys, engine_url=stand_in, token="-", more=more) as site, tls_before(port, site.port, home):
            # The clinic's page knows only the public address.
            made = Embedding(host, Site(home, {}, site.port))
            made.reset()
            for name in ("script", "policy"):
                setattr(host, name, getattr(host, name).replace(site.address, public))
            yield made


def test_the_conversation_lasts_over_https(wary_browser: Browser, secure: Embedding) -> None:
    context = wary_browser.new_context(ignore_https_errors=True, locale="en-GB")
    complaints: list[str] = []
    page: Page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    frame = open_widget(page, secure.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    [cookie] = context.cookies()
    assert cookie["name"] == "__Host-candour"
    assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("None", True, True)
    assert cookie["partitionKey"] == "http://localhost"  # type: ignore[typeddict-item]
    page.reload()
    answered(frame_of(page), 1)
    frame_of(page).locator("#forget").click()
    frame_of(page).locator("#forget").click()
    expect(frame_of(page).locator("body")).to_have_attribute("data-known", "no")
    assert context.cookies() == []
    assert complaints == []
    context.close()


@pytest.fixture(scope="module")
def sub_domains(tmp_path_factory: pytest.TempPathFactory, keys: Keys, stand_in: str) -> Iterator[tuple[str, str]]:
    """A clinic's page on one sub-domain and the chat on another, both over https: their addresses."""
    home, chat_port, page_port = tmp_path_factory.mktemp("sub-domains"), free_port(), free_port()
    chat, clinic = f"https://help.clinic.localhost:{chat_port}", f"https://www.clinic.localhost:{page_port}"
    with running_host(free_port()) as host:
        more = {"CANDOUR_EMBED_ORIGINS": clinic, "CANDOUR_PUBLIC_URL": chat}
        with (
            running_site(home, keys, engine_url=stand_in, token="-", more=more) as site,
            tls_before(chat_port, site.port, home),
            tls_before(page_port, host.port, home),
        ):
            # What the command prints is all that the site needs.
            command = [sys.executable, "-m", "bot.cli", "widget-snippet"]
            printed = subprocess.run(
                command, env=site.environment, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=120
            ).stdout
            script = re.search(r"<script .*?</script>", " ".join(printed.split()))
            assert script is not None, printed
            host.script = script[0]
            sources = re.findall(r"^((?:script|frame)-src .*?) *$", printed, re.MULTILINE)
            assert len(sources) == 2, printed
            host.policy = "; ".join(("default-src 'self'", *sources))
            yield clinic, chat


def test_on_another_sub_domain_widget_and_page_are_one_conversation(wary_browser: Browser, sub_domains: tuple[str, str]) -> None:
    clinic, chat = sub_domains
    context = wary_browser.new_context(ignore_https_errors=True, locale="en-GB")
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    frame = open_widget(page, clinic)
    ask(frame, "What happened?")
    answered(frame, 1)
    [cookie] = context.cookies()
    assert cookie["name"] == "__Host-candour"
    assert cookie["domain"] == "help.clinic.localhost"
    assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("Lax", True, True)
    page.reload()
    answered(frame_of(page), 1)
    page.goto(f"{chat}/chat")
    expect(page.locator("#log .from-you .words")).to_have_text("What happened?")
    # The notice shows the same conversation in its own widget.
    page.goto(f"{chat}/")
    page.locator("candour-widget .launcher").click()
    answered(frame_of(page), 1)
    assert complaints == []
    context.close()
