"""The widget as it is in earnest: the chat over https, the clinic's page on another site, third-party cookies blocked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

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
