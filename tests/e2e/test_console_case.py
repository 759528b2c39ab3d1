"""The page of a case in real browsers: two responders on one case, drafts that survive, and words that stay words."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Thread
from bot.desk.records import CallResult
from bot.desk.staff import accounts
from bot.desk.staff.models import SECRET, StaffAccount
from bot.desk.staff.roles import Role
from bot.desk.work import answers, notebook
from tests.conftest import Keys
from tests.desk.conftest import PASSWORD, Desk
from tests.desk.onfile import person_on_file
from tests.e2e.conftest import Site, Watch
from tests.make import FakeClock
from tests.web.console.test_case_persons import concerns, noticed

NAMES = count(1)
HOSTILE = (
    "<script>document.body.dataset.pwned='1'</script>",
    "<svg onload=\"document.body.dataset.pwned='1'\"></svg><style>body{display:none}</style>",
    '\u202egnp.exe and =HYPERLINK("http://evil.example")',
    "a" * 100_000,
)


@pytest.fixture
def desk(site: Site, keys: Keys) -> Iterator[Desk]:
    """The desk behind the served console; its people are made a while ago, since a code works once."""
    database = Database(f"sqlite:///{site.home / 'candour.sqlite3'}")
    made = Desk(database, Vault(keys.vault), BlindIndex(keys.index), FakeClock(system_clock() - timedelta(minutes=5)))
    made._names = NAMES  # one site for all tests: nobody is invited twice
    yield made
    database.close()


@pytest.fixture
def signed_in(desk: Desk, contexts: Callable[..., BrowserContext], watch: Watch) -> Callable[..., Page]:
    """Opens a browser in which somebody of these roles is signed in."""

    def make(*roles: Role, language: str = "en", **options: object) -> Page:
        desk.clock.now = system_clock() - timedelta(minutes=5)
        staff_id = desk.colleague(*(roles or (Role.AGENT,)))
        with desk.database.writing() as session:
            accounts.set_language(session, staff_id, language)
            account = session.get_one(StaffAccount, staff_id)
            login = accounts.profile_of(account, desk.vault).login
            secret = desk.vault.open(account.sealed_totp or "", SECRET)
        page = contexts(**options).new_page()
        watch.over(page)
        page.goto("/desk/sign-in")
        page.locator('[name="login"]').fill(login)
        page.locator('[name="password"]').fill(PASSWORD)
        page.locator('[name="code"]').fill(pyotp.TOTP(secret).now())
        page.locator("button.main").click()
        expect(page.locator("details.me")).to_be_visible()
        desk.clock.now = system_clock()
        return page

    return make


def opened(page: Page, case_id: int) -> Page:
    page.goto(f"/desk/cases/{case_id}")
    expect(page.locator("#case-head h1")).to_be_visible()
    return page


def taken(page: Page, case_id: int) -> Page:
    opened(page, case_id).keyboard.press("c")
    expect(page.locator("#send")).to_be_visible()
    return page


def writes(desk: Desk, case_id: int, text: str) -> None:
    desk.clock.now = system_clock()
    desk.turn(desk.look(case_id).thread_id, text)


def test_two_see_each_other_and_a_stale_reply_is_refused_once(desk: Desk, signed_in: Callable[..., Page]) -> None:
    first, second = signed_in(), signed_in()
    case_id = desk.case()
    opened(second, case_id)
    taken(first, case_id)
    expect(second.locator("#viewers")).to_contain_text("is looking")
    expect(second.locator("#case-head")).to_contain_text("With Dr")
    first.locator("#free").fill("We will write to you")
    expect(second.locator("#viewers")).to_contain_text("is typing")
    expect(first.locator("#kept")).to_contain_text("Draft saved")
    writes(desk, case_id, "wait, there is something else")
    expect(first.locator("#lines")).to_contain_text("there is something else")
    first.locator("#send").click()
    expect(first.locator(".notice.bad").first).to_contain_text("the patient has written since")
    expect(first.locator("#composer .notice.bad").first).to_be_in_viewport()
    expect(first.locator("#new")).to_contain_text("there is something else")
    expect(first.locator("#free")).to_have_value("We will write to you")
    first.locator("#send").click()
    expect(first.locator("#leaving")).to_contain_text("We will write to you")
    first.keyboard.press("u")
    expect(first.locator("#free")).to_have_value("We will write to you")
    assert [line.text for line in desk.lines(case_id)] == ["hello", "wait, there is something else"]


def test_a_reply_leaves_and_both_see_it(desk: Desk, signed_in: Callable[..., Page]) -> None:
    first, second = signed_in(), signed_in()
    case_id = desk.case("distress")
    opened(second, case_id)
    taken(first, case_id).keyboard.press("/")
    first.keyboard.type("what happened")
    expect(first.locator("#found button").first).to_be_visible()
    first.locator('#found button[value="distress"], #found button').first.click()
    expect(first.locator("#composed .preview")).to_be_visible()
    first.locator("#free").fill("Dr Lee rings you at four.")
    first.keyboard.press("Control+Enter")
    expect(first.locator("#leaving")).to_contain_text("Dr Lee rings you at four.")
    with desk.database.writing() as session:
        answers.send_due(session, desk.vault, desk.published, system_clock() + answers.UNDO)
    for page in (first, second):
        expect(page.locator("#lines .staff")).to_contain_text("Dr Lee rings you at four.")
        expect(page.locator("#leaving")).not_to_contain_text("Dr Lee")
    expect(first.locator("#free")).to_have_value("")


def test_no_draft_is_lost_over_a_reload_and_a_killed_web_process(
    desk: Desk, signed_in: Callable[..., Page], site: Site, watch: Watch
) -> None:
    watch.may_fail = True
    page, case_id = signed_in(), desk.case()
    taken(page, case_id).locator("#free").fill("The first half")
    page.reload()
    expect(page.locator("#free")).to_have_value("The first half")
    os.kill(site.processes[-1].pid, signal.SIGKILL)
    site.processes.pop().wait(20)
    page.locator("#free").fill("The first half and the second")
    expect(page.locator("#kept")).to_contain_text("Not saved")
    page.locator("#send").click()
    expect(page.locator("#free")).to_have_value("The first half and the second")
    site.start()
    expect(page.locator("#kept")).to_contain_text("Draft saved")
    page.reload()
    expect(page.locator("#free")).to_have_value("The first half and the second")


def test_hostile_words_are_words(desk: Desk, signed_in: Callable[..., Page]) -> None:
    case_id = desk.case()
    for words in HOSTILE:
        writes(desk, case_id, words)
    page = taken(signed_in(), case_id)
    page.locator("#note").fill(HOSTILE[0])
    page.locator("#note").locator("xpath=ancestor::form").locator("button").click()
    expect(page.locator("#notes")).to_contain_text(HOSTILE[0])
    page.locator("#free").fill(HOSTILE[1])
    expect(page.locator("#preview-words")).to_contain_text("<svg onload")
    writes(desk, case_id, "and once more " + HOSTILE[0])
    expect(page.locator("#lines")).to_contain_text("and once more <script>")
    assert page.evaluate("document.body.dataset.pwned") is None
    assert page.locator("main script, main svg, main style").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_what_is_hidden_is_shown_in_place_after_a_reason(desk: Desk, signed_in: Callable[..., Page]) -> None:
    page, case_id = signed_in(), desk.case()
    writes(desk, case_id, "my number is 91234567")
    opened(page, case_id).locator(".reveal summary").click()
    page.locator('.reveal [name="why"]').fill("to check the number on file")
    page.keyboard.press("Enter")
    expect(page.locator(".as-written")).to_have_text("my number is 91234567")


def test_everything_is_done_by_keyboard(desk: Desk, signed_in: Callable[..., Page]) -> None:
    page, case_id = signed_in(), desk.case()
    taken(page, case_id).keyboard.press("n")
    page.keyboard.type("called the clinic")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#notes")).to_contain_text("called the clinic")
    page.locator("body").press("e")
    expect(page.locator('[name="outcome"]')).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#act-end")).to_be_focused()
    page.keyboard.press("e")
    outcome = page.locator('[name="outcome"]')
    expect(outcome).to_be_focused()
    outcome.select_option("answered")
    expect(outcome).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#case-head")).to_contain_text("Question answered")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768])
@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_axe_finds_nothing(desk: Desk, signed_in: Callable[..., Page], scheme: str, width: int, lang: str) -> None:
    page = signed_in(
        Role.LEAD,
        language=lang,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    case_id = a_full_case(desk)
    taken(page, case_id)
    page.locator("#free").fill("Pay to 91234567")
    expect(page.locator("#wrong")).to_be_visible()
    page.locator("#act-end").click()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.response["violations"] == [], found.generate_report()
    kept = os.environ.get("CANDOUR_SCREENSHOTS")
    if kept and scheme == "light":
        page.keyboard.press("Escape")
        page.screenshot(path=Path(kept) / f"case-{lang}-{width}.png", full_page=True)


def a_full_case(desk: Desk) -> int:
    """An emergency on WhatsApp with something of everything."""
    desk.clock.now = system_clock() - timedelta(minutes=9)
    case_id = desk.case("self_harm", channel="whatsapp", language="zh-Hant")
    writes(desk, case_id, "我好驚，我嘅身份證 A123456(3) 同電話 91234567 都喺入面")
    person_id = person_on_file(desk)
    concerns(desk, case_id, person_id)
    noticed(desk, person_id)
    colleague, now = desk.colleague(Role.AGENT), system_clock()
    with desk.database.writing() as session:
        session.get_one(Thread, desk.look(case_id).thread_id).language_chosen = True
        notebook.add_note(session, desk.vault, case_id, colleague, now, text="Her sister is with her until eight.")
        notebook.log_call(session, desk.vault, case_id, colleague, now, result=CallResult.NO_ANSWER, minutes=1, text="rang twice")
        notebook.save_draft(session, desk.vault, case_id, colleague, now, text="陳小姐，我們今晚會致電給你。")
    return case_id
