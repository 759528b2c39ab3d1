"""A patient, a browser, the web process and the engine that was trained from the repository."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import Keys
from tests.e2e.conftest import Site, Watch, running_site
from tests.engine.running import running_engine, trained_model

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def real_site(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Site]:
    """A site before the real engine."""
    with (
        running_engine(trained_model()) as engine,
        running_site(tmp_path_factory.mktemp("real"), keys, engine_url=engine.url, token=engine.token) as site,
    ):
        yield site


@pytest.mark.parametrize(
    ("lang", "question", "in_answer"),
    [
        ("en", "What happened to your computer system?", "4 May 2023"),
        ("zh-Hant", "究竟發生了甚麼事？", "2023年5月4日"),
        ("zh-Hans", "请问发生了什么事？", "2023年5月4日"),
    ],
)
def test_a_question_in_the_browser_is_understood_and_answered(
    browser: Browser, real_site: Site, lang: str, question: str, in_answer: str
) -> None:
    watch = Watch(real_site.address)
    context = browser.new_context(base_url=real_site.address, locale="en-GB")
    page = context.new_page()
    watch.over(page)
    page.goto(f"/chat?lang={lang}")
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    expect(page.locator("#log .from-bot")).to_have_count(2, timeout=15000)
    expect(page.locator("#log .from-bot .words").last).to_contain_text(in_answer)
    context.close()
    assert watch.complaints == []
    assert watch.strangers == []
