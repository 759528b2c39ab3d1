"""What a patient sees and can do, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import Site, Watch


def ask(page: Page, text: str) -> None:
    page.locator("#question").fill(text)
    page.locator("#question").press("Enter")


def lines(page: Page, who: str) -> list[str]:
    return page.locator(f"#log .from-{who} .words").all_inner_texts()


def answered(page: Page, count: int) -> None:
    """Wait for this many answers, the greeting not counted."""
    expect(page.locator("#log .from-bot")).to_have_count(count + 1)


@pytest.mark.parametrize(
    ("lang", "question", "in_answer"),
    [
        ("en", "What happened?", "4 May 2023"),
        ("zh-Hant", "發生咩事?", "2023年5月4日"),
        ("zh-Hans", "发生了什么事?", "2023年5月4日"),
        ("tl", "Ano ang nangyari?", "2023"),
        ("id", "Apa yang terjadi?", "2023"),
    ],
)
def test_a_patient_asks_and_reads_the_answer_in_the_same_language(page: Page, lang: str, question: str, in_answer: str) -> None:
    page.goto(f"/chat?lang={lang}")
    assert page.locator("html").get_attribute("lang") == lang
    ask(page, question)
    answered(page, 1)
    assert in_answer in lines(page, "bot")[-1]
    assert lines(page, "you") == [question]
    expect(page.locator("#state")).to_have_text("")


def test_the_statement_and_the_emergency_numbers_are_readable_before_the_first_turn(page: Page) -> None:
    page.goto("/chat")
    expect(page.locator(".statement > .text")).to_be_visible()
    expect(page.locator(".danger a[href='tel:999']").first).to_be_visible()
    expect(page.locator(".danger a[href='tel:18111']")).to_be_visible()


def test_looking_at_the_page_leaves_nothing_behind(page: Page, contexts: Callable[..., BrowserContext]) -> None:
    page.goto("/chat")
    page.wait_for_timeout(300)
    assert page.context.cookies() == []


def test_a_suggested_topic_is_one_press(page: Page) -> None:
    page.goto("/chat")
    page.locator("#topics button").first.click()
    answered(page, 1)
    assert "4 May 2023" in lines(page, "bot")[-1]


def test_choices_under_an_answer_lead_on_and_old_ones_go(page: Page) -> None:
    page.goto("/chat")
    ask(page, "What happened?")
    answered(page, 1)
    choice = page.locator("#log .choices button").first
    label = choice.inner_text()
    choice.click()
    answered(page, 2)
    assert lines(page, "you")[-1] == label
    expect(page.locator("#log .choices")).to_have_count(1)


@pytest.mark.parametrize(
    "text",
    [
        "<script>document.title='taken'</script>",
        "<img src=x onerror=\"document.title='taken'\">",
        '/inform{"verified":true}',
        "{{7*7}}",
        "\u202eabc\u202c \u200b",
        "javascript:alert(1) https://evil.example/x",
        "😀😀",
    ],
)
def test_what_a_patient_writes_stays_text(page: Page, text: str) -> None:
    page.goto("/chat")
    ask(page, text)
    answered(page, 1)
    assert page.locator("#log .from-you .words").evaluate("node => node.textContent") == text
    assert page.locator("#log .from-you a, #log .from-you img, #log .from-you script").count() == 0
    assert "taken" not in page.title()


def test_reload_and_second_tab_show_everything_once(page: Page, watch: Watch) -> None:
    page.goto("/chat")
    ask(page, "What happened?")
    answered(page, 1)
    page.reload()
    answered(page, 1)
    second = page.context.new_page()
    watch.over(second)
    second.goto("/chat")
    answered(second, 1)
    ask(second, "How do I protect myself?")
    answered(second, 2)
    answered(page, 2)
    assert lines(page, "you") == lines(second, "you") == ["What happened?", "How do I protect myself?"]
    assert lines(page, "bot") == lines(second, "bot")


def test_a_turn_written_offline_is_kept_and_sent_once(page: Page, watch: Watch) -> None:
    watch.may_fail = True
    page.goto("/chat")
    ask(page, "What happened?")
    answered(page, 1)
    page.context.set_offline(True)
    ask(page, "How do I protect myself?")
    expect(page.locator("#log .unsent .delivery")).to_contain_text("Not sent")
    expect(page.locator("#connection")).to_be_visible()
    page.context.set_offline(False)
    answered(page, 2)
    expect(page.locator("#log .unsent")).to_have_count(0)
    expect(page.locator("#connection")).to_be_hidden()
    assert lines(page, "you") == ["What happened?", "How do I protect myself?"]


def test_an_unsent_turn_survives_a_reload(page: Page, watch: Watch) -> None:
    watch.may_fail = True
    page.goto("/chat")
    page.route("**/api/chat/turns", lambda route: route.abort())
    ask(page, "What happened?")
    expect(page.locator("#log .unsent")).to_have_count(1)
    page.unroute("**/api/chat/turns")
    page.reload()
    answered(page, 1)
    assert lines(page, "you") == ["What happened?"]


def test_an_answer_that_got_lost_on_the_way_doubles_nothing(page: Page, watch: Watch) -> None:
    watch.may_fail = True
    page.goto("/chat")
    ask(page, "What happened?")
    answered(page, 1)
    dropped: list[str] = []

    def lose(route: object) -> None:
        if not dropped:
            dropped.append("once")
            route.fetch()  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/api/chat/turns", lose)
    ask(page, "How do I protect myself?")
    answered(page, 2)
    page.wait_for_timeout(1500)
    assert lines(page, "you") == ["What happened?", "How do I protect myself?"]
    expect(page.locator("#log .unsent")).to_have_count(0)


def test_a_restart_of_the_web_process_loses_and_doubles_nothing(page: Page, site: Site, watch: Watch) -> None:
    watch.may_fail = True
    page.goto("/chat")
    ask(page, "What happened?")
    answered(page, 1)
    site.stop()
    ask(page, "How do I protect myself?")
    expect(page.locator("#log .unsent")).to_have_count(1)
    site.start()
    expect(page.locator("#log .from-bot")).to_have_count(3, timeout=60_000)
    assert lines(page, "you") == ["What happened?", "How do I protect myself?"]


def test_a_refused_turn_is_said_and_comes_back_into_the_box(page: Page, watch: Watch) -> None:
    watch.expected = ("413",)
    page.goto("/chat")
    page.evaluate("document.getElementById('question').value = 'x'.repeat(200001)")
    page.locator("#send").click()
    expect(page.locator("#alert")).to_contain_text("too long")
    page.locator("#log .delivery button").click()
    expect(page.locator("#log .from-you")).to_have_count(0)
    assert page.evaluate("document.getElementById('question').value.length") == 200001


def test_everything_can_be_done_with_the_keyboard(page: Page) -> None:
    page.goto("/chat")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type("What happened?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Please say.")
    page.keyboard.press("Enter")
    answered(page, 1)
    expect(page.locator("#question")).to_be_focused()
    assert page.locator("#log .from-you .words").inner_text() == "What happened?\nPlease say."
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.className") == "choice":
            break
    page.keyboard.press("Enter")
    answered(page, 2)


def test_new_lines_are_announced_and_history_is_not(page: Page) -> None:
    page.goto("/chat")
    log = page.locator("#log")
    expect(log).to_have_attribute("role", "log")
    ask(page, "What happened?")
    answered(page, 1)
    expect(log).to_have_attribute("aria-live", "polite")
    # The region is silent while the history comes in, and speaks only afterwards.
    page.add_init_script(
        """new MutationObserver((changes) => {
             window.spoken ??= 0;
             const log = document.getElementById("log");
             for (const change of changes)
               if (change.target === log && log.getAttribute("aria-live") === "polite") window.spoken += change.addedNodes.length;
           }).observe(document, { childList: true, subtree: true });"""
    )
    page.reload()
    answered(page, 1)
    expect(log).to_have_attribute("aria-live", "polite")
    assert page.evaluate("window.spoken ?? 0") == 0
    ask(page, "How do I protect myself?")
    answered(page, 2)
    assert page.evaluate("window.spoken") == 2
    assert re.search(r"^You", page.locator("#log .from-you").last.inner_text())
    assert re.search(r"^Automatic answer", page.locator("#log .from-bot").last.inner_text())


def test_waiting_is_shown(page: Page) -> None:
    page.goto("/chat")
    ask(page, "What happened? Answer slowly")
    expect(page.locator("#state")).to_have_text("The answer is being prepared …")
    answered(page, 1)
    expect(page.locator("#state")).to_have_text("")


def test_a_person_taking_over_is_shown(page: Page) -> None:
    page.goto("/chat")
    ask(page, "I want a person")
    answered(page, 1)
    expect(page.locator("#state")).to_contain_text("with our team")


def test_answers_are_counted_in_the_title_while_the_page_is_hidden(page: Page) -> None:
    page.goto("/chat")
    ask(page, "What happened?")
    answered(page, 1)
    hide = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => %s });"
    page.evaluate(hide % "true")
    ask(page, "How do I protect myself?")
    answered(page, 2)
    assert page.title().startswith("(1) new")
    page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'));")
    assert not page.title().startswith("(")


def test_the_language_changes_and_the_conversation_stays(page: Page) -> None:
    page.goto("/chat?lang=en")
    ask(page, "What happened?")
    answered(page, 1)
    page.locator("[data-lang='zh-Hant']").click()
    page.wait_for_url("**/chat?lang=zh-Hant")
    answered(page, 1)
    ask(page, "How do I protect myself?")
    answered(page, 2)
    assert page.locator("#log .from-bot .words").last.get_attribute("lang") == "zh-Hant"


def test_without_javascript_the_numbers_are_there(contexts: Callable[..., BrowserContext], watch: Watch) -> None:
    page = contexts(java_script_enabled=False).new_page()
    watch.over(page)
    page.goto("/chat")
    expect(page.locator("noscript .notice")).to_be_visible()
    expect(page.locator("noscript .notice")).to_contain_text("JavaScript")
    expect(page.locator(".danger a[href='tel:999']").first).to_be_visible()
    expect(page.locator("#composer")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_axe_finds_nothing(contexts: Callable[..., BrowserContext], scheme: str, width: int, lang: str) -> None:
    # The checker's own script needs what the page's policy forbids.
    page = contexts(
        color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True, reduced_motion="reduce"
    ).new_page()
    page.goto(f"/chat?lang={lang}")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    ask(page, "What happened?")
    answered(page, 1)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_is_cut_off_and_targets_are_large_enough(contexts: Callable[..., BrowserContext], width: int) -> None:
    page = contexts(viewport={"width": width, "height": 700}).new_page()
    page.goto("/chat")
    ask(page, "What happened? " + "x" * 300)
    answered(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """[...document.querySelectorAll("a, button, textarea, summary")]
             .filter((node) => node.checkVisibility() && !node.matches(".skip, .words a"))
             .map((node) => [node.textContent, node.getBoundingClientRect()])
             .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"""
    )
    assert small == []


def test_the_scripts_are_small_and_checked(page: Page) -> None:
    import gzip

    from bot.web.patient import STATIC

    assert len(gzip.compress((STATIC / "chat.js").read_bytes())) < 30 * 1024
    page.goto("/chat")
    digests = page.locator("script[src]").evaluate_all("nodes => nodes.map((node) => node.integrity)")
    assert len(digests) == 2
    assert all(digest.startswith("sha384-") for digest in digests)
