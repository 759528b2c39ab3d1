"""What patients may do with their conversation, on our page and in the widget: copy, forget, leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e.conftest import Embedding, Watch
from tests.e2e.test_widget import answered, ask, open_widget

WEATHER = "https://www.hko.gov.hk/"


@pytest.fixture(params=["page", "widget"])
def place(
    request: pytest.FixtureRequest, visitors: Callable[..., Page], embedding: Embedding
) -> tuple[Page, Page | FrameLocator]:
    """A window, and where in it the conversation is."""
    page = visitors()
    if request.param == "widget":
        return page, open_widget(page, embedding.host.foreign)
    page.goto(embedding.site.address + "/chat")
    return page, page


def test_there_is_nothing_to_copy_or_forget_before_the_first_turn(place: tuple[Page, FrameLocator]) -> None:
    _, chat = place
    expect(chat.locator("#leave")).to_be_visible()
    expect(chat.locator("#keep")).to_be_hidden()
    expect(chat.locator("#forget")).to_be_hidden()


def test_the_patient_takes_a_copy_home(place: tuple[Page, FrameLocator], tmp_path: Path) -> None:
    page, chat = place
    ask(chat, "What happened?")
    answered(chat, 1)
    with page.expect_download() as download:
        chat.locator("#keep").click()
    download.value.save_as(tmp_path / "copy.txt")
    copied = (tmp_path / "copy.txt").read_text()
    assert "You 20" in copied
    assert "What happened?" in copied
    assert copied.count("Automatic answer 20") == 2
    assert "Try again" not in copied


def test_this_device_forgets_after_being_asked_twice(place: tuple[Page, FrameLocator]) -> None:
    page, chat = place
    ask(chat, "What happened?")
    answered(chat, 1)
    chat.locator("#forget").click()
    expect(chat.locator("#own-said")).to_contain_text("Press once more")
    answered(chat, 1)
    chat.locator("#forget").click()
    expect(chat.locator("#own-said")).to_contain_text("Forgotten")
    expect(chat.locator("body")).to_have_attribute("data-known", "no")
    assert page.context.cookies() == []
    page.reload()
    expect(chat.locator("body")).to_have_attribute("data-known", "no")
    ask(chat, "How do I protect myself?")
    answered(chat, 1)
    assert chat.locator("#log .from-you .words").all_inner_texts() == ["How do I protect myself?"]


def test_leaving_quickly_goes_to_the_weather_and_not_back(place: tuple[Page, FrameLocator], over: Watch) -> None:
    page, chat = place
    ask(chat, "What happened?")
    answered(chat, 1)
    before = page.evaluate("history.length")
    page.route(f"{WEATHER}**", lambda route: route.fulfill(content_type="text/html", body="<title>Weather</title>"))
    chat.locator("#leave").click()
    expect(page).to_have_url(WEATHER)
    assert page.evaluate("history.length") == before
    over.strangers.clear()
