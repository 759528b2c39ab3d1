"""The simulator's own page in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Playwright, expect

from tests.simulator.conftest import Ear, Running
from tests.simulator.test_sendgrid import changed
from tests.simulator.test_webhooks import NUMBER, PATIENT, WHATSAPP, events

pytestmark = pytest.mark.browser
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
TRICKY = (
    "<style>h1{color:teal}</style><h1>About your records</h1><script>parent.document.title = 'owned'</script><img src='/x.png'>"
)


@pytest.fixture(scope="module")
def browser_page(playwright: Playwright) -> Iterator[Page]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.fail("These tests need Chromium: apt-get install chromium fonts-noto-cjk", pytrace=False)
    browser = playwright.chromium.launch(executable_path=found, args=QUIET)
    yield browser.new_page(viewport={"width": 1280, "height": 820})
    browser.close()


@pytest.fixture
def page(browser_page: Page, simulator: Running) -> Page:
    simulator.post("clock", speed=10)
    browser_page.goto(simulator.url)
    return browser_page


def test_a_whatsapp_conversation_is_seen_live_and_typed_into(page: Page, simulator: Running, ear: Ear) -> None:
    simulator.configure(twilio={"inbound_url": f"{ear.url}/in"})
    page.get_by_text("Write first, as a patient").click()
    page.get_by_label("Channel", exact=True).select_option("whatsapp")
    page.locator("#new-text").fill("你好，我的病歷是否外洩？")
    page.locator("#new").get_by_role("button", name="Send").click()
    expect(page.get_by_role("log")).to_contain_text("你好，我的病歷是否外洩？")
    assert ear.wait(1, "/in")[0].form["From"] == f"whatsapp:{PATIENT}"
    simulator.twilio().messages.create(to=f"whatsapp:{PATIENT}", from_=WHATSAPP, body="我們正在核對。<b>not bold</b>")
    expect(page.get_by_role("log")).to_contain_text("我們正在核對。<b>not bold</b>")
    expect(page.get_by_role("log")).to_contain_text("delivered")
    page.get_by_label("Write back as the recipient").fill("多謝")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("多謝")
    assert ear.wait(2, "/in")[-1].form["Body"] == "多謝"


def test_an_email_is_shown_without_its_scripts_and_answered(page: Page, simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"event_url": f"{ear.url}/events", "parse_url": f"{ear.url}/parse"})
    content = [{"type": "text/plain", "value": "plain"}, {"type": "text/html", "value": TRICKY}]
    simulator.sendgrid().send(changed(content=content, reply_to={"email": "help@parse.clinic.test"}))
    page.get_by_role("button", name="E-mail wong@example.test").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="About your records")).to_be_visible()
    assert page.title() == "Provider simulator"
    expect(page.get_by_role("log")).to_contain_text("delivered")
    page.get_by_role("button", name="Mark as spam").click()
    ear.wait(1, "/events")
    page.get_by_label("Answer “About your records” as the recipient").fill("Is this real?")
    page.locator("#write").get_by_role("button", name="Send").click()
    expect(page.get_by_role("log")).to_contain_text("Re: About your records")
    assert b"help@parse.clinic.test" in ear.wait(1, "/parse")[0].body
    simulator.settled()
    assert [event["event"] for event in events(ear)][-1] == "spamreport"


def test_stop_on_the_phone_opts_out(page: Page, simulator: Running) -> None:
    simulator.twilio().messages.create(to=PATIENT, from_=NUMBER, body="Notice")
    page.get_by_role("button", name=f"SMS {PATIENT}").click()
    page.get_by_role("button", name="STOP").click()
    expect(page.get_by_role("log")).to_contain_text("You have successfully been unsubscribed")
    assert simulator.message(To=PATIENT, From=NUMBER, Body="x").json()["code"] == 21610


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_passes_axe_and_never_scrolls_sideways(page: Page, simulator: Running, width: int, scheme: str) -> None:
    simulator.twilio().messages.create(to=PATIENT, from_=NUMBER, body="Notice " + "x" * 300)
    simulator.sendgrid().send(changed())
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 820})
    for name in (f"SMS {PATIENT}", "E-mail wong@example.test"):
        page.get_by_role("button", name=name).click()
        expect(page.locator("#title")).to_contain_text(name.split()[-1])
        expect(page.get_by_role("log")).to_contain_text("delivered")
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 820})
    page.emulate_media(color_scheme="light")
