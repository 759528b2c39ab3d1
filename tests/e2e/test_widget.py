"""What a patient sees and can do in the widget on a clinic's own site, whose browser blocks third-party cookies."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, FrameLocator, Page, Request, Route, expect

from tests.e2e.conftest import Embedding, Watch

WCAG = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "iframes": False,
}
TONGUES = [
    ("en", "en", "Data incident: ask us", "What happened?", "4 May 2023"),
    ("zh-HK", "zh-Hant", "資料事故查詢", "發生咩事?", "2023年5月4日"),
    ("zh-CN", "zh-Hans", "数据事故查询", "发生了什么事?", "2023年5月4日"),
]


def launcher(page: Page) -> object:
    return page.locator("candour-widget .launcher")


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("candour-widget iframe")


def inside(page: Page) -> Frame:
    found = [frame for frame in page.frames if "/widget?" in frame.url]
    assert len(found) == 1
    return found[0]


def open_widget(page: Page, address: str) -> FrameLocator:
    page.goto(address)
    page.locator("candour-widget .launcher").click()
    frame = frame_of(page)
    expect(frame.locator("#close")).to_be_visible()
    return frame


def ask(frame: FrameLocator, text: str) -> None:
    frame.locator("#question").fill(text)
    frame.locator("#question").press("Enter")


def answered(frame: FrameLocator, count: int) -> None:
    """Wait for this many answers, the greeting not counted."""
    expect(frame.locator("#log .from-bot")).to_have_count(count + 1)


def lines(frame: FrameLocator, who: str) -> list[str]:
    return frame.locator(f"#log .from-{who} .words").all_inner_texts()


# ---------------------------------------------------------------- talking


@pytest.mark.parametrize(("tag", "lang", "label", "question", "in_answer"), TONGUES)
def test_a_patient_opens_reads_asks_and_is_answered(
    visitors: Callable[..., Page], embedding: Embedding, tag: str, lang: str, label: str, question: str, in_answer: str
) -> None:
    embedding.host.lang = tag
    page = visitors()
    page.goto(embedding.host.foreign)
    expect(launcher(page)).to_have_text(label)  # type: ignore[arg-type]
    frame = open_widget(page, embedding.host.foreign)
    assert frame.locator("html").get_attribute("lang") == lang
    expect(frame.locator(".statement > .text")).to_be_visible()
    expect(frame.locator("a[href='tel:999']").first).to_be_in_viewport()
    expect(frame.locator("a[href='tel:18111']")).to_be_in_viewport()
    ask(frame, question)
    answered(frame, 1)
    assert in_answer in lines(frame, "bot")[-1]
    assert lines(frame, "you") == [question]
    # It is still there when the answer is being read.
    expect(frame.locator("a[href='tel:999']").first).to_be_in_viewport()
    expect(frame.locator("#log .from-bot .words").last.locator("p").first).to_be_in_viewport()


def test_looking_at_the_site_loads_no_chat_and_leaves_nothing_behind(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    page.goto(embedding.host.foreign)
    expect(launcher(page)).to_be_visible()  # type: ignore[arg-type]
    assert len(page.frames) == 1
    open_widget(page, embedding.host.foreign)
    assert page.context.cookies() == []


def test_the_cookie_lives_in_the_partition_of_the_site(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    [cookie] = page.context.cookies()
    assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("None", True, True)
    assert cookie["partitionKey"] == "http://localhost"  # type: ignore[typeddict-item]
    # The same person on our own page, or on another site, is somebody else there.
    page.goto(embedding.site.address + "/chat")
    assert page.locator("body").get_attribute("data-known") == "no"


def test_on_the_same_site_one_cookie_serves_widget_and_page(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.same_site)
    ask(frame, "What happened?")
    answered(frame, 1)
    [cookie] = page.context.cookies()
    assert cookie["sameSite"] == "Lax"
    page.goto(embedding.site.address + "/chat")
    expect(page.locator("#log .from-bot")).to_have_count(2)


def test_reload_second_tab_and_other_pages_show_everything_once(
    visitors: Callable[..., Page], embedding: Embedding, over: Watch
) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    page.reload()
    answered(frame_of(page), 1)  # it opened by itself, as it was left
    page.locator("#last").click()
    answered(frame_of(page), 1)
    second = page.context.new_page()
    over.over(second)
    other = open_widget(second, embedding.host.foreign)
    answered(other, 1)
    ask(other, "How do I protect myself?")
    answered(other, 2)
    answered(frame_of(page), 2)
    assert lines(frame_of(page), "you") == lines(other, "you") == ["What happened?", "How do I protect myself?"]
    assert lines(frame_of(page), "bot") == lines(other, "bot")


def test_a_turn_written_offline_is_kept_and_sent_once_with_its_own_id(
    visitors: Callable[..., Page], embedding: Embedding, over: Watch
) -> None:
    over.may_fail = True
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    sent: list[str] = []
    page.on(
        "request",
        lambda request: sent.append(json.loads(request.post_data or "{}")["client_id"]) if "/turns" in request.url else None,
    )
    page.context.set_offline(True)
    ask(frame, "How do I protect myself?")
    expect(frame.locator("#log .unsent .delivery")).to_contain_text("Not sent")
    expect(frame.locator("#connection")).to_be_visible()
    page.context.set_offline(False)
    answered(frame, 2)
    expect(frame.locator("#log .unsent")).to_have_count(0)
    assert lines(frame, "you") == ["What happened?", "How do I protect myself?"]
    assert len(sent) >= 2
    assert len(set(sent)) == 1


def warns(page: Page) -> bool:
    """Whether the frame would ask before it is left.

    The page is asked, not the browser: that one leaves without a question when a busy machine keeps the frame from
    answering for half a second.
    """
    asked = "() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    return bool(inside(page).evaluate(asked))


def test_a_browser_that_lets_a_frame_keep_nothing_warns_before_an_unsent_turn_is_left_behind(
    visitors: Callable[..., Page], embedding: Embedding, over: Watch
) -> None:
    over.may_fail = True
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    assert inside(page).evaluate("() => { try { return Boolean(sessionStorage); } catch { return 'forbidden'; } }") == "forbidden"
    assert not warns(page)
    page.route("**/api/chat/turns", lambda route: route.abort())
    ask(frame, "What happened?")
    expect(frame.locator("#log .unsent")).to_have_count(1)
    assert warns(page)
    page.unroute("**/api/chat/turns")
    answered(frame, 1)
    # What is on the screen as answered is safe with us, whichever of stream and confirmation came first.
    assert not warns(page)


def test_an_answered_turn_whose_confirmation_is_late_is_not_warned_of(
    visitors: Callable[..., Page], embedding: Embedding, over: Watch
) -> None:
    over.may_fail = True
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    held: list[Route] = []

    def hold(route: Route) -> None:
        # It reaches the server; the browser does not learn of it.
        route.fetch()
        held.append(route)

    page.route("**/api/chat/turns", hold)
    ask(frame, "What happened?")
    answered(frame, 1)
    assert not warns(page)
    expect(frame.locator("#log .delivery")).to_have_count(0)
    for route in held:
        route.abort()
    page.unroute("**/api/chat/turns")
    ask(frame, "How do I protect myself?")
    answered(frame, 2)
    assert lines(frame, "you") == ["What happened?", "How do I protect myself?"]


def test_a_lost_stream_comes_back_after_the_last_line(visitors: Callable[..., Page], embedding: Embedding, over: Watch) -> None:
    over.may_fail = True
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    streams: list[Request] = []
    page.on("request", lambda request: streams.append(request) if "/events" in request.url else None)
    embedding.site.stop()
    ask(frame, "How do I protect myself?")
    expect(frame.locator("#log .unsent")).to_have_count(1)
    embedding.site.start()
    expect(frame.locator("#log .from-bot")).to_have_count(3, timeout=60_000)
    assert lines(frame, "you") == ["What happened?", "How do I protect myself?"]
    # The browser says it when it comes back by itself, our script when it has to begin anew.
    assert any(stream.all_headers().get("last-event-id") == "3" or stream.url.endswith("after=3") for stream in streams)


def test_an_error_is_an_alert(visitors: Callable[..., Page], embedding: Embedding, over: Watch) -> None:
    over.expected = ("413",)
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    expect(frame.locator("#alert")).to_have_attribute("role", "alert")
    inside(page).evaluate("document.getElementById('question').value = 'x'.repeat(200001)")
    frame.locator("#send").click()
    expect(frame.locator("#alert")).to_contain_text("too long")


def test_a_browser_that_keeps_no_cookie_is_told_where_it_works(
    visitors: Callable[..., Page], embedding: Embedding, over: Watch
) -> None:
    over.expected = ("401",)
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    opened: list[str] = []

    def forget(route: object) -> None:
        opened.append("once")
        answer = route.fetch()  # type: ignore[attr-defined]
        headers = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
        route.fulfill(status=answer.status, headers=headers, body=answer.body())  # type: ignore[attr-defined]

    page.route("**/api/chat/session", forget)
    ask(frame, "What happened?")
    expect(frame.locator("#alert")).to_contain_text("does not let this page keep a conversation")
    expect(frame.locator("#own a")).to_be_visible()
    page.wait_for_timeout(2500)
    assert opened == ["once"]  # no heap of empty threads
    page.unroute("**/api/chat/session")
    frame.locator("#log .delivery button").click()
    answered(frame, 1)
    expect(frame.locator("#own")).to_be_hidden()


def test_the_language_changes_inside_and_the_conversation_stays(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    frame.locator("[data-lang='zh-Hant']").click()
    expect(frame.locator("html")).to_have_attribute("lang", "zh-Hant")
    expect(launcher(page)).to_have_text("資料事故查詢")  # type: ignore[arg-type]
    answered(frame, 1)
    ask(frame, "How do I protect myself?")
    answered(frame, 2)
    assert frame.locator("#log .from-bot .words").last.get_attribute("lang") == "zh-Hant"
    page.reload()  # the site says English, the patient has chosen
    expect(frame.locator("html")).to_have_attribute("lang", "zh-Hant")


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "مرحبا 999 (ABC)!", "\u202eabc\u202c"])
def test_what_a_patient_writes_stays_text_and_keeps_its_direction_to_itself(
    visitors: Callable[..., Page], embedding: Embedding, text: str
) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, text)
    answered(frame, 1)
    words = frame.locator("#log .from-you .words")
    assert words.evaluate("node => node.textContent") == text
    assert words.evaluate("node => [node.children.length, getComputedStyle(node).unicodeBidi]") == [0, "plaintext"]
    spoken = frame.locator("#log .from-bot .words p").first
    assert spoken.evaluate("node => getComputedStyle(node).unicodeBidi") == "plaintext"


# ---------------------------------------------------------------- keyboard, focus, screen readers


def test_it_opens_and_closes_by_keyboard_and_the_focus_comes_back(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    page.goto(embedding.host.foreign)
    button = page.locator("candour-widget .launcher")
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    frame = frame_of(page)
    expect(frame.locator("#heading")).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(frame.locator("#close")).to_be_focused()
    page.keyboard.press("Tab")
    expect(frame.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(frame.locator("#question")).to_be_focused()
    page.keyboard.type("What happened?")
    page.keyboard.press("Enter")
    answered(frame, 1)
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(page.locator("candour-widget .panel")).to_be_hidden()
    page.keyboard.press("Space")
    answered(frame, 1)
    frame.locator("#close").click()
    expect(button).to_be_focused()
    button.click()
    button.focus()
    page.keyboard.press("Escape")
    expect(page.locator("candour-widget .panel")).to_be_hidden()


def test_the_site_stays_usable_beside_the_panel(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    page.locator("#first").focus()
    expect(frame.locator("#heading")).to_be_visible()
    page.keyboard.press("Escape")  # the site's own
    expect(frame.locator("#heading")).to_be_visible()
    # No trap: from the last thing in the frame the focus goes on.
    frame.locator("#send").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
        if inside(page).evaluate("!document.hasFocus()"):
            break
    else:
        raise AssertionError("the focus is caught in the frame")


def test_on_a_small_screen_it_is_the_whole_screen_and_gives_way_to_the_focus(
    visitors: Callable[..., Page], embedding: Embedding
) -> None:
    page = visitors(viewport={"width": 390, "height": 780})
    frame = open_widget(page, embedding.host.foreign)
    assert page.locator("candour-widget .panel").bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 780}
    expect(launcher(page)).to_be_hidden()  # type: ignore[arg-type]
    frame.locator("#close").click()
    expect(page.locator("candour-widget .launcher")).to_be_focused()
    page.locator("candour-widget .launcher").click()
    page.locator("#first").focus()
    expect(page.locator("candour-widget .panel")).to_be_hidden()
    expect(page.locator("#first")).to_be_focused()
    page.locator("candour-widget .launcher").click()
    page.reload()  # a new page is not covered by itself
    expect(launcher(page)).to_be_visible()  # type: ignore[arg-type]
    expect(page.locator("candour-widget .panel")).to_be_hidden()


SPOKEN = """new MutationObserver((changes) => {
  window.spoken ??= [];
  const log = document.getElementById("log");
  for (const change of changes)
    if (change.target === log && log.getAttribute("aria-live") === "polite")
      for (const node of change.addedNodes) window.spoken.push(node.querySelector(".sender span").textContent);
}).observe(document, { childList: true, subtree: true });"""


def test_new_lines_are_announced_once_and_history_never(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    page.add_init_script(SPOKEN)
    frame = open_widget(page, embedding.host.foreign)
    expect(frame.locator("#log")).to_have_attribute("role", "log")
    ask(frame, "What happened?")
    answered(frame, 1)
    page.wait_for_timeout(300)
    # The first conversation: the greeting, which stood on the page before, and the two new lines.
    assert sorted(inside(page).evaluate("window.spoken")) == ["Automatic answer", "Automatic answer", "You"]
    page.reload()
    answered(frame, 1)
    expect(frame.locator("#log")).to_have_attribute("aria-live", "polite")
    assert inside(page).evaluate("window.spoken ?? []") == []
    ask(frame, "How do I protect myself?")
    answered(frame, 2)
    page.wait_for_timeout(300)
    assert inside(page).evaluate("window.spoken") == ["You", "Automatic answer"]


# ---------------------------------------------------------------- unread


def test_an_answer_to_a_closed_panel_is_counted_and_said(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened? Answer slowly")
    page.keyboard.press("Escape")
    badge, status = page.locator("candour-widget .badge"), page.locator("candour-widget [role=status].unseen")
    expect(badge).to_have_text("1")
    expect(page.locator("candour-widget .launcher")).to_have_accessible_name("Data incident: ask us New answers: 1")
    expect(status).to_have_text("New answers: 1")
    assert page.title() == "(1) Our clinics"
    page.evaluate("document.title = 'Opening hours'")  # the site may change its own title
    page.locator("candour-widget .launcher").click()
    expect(badge).to_be_hidden()
    expect(status).to_have_text("")
    assert page.title() == "Opening hours"


def test_an_answer_that_came_between_two_pages_is_unread_on_the_second(
    visitors: Callable[..., Page], embedding: Embedding
) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened? Answer slowly")
    expect(frame.locator("#state")).to_have_text("The answer is being prepared …")
    page.keyboard.press("Escape")
    page.goto("about:blank")
    page.wait_for_timeout(2500)
    page.goto(embedding.host.foreign)
    expect(page.locator("candour-widget .badge")).to_have_text("1")
    page.locator("candour-widget .launcher").click()
    expect(page.locator("candour-widget .badge")).to_be_hidden()
    page.reload()
    answered(frame, 1)
    expect(page.locator("candour-widget .badge")).to_be_hidden()


def test_an_answer_behind_another_tab_is_in_the_title(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    hide = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => %s });"
    inside(page).evaluate(hide % "true")
    ask(frame, "How do I protect myself?")
    answered(frame, 2)
    expect(page).to_have_title("(1) Our clinics")
    inside(page).evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'));")
    expect(page).to_have_title("Our clinics")


# ---------------------------------------------------------------- seeing


def check(page: Page) -> None:
    for document in (page, inside(page)) if len(page.frames) > 1 else (page,):
        found = Axe().run(document, options=WCAG)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("tag", ["en", "zh-HK", "zh-CN"])
def test_axe_finds_nothing_open_or_closed(
    visitors: Callable[..., Page], embedding: Embedding, scheme: str, width: int, tag: str
) -> None:
    embedding.host.lang = tag
    # The checker's own script needs what the pages' policies forbid.
    page = visitors(color_scheme=scheme, viewport={"width": width, "height": 860}, bypass_csp=True)
    page.goto(embedding.host.foreign)
    expect(launcher(page)).to_be_visible()  # type: ignore[arg-type]
    check(page)
    frame = open_widget(page, embedding.host.foreign)
    check(page)
    ask(frame, "What happened? 發生 发生")
    answered(frame, 1)
    check(page)


@pytest.mark.parametrize(("width", "height"), [(320, 256), (320, 640), (768, 600), (1280, 860)])
def test_nothing_is_cut_off_and_targets_are_large_enough(
    visitors: Callable[..., Page], embedding: Embedding, width: int, height: int
) -> None:
    """320 by 256 is a window of 1280 by 1024 at 400 %."""
    page = visitors(viewport={"width": width, "height": height})
    page.goto(embedding.host.foreign)
    box = page.locator("candour-widget .launcher").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height
    assert min(box["width"], box["height"]) >= 44
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened? " + "x" * 300)
    answered(frame, 1)
    panel = page.locator("candour-widget .panel").bounding_box()
    assert panel is not None
    assert panel["x"] >= 0
    assert panel["y"] >= 0
    assert inside(page).evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    small = inside(page).evaluate(
        """[...document.querySelectorAll("a, button, textarea, summary")]
             .filter((node) => node.checkVisibility() && !node.matches(".skip, .words a"))
             .map((node) => [node.textContent, node.getBoundingClientRect()])
             .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"""
    )
    assert small == []


def test_nothing_moves_for_those_who_asked_for_that(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors(reduced_motion="reduce")
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened? Answer slowly")
    expect(frame.locator("#state.busy")).to_be_visible()
    assert inside(page).evaluate("document.getAnimations().length") == 0
    assert page.evaluate("document.getAnimations().length") == 0
    answered(frame, 1)


def test_forced_colours_leave_edges_to_see(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors(forced_colors="active")
    frame = open_widget(page, embedding.host.foreign)
    edge = "node => [getComputedStyle(node).borderTopStyle, parseFloat(getComputedStyle(node).borderTopWidth) >= 1]"
    for part in (page.locator("candour-widget .launcher"), page.locator("candour-widget .panel"), frame.locator("#send")):
        assert part.evaluate(edge) == ["solid", True]
