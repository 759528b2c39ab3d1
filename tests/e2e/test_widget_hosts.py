"""What a site can do to the widget, and what it cannot learn from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from bot.web.shield import LOADER_INTEGRITY
from tests.e2e.conftest import Embedding, Watch
from tests.e2e.host_site import Host, running_host
from tests.e2e.test_widget import answered, ask, frame_of, inside, open_widget
from tests.engine.running import free_port

SECRET = "my words to nobody else"


@pytest.fixture
def stranger(embedding: Embedding) -> Iterator[Host]:
    """A site that nobody allowed to embed the chat, and that tries."""
    with running_host(free_port()) as host:
        host.script, host.policy = embedding.host.script, embedding.host.policy
        yield host


@pytest.mark.parametrize("where", ["foreign", "same_site"])
def test_the_page_around_cannot_read_the_conversation(visitors: Callable[..., Page], embedding: Embedding, where: str) -> None:
    page = visitors()
    page.add_init_script("window.heard = []; addEventListener('message', ({ data }) => window.heard.push(data));")
    frame = open_widget(page, getattr(embedding.host, where))
    ask(frame, SECRET)
    answered(frame, 1)
    page.keyboard.press("Escape")
    expect(page.locator("candour-widget .panel")).to_be_hidden()
    reach = """() => {
      const widget = document.querySelector("candour-widget");
      const frame = widget.shadowRoot.querySelector("iframe");
      let text = "";
      try { text = frame.contentWindow.document.body.textContent; } catch (refused) { text = refused.name; }
      return { document: frame.contentDocument, text, shown: widget.shadowRoot.textContent, page: document.body.textContent,
        kept: JSON.stringify({ ...sessionStorage, ...localStorage }), cookie: document.cookie, heard: window.heard };
    }"""
    seen = page.evaluate(reach)
    assert seen["document"] is None
    assert seen["text"] == "SecurityError"
    assert SECRET not in str(seen)
    assert seen["kept"] == '{"candour.widget":"closed 3"}'
    assert seen["cookie"] == ""
    # All that was ever told.
    assert {tuple(sorted(told)) for told in seen["heard"]} <= {
        ("candour", "kind", "lang"),
        ("candour", "count", "kind"),
        ("candour", "kind", "number"),
        ("candour", "kind"),
    }


def test_the_page_around_cannot_ask_our_api_with_the_patients_cookie(
    visitors: Callable[..., Page], embedding: Embedding, over: Watch
) -> None:
    embedding.host.policy = ""
    # The browser itself reports the refusals.
    over.expected = ("CORS", "ERR_FAILED", "403")
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, SECRET)
    answered(frame, 1)
    fetched = page.evaluate(
        """async (ours) => {
          const ask = (path, more) => fetch(ours + path, { credentials: "include", ...more })
            .then((got) => got.text(), () => "refused");
          return [await ask("/api/chat/session"), await ask("/api/chat/events"), await ask("/widget"),
            await ask("/api/chat/turns", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } })];
        }""",
        embedding.site.address,
    )
    assert set(fetched) == {"refused"}


def test_a_site_that_was_not_named_gets_no_frame_and_its_visitor_a_way_out(
    visitors: Callable[..., Page], embedding: Embedding, stranger: Host, over: Watch
) -> None:
    over.expected, over.own = ("frame-ancestors", "Refused to frame", "Refused to display"), (*over.own, stranger.foreign)
    page = visitors()
    page.clock.install()
    page.goto(stranger.foreign)
    page.locator("candour-widget .launcher").click()
    notice = page.locator("candour-widget .notice")
    expect(notice).to_contain_text("Opening the chat")
    for _ in range(60):
        # The patience begins anew when the browser's own error page has come.
        page.clock.fast_forward(13_000)
        if "did not open" in notice.inner_text():
            break
        page.wait_for_timeout(250)
    expect(notice).to_contain_text("The chat did not open here.")
    expect(notice.locator("a[href='tel:999']")).to_be_visible()
    expect(notice.get_by_role("link", name="Open it in a page of its own")).to_have_attribute(
        "href", f"{embedding.site.address}/chat?lang=en"
    )
    assert frame_of(page).locator("#question").count() == 0
    notice.get_by_role("button", name="Close").click()
    expect(page.locator("candour-widget .launcher")).to_be_focused()
    over.hears(page, "frame-ancestors")


def test_forged_notes_change_nothing(visitors: Callable[..., Page], embedding: Embedding, stranger: Host, over: Watch) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    forged = "for (const kind of ['unread', 'close', 'ready']) %s.postMessage({ candour: 1, kind, count: 9, lang: 'id' }, '*')"
    page.evaluate(forged % "window")
    page.wait_for_timeout(200)
    expect(page.locator("candour-widget .badge")).to_be_hidden()
    expect(frame.locator("#close")).to_be_visible()
    # Alone in a window, the frame's page hears nobody, not even a site that may embed it.
    with page.expect_popup() as popup:
        page.evaluate(f"window.alone = open('{embedding.site.address}/widget')")
    alone = popup.value
    expect(alone.locator("#composer")).to_be_visible()
    page.evaluate("window.alone?.postMessage({ candour: 1, kind: 'hello', open: true }, '*')")
    page.wait_for_timeout(200)
    assert alone.locator("body").get_attribute("data-panel") is None
    expect(alone.locator("#close")).to_be_hidden()


def test_a_changed_loader_does_not_run(visitors: Callable[..., Page], embedding: Embedding, over: Watch) -> None:
    embedding.host.script = embedding.host.script.replace(LOADER_INTEGRITY, "sha384-" + "A" * 64)
    over.expected = ("integrity",)
    page = visitors()
    page.goto(embedding.host.foreign)
    over.hears(page, "integrity")
    assert page.evaluate("customElements.get('candour-widget') === undefined")


@pytest.mark.parametrize("where", ["foreign", "same_site"])
def test_a_hostile_style_sheet_does_not_break_it(visitors: Callable[..., Page], embedding: Embedding, where: str) -> None:
    embedding.host.style = "hostile"
    page = visitors()
    page.goto(getattr(embedding.host, where))
    button = page.locator("candour-widget .launcher")
    box = button.bounding_box()
    assert box is not None
    assert 1280 - 24 < box["x"] + box["width"] < 1280
    assert 860 - 24 < box["y"] + box["height"] < 860
    assert 48 <= box["height"] < 64
    assert box["width"] > 200
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    assert page.evaluate("({ x, y }) => document.elementFromPoint(x, y).localName", middle) == "candour-widget"
    assert button.evaluate(
        "node => { const s = getComputedStyle(node); return [s.fontSize, s.letterSpacing, s.textTransform, s.direction]; }"
    ) == ["16px", "normal", "none", "ltr"]
    page.mouse.click(middle["x"], middle["y"])
    frame = frame_of(page)
    expect(frame.locator("#close")).to_be_visible()
    panel = page.locator("candour-widget .panel").bounding_box()
    assert panel is not None
    assert (panel["width"], panel["height"]) == (416, 704)
    ask(frame, "What happened?")
    answered(frame, 1)


@pytest.mark.parametrize(
    "policy",
    [
        "default-src 'self' {ours}",
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src {ours}; frame-src {ours}",
        "",
    ],
)
def test_it_works_under_the_sites_policy(visitors: Callable[..., Page], embedding: Embedding, policy: str) -> None:
    embedding.host.policy = policy.format(ours=embedding.site.address)
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)


def test_language_and_place_are_the_sites_to_say(visitors: Callable[..., Page], embedding: Embedding) -> None:
    embedding.host.script = embedding.host.script.replace(" defer", ' defer data-lang="id" data-position="left"')
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    box = page.locator("candour-widget .launcher").bounding_box()
    assert box is not None
    assert box["x"] < 24
    expect(page.locator("candour-widget .launcher")).to_have_text("Insiden data: tanya kami")
    assert frame.locator("html").get_attribute("lang") == "id"


def test_the_script_twice_is_one_widget(visitors: Callable[..., Page], embedding: Embedding) -> None:
    embedding.host.script *= 2
    page = visitors()
    open_widget(page, embedding.host.foreign)
    assert page.locator("candour-widget").count() == 1


def test_a_site_that_isolates_itself_can_embed_it_too(visitors: Callable[..., Page], embedding: Embedding) -> None:
    embedding.host.more = {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"}
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    assert inside(page).url.startswith(embedding.site.address)
