"""Conversations typed on the simulator's own page, in a browser: phone and mailbox, in three languages."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.channels.conftest import Post
from tests.simulator.test_page import QUIET

pytestmark = pytest.mark.browser

TONGUES = {
    "en": "What happened at the clinic?",
    "zh-Hant": "診所發生咩事 我想知我嘅資料係咪外洩咗",
    "tl": "Ano po ang nangyari sa klinika? Gusto ko pong malaman.",
}


@pytest.fixture(scope="module")
def browser_page(playwright: Playwright) -> Iterator[Page]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.fail("These tests need Chromium: apt-get install chromium fonts-noto-cjk", pytrace=False)
    browser = playwright.chromium.launch(executable_path=found, args=QUIET)
    yield browser.new_page(viewport={"width": 1280, "height": 900})
    browser.close()


@pytest.mark.parametrize("language", TONGUES)
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_whoever_types_on_the_page_is_answered_there_in_their_language(
    browser_page: Page, post: Post, channel: str, language: str
) -> None:
    page = browser_page
    question = TONGUES[language]
    page.goto(post.simulator)
    page.get_by_text("Write first, as a patient").click()
    page.get_by_label("Channel", exact=True).select_option(channel)  # its own suggestions say from whom and to whom
    if channel == "email":
        page.locator("#new-subject").fill("Records")
    page.locator("#new-text").fill(question)
    page.locator("#new").get_by_role("button", name="Send").click()
    log = page.get_by_role("log")
    expect(log).to_contain_text(question)
    expect(log).to_contain_text("1. ", timeout=30_000)
    expect(log).to_contain_text(re.compile("· (delivered|read)"), timeout=30_000)
    if channel == "email":
        expect(log).to_contain_text("Re: Recordscare@clinic.example")
        page.get_by_label("Answer “Re: Records” as the recipient").fill("１")
        page.keyboard.press("Enter")
        expect(log.locator("details.mail:not(.mine)").nth(1)).to_be_visible(timeout=30_000)
    else:
        before = log.locator("article:not(.mine)").count()
        page.get_by_label("Write back as the recipient").fill("１")
        page.keyboard.press("Enter")
        expect(log.locator("article:not(.mine)").nth(before)).to_be_visible(timeout=30_000)
    assert [thread.language for thread in post.threads()] == [language]
    assert post.engine.asked == [f"Records {question}" if channel == "email" else question]
