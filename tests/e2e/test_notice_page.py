"""The notice in a real browser: with and without scripts, on small screens, in the dark, on paper, and with the chat on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.settings import REPOSITORY
from bot.conversations.speaking import proposal, publication
from tests.conftest import Keys
from tests.e2e.conftest import Site, Watch, running_site
from tests.e2e.test_widget import WCAG, answered, ask, frame_of, inside

TONGUES = [
    ("en", "what you need to know", "Not known yet:", "What happened?", "4 May 2023", "Data incident: ask us"),
    ("zh-Hant", "你需要知道的事", "暫時未知：", "發生咩事?", "2023年5月4日", "資料事故查詢"),
    ("zh-Hans", "您需要知道的事", "目前还不知道：", "发生了什么事?", "2023年5月4日", "数据事故查询"),
]
LANGUAGES = [tongue[0] for tongue in TONGUES]


@pytest.mark.parametrize(("lang", "heading", "unknown", "question", "day", "launch"), TONGUES)
def test_a_patient_reads_the_notice_and_asks_on_it(
    page: Page, lang: str, heading: str, unknown: str, question: str, day: str, launch: str
) -> None:
    page.goto(f"/?lang={lang}")
    assert page.locator("html").get_attribute("lang") == lang
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
    expect(page.locator(".danger a[href='tel:999']").first).to_be_in_viewport()
    expect(page.locator("#notice_known")).to_contain_text(day)
    expect(page.locator("#notice_open")).to_contain_text(unknown)
    expect(page.locator("#notice_steps ol li")).to_have_count(7)
    assert page.context.cookies() == []
    launcher = page.locator("candour-widget .launcher")
    expect(launcher).to_have_text(launch)
    launcher.click()
    frame = frame_of(page)
    expect(frame.locator("#close")).to_be_visible()
    assert frame.locator("html").get_attribute("lang") == lang
    ask(frame, question)
    answered(frame, 1)
    [cookie] = page.context.cookies()
    assert cookie["sameSite"] == "Lax"
    assert cookie["httpOnly"]
    # The same conversation stands on the chat's own page.
    page.keyboard.press("Escape")
    expect(launcher).to_be_focused()
    page.locator(".ask .button").first.click()
    page.wait_for_url("**/chat?lang=*")
    expect(page.locator("#log .from-you .words")).to_have_text(question)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_is_there_without_a_script(contexts: Callable[..., BrowserContext], watch: Watch, lang: str) -> None:
    page = contexts(java_script_enabled=False).new_page()
    watch.over(page)
    page.goto(f"/?lang={lang}")
    for part in ("notice_known", "notice_open", "notice_data", "notice_steps", "notice_reach", "notice_genuine", "versions"):
        expect(page.locator(f"#{part} h2")).to_be_visible()
        page.locator(f".contents a[href='#{part}']").click()
        expect(page.locator(f"#{part} h2")).to_be_in_viewport()
    expect(page.locator("a[href='tel:18222']").first).to_be_visible()
    expect(page.locator("#leave")).to_have_attribute("href", "https://www.hko.gov.hk/")


def test_the_language_changes_with_a_link(page: Page) -> None:
    page.goto("/?lang=en")
    page.locator(".languages a[lang='zh-Hant']").click()
    page.wait_for_url("**/?lang=zh-Hant")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")
    expect(page.locator("candour-widget .launcher")).to_have_text("資料事故查詢")
    expect(page.locator(".languages a[aria-current]")).to_have_attribute("lang", "zh-Hant")


def test_the_keyboard_leads_past_the_top_to_the_text(page: Page) -> None:
    page.goto("/?lang=en")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#heading")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".ask .button").first).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing(contexts: Callable[..., BrowserContext], scheme: str, width: int, lang: str) -> None:
    # The checker's own script needs what the page's policy forbids.
    page = contexts(color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True).new_page()
    page.goto(f"/?lang={lang}")
    expect(page.locator("candour-widget .launcher")).to_be_visible()
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "id"])
@pytest.mark.parametrize(("width", "height"), [(320, 256), (320, 640), (768, 600), (1280, 860)])
def test_nothing_is_cut_off_and_targets_are_large_enough(
    contexts: Callable[..., BrowserContext], width: int, height: int, lang: str
) -> None:
    """320 by 256 is a window of 1280 by 1024 at 400 %."""
    page = contexts(viewport={"width": width, "height": height}).new_page()
    page.goto(f"/?lang={lang}")
    expect(page.locator("candour-widget .launcher")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        """[...document.querySelectorAll("main *")]
             .filter((node) => node.checkVisibility() && node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0)
             .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert cut == []
    small = page.evaluate(
        """[...document.querySelectorAll("a, button")]
             .filter((node) => node.checkVisibility() && !node.matches(".skip, .old a"))
             .map((node) => [node.textContent, node.getBoundingClientRect()])
             .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"""
    )
    assert small == []


def test_nothing_moves_for_those_who_asked_for_that(contexts: Callable[..., BrowserContext], watch: Watch) -> None:
    page = contexts(reduced_motion="reduce").new_page()
    watch.over(page)
    page.goto("/")
    page.locator(".contents a").last.click()
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_forced_colours_leave_edges_to_see(contexts: Callable[..., BrowserContext], watch: Watch) -> None:
    page = contexts(forced_colors="active").new_page()
    watch.over(page)
    page.goto("/")
    edge = "node => [getComputedStyle(node).borderTopStyle, parseFloat(getComputedStyle(node).borderTopWidth) >= 1]"
    for part in (page.locator(".ask .button").first, page.locator("#notice_steps")):
        assert part.evaluate(edge) == ["solid", True]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_prints_as_a_text_without_buttons(contexts: Callable[..., BrowserContext], lang: str) -> None:
    page = contexts(color_scheme="dark").new_page()
    page.goto(f"/?lang={lang}")
    expect(page.locator("candour-widget .launcher")).to_be_visible()
    page.emulate_media(media="print")
    for gone in (".languages", "#leave", ".contents", ".ask", "candour-widget"):
        expect(page.locator(gone).first).to_be_hidden()
    for kept in ("#heading", ".updated", "#notice_steps ol", "#notice_genuine", ".danger a[href='tel:999']"):
        expect(page.locator(kept).first).to_be_visible()
    # Dark letters on white, whatever the screen prefers.
    colours = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.querySelector('main')).backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgba(0, 0, 0, 0)"]
    assert page.locator("#notice_steps li").first.evaluate("node => getComputedStyle(node, '::before').color") == "rgb(0, 0, 0)"
    printed = page.pdf(prefer_css_page_size=True)
    # 210 by 297 millimetres in points.
    assert b"/MediaBox [0 0 594.95996 841.91998]" in printed or b"/MediaBox [0 0 595" in printed
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 3


def test_leaving_quickly_goes_to_the_weather_and_not_back(page: Page, watch: Watch) -> None:
    page.goto("/")
    before = page.evaluate("history.length")
    page.route("https://www.hko.gov.hk/**", lambda route: route.fulfill(content_type="text/html", body="<title>Weather</title>"))
    page.locator("#leave").click()
    expect(page).to_have_url("https://www.hko.gov.hk/")
    assert page.evaluate("history.length") == before
    watch.strangers.clear()


def test_the_widget_on_the_notice_keeps_to_our_own_origin(page: Page, site: Site) -> None:
    page.goto("/?lang=en")
    page.locator("candour-widget .launcher").click()
    expect(frame_of(page).locator("#close")).to_be_visible()
    assert inside(page).url.startswith(site.address)
    assert inside(page).locator("body").get_attribute("data-apart") == "no"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory, keys: Keys, stand_in: str) -> Iterator[Site]:
    """A site whose notice has changed once."""
    home = tmp_path_factory.mktemp("changed")
    with running_site(home, keys, engine_url=stand_in, token="-") as made:
        content = proposal.read(REPOSITORY / "data")
        content["facts"]["hotline"] |= {"value": "2000 0000", "as_of": {"date": "2023-05-09"}}
        database = Database(f"sqlite:///{home / 'candour.sqlite3'}")
        with database.writing() as session:
            at = system_clock()
            proposed = publication.propose(session, content, by="demo editor", at=at)
            publication.approve(session, proposed.id, by="demo approver", at=at)
        database.close()
        yield made


@pytest.mark.parametrize(
    ("lang", "earlier", "current"),
    [
        ("en", "This is an earlier version.", "Read the current version"),
        ("zh-Hant", "這是較早版本", "閱讀現行版本"),
        ("zh-Hans", "这是较早版本", "阅读现行版本"),
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_earlier_version_says_so_and_leads_to_the_current_one(
    browser: Browser, changed: Site, scheme: str, lang: str, earlier: str, current: str
) -> None:
    context = browser.new_context(
        base_url=changed.address, color_scheme=scheme, viewport={"width": 390, "height": 844}, bypass_csp=True
    )
    page = context.new_page()
    page.goto(f"/?lang={lang}")
    expect(page.locator("#notice_reach a[href='tel:20000000']")).to_be_visible()
    page.locator(".versions a").click()
    page.wait_for_url(f"**/notice/1?lang={lang}")
    expect(page.locator(".old")).to_contain_text(earlier)
    expect(page.locator("#notice_reach a")).to_have_count(0)
    expect(page.locator("candour-widget .launcher")).to_be_visible()
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name=current).click()
    page.wait_for_url(f"**/?lang={lang}")
    expect(page.locator(".old")).to_have_count(0)
    context.close()
