"""The staff console as people use it: with eyes, keys and a screen reader, live, and over a line that breaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import update

from bot.base.clock import system_clock
from bot.desk.models import Outcome
from bot.desk.staff import accounts, approvals
from bot.desk.staff.accounts import Profile
from bot.desk.staff.models import StaffSession
from bot.desk.staff.roles import Role
from bot.desk.staff.sessions import IDLE
from bot.desk.work import bulk, claims, queue
from bot.desk.work.queue import Filters
from tests.conftest import Keys
from tests.desk.conftest import PASSWORD
from tests.e2e.conftest import Site, Watch, running_site
from tests.e2e.console import Console, console_over

Contexts = Callable[..., BrowserContext]


@pytest.fixture(scope="session")
def console(site: Site, keys: Keys) -> Iterator[Console]:
    """A desk over the site."""
    with console_over(site, keys) as made:
        yield made


def populated(console: Console) -> None:
    """A queue with something of every kind."""
    desk = console.desk
    urgent, statute = desk.case("self_harm", language="zh-Hant"), desk.case("data_access_request", channel="whatsapp")
    desk.case("phishing_clicked", channel="sms", language="tl")
    taken = desk.case("complaint_clinic", channel="email", language="id")
    ben = console.colleague("Ben Chan 陳志明")
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, taken, ben, desk.clock())
    assert urgent
    assert statute


def clean(page: Page) -> None:
    """Nothing that axe knows is wrong, and nothing sticks out sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


@pytest.mark.parametrize("width", [1280, 768])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_axe_finds_nothing_on_any_page(
    contexts: Contexts, console: Console, watch: Watch, lang: str, scheme: str, width: int
) -> None:
    populated(console)
    # The checker's own script needs what the policy forbids.
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}, "bypass_csp": True}
    page = console.page(contexts, *Role, language=lang, **options)
    watch.over(page)
    watch.expected = ("404",)
    asker = console.colleague("Cora Wong", Role.LEAD)
    with console.desk.database.writing() as session:
        calm = [row.case.id for row in queue.page(session, Filters(priority=2), system_clock())]
        decided = bulk.ask_to_close(session, console.desk.vault, calm, outcome=Outcome.ANSWERED, by=asker, at=system_clock())
        approvals.refuse(session, console.desk.vault, decided.id, by=asker, at=system_clock())
        bulk.ask_to_close(session, console.desk.vault, calm, outcome=Outcome.ANSWERED, by=asker, at=system_clock())
    for path in ("/desk", "/desk?view=overdue&priority=3", "/desk/team", "/desk/approvals", "/desk/me", "/desk/nothing-here"):
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", lang)
        clean(page)
    page.goto("/desk")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    clean(page)


@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_axe_finds_nothing_before_one_is_in(contexts: Contexts, console: Console, watch: Watch, lang: str) -> None:
    page = console.page(contexts, language=lang, bypass_csp=True)
    watch.over(page)
    watch.expected = ("401", "410")
    with console.desk.database.writing() as session:
        session.execute(update(StaffSession).values(seen_at=system_clock() - IDLE))
    page.goto("/desk")
    expect(page).to_have_url(re.compile("/desk/locked"))
    clean(page)
    page.context.clear_cookies()
    page.goto(f"/desk/sign-in?lang={lang}")
    clean(page)
    page.get_by_role("textbox").nth(0).fill("nobody")
    page.locator("[name=password]").fill("wrong")
    page.locator("[name=code]").fill("123456")
    page.locator("button.main").click()
    expect(page.get_by_role("alert")).to_be_visible()
    clean(page)
    with console.desk.database.writing() as session:
        profile = Profile("Eve Ho", f"eve-{lang}@clinic.example")
        token = accounts.invite(
            session, console.desk.vault, console.desk.index, profile, [Role.AGENT], by=0, at=system_clock()
        ).token
    page.goto(f"/desk/welcome/{token}?lang={lang}")
    expect(page.locator("svg.qr")).to_be_visible()
    clean(page)
    page.goto("/desk/welcome/none")
    clean(page)


def test_a_person_signs_in_with_password_and_code(contexts: Contexts, console: Console, watch: Watch) -> None:
    staff_id = console.colleague("Ann Lee")
    page = contexts().new_page()
    watch.over(page)
    page.goto("/desk?view=mine")
    page.get_by_label("Sign-in name").fill(f"console{console.number}@clinic.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Six-digit code").fill(console.code(staff_id))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    expect(page).to_have_url(re.compile(r"view=mine"))


def test_the_queue_is_live_and_the_loser_of_a_claim_sees_who_has_it(contexts: Contexts, console: Console, watch: Watch) -> None:
    page = console.page(contexts)
    watch.over(page)
    page.goto("/desk")
    case_id = console.desk.case("patient_wish")
    row = page.locator(f"[data-row='{case_id}']")
    expect(row).to_be_visible()
    row.locator("input, button").first.focus()
    ben = console.colleague("Ben Chan")
    with console.desk.database.writing() as session:
        claims.claim(session, console.desk.vault, case_id, ben, system_clock())
    expect(row).to_contain_text("Ben Chan")


def test_keys_move_claim_and_lead_elsewhere(contexts: Contexts, console: Console, watch: Watch) -> None:
    desk = console.desk
    for _ in range(2):
        desk.case("extortion")
    page = console.page(contexts, Role.LEAD)
    watch.over(page)
    watch.expected = ("404",)
    page.goto("/desk?priority=0&view=unclaimed")
    rows = page.locator("[data-row]")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    expect(rows.nth(1).locator("a").first).to_be_focused()
    chosen = rows.nth(1).get_attribute("data-row")
    third = desk.case("extortion")
    expect(page.locator(f"[data-row='{third}']")).to_be_visible()
    expect(page.locator(f"[data-row='{chosen}']")).to_have_attribute("aria-current", "true")
    expect(page.locator(f"#case-{chosen}")).to_be_focused()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile(f"/desk/cases/{chosen}$"))
    assert desk.look(int(chosen or 0)).status == "claimed"
    page.goto("/desk")
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Approvals", exact=True)).to_be_visible()


def test_an_urgent_case_rings_and_notifies_who_wanted_it(contexts: Contexts, console: Console, watch: Watch) -> None:
    page = console.page(contexts, permissions=["notifications"])
    watch.over(page)
    page.add_init_script(
        "window.shown = []; window.Notification = class { constructor(t, o) { window.shown.push(o.body); } close() {} "
        "static permission = 'granted'; static requestPermission() { return Promise.resolve('granted'); } };"
    )
    page.goto("/desk")
    page.get_by_label("Sound for P0 and P1").check()
    page.get_by_label("Browser notification").check()
    before = int(page.locator("body").get_attribute("data-rang") or 0)
    console.desk.case("patient_wish")
    case_id = console.desk.case("medical_urgent")
    expect(page.locator(f"[data-row='{case_id}']")).to_be_visible()
    page.wait_for_function(f"Number(document.body.dataset.rang || 0) > {before}")
    page.wait_for_function("window.shown.length >= 1")
    assert page.evaluate("window.shown[0]") == "An urgent case is waiting. Please take it."
    page.reload()
    expect(page.get_by_label("Sound for P0 and P1")).to_be_checked()


def test_a_session_that_locks_takes_the_page_away(contexts: Contexts, console: Console, watch: Watch) -> None:
    page = console.page(contexts)
    watch.over(page)
    page.goto("/desk")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    with console.desk.database.writing() as session:
        session.execute(update(StaffSession).values(seen_at=system_clock() - IDLE))
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()


def test_a_session_that_locks_before_the_line_is_open_takes_the_page_away(contexts: Contexts, console: Console) -> None:
    page = console.page(contexts)

    def locks(route: Route) -> None:
        with console.desk.database.writing() as session:
            session.execute(update(StaffSession).values(seen_at=system_clock() - IDLE))
        route.continue_()

    page.route("**/desk/events?*", locks)
    page.goto("/desk")
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()


def test_a_red_bar_shows_while_the_line_is_lost_and_then_nothing_is_missing(
    contexts: Contexts, keys: Keys, stand_in: str, tmp_path: Path
) -> None:
    with running_site(tmp_path, keys, engine_url=stand_in, token="-") as site, console_over(site, keys) as console:
        before = console.desk.case("patient_wish")
        page = console.page(contexts)
        page.clock.install()
        page.goto(f"{site.address}/desk")
        expect(page.locator(f"[data-row='{before}']")).to_be_visible()
        expect(page.locator("#lost")).to_be_hidden()
        site.stop()
        page.clock.fast_forward("05:00")
        expect(page.locator("#lost")).to_be_visible()
        expect(page.locator("#lost")).to_contain_text("No connection since")
        missed = [console.desk.case("patient_wish") for _ in range(3)]
        ben = console.colleague("Ben Chan")
        with console.desk.database.writing() as session:
            claims.claim(session, console.desk.vault, before, ben, system_clock())
        site.start()
        expect(page.locator("#lost")).to_be_hidden()
        for case_id in missed:
            expect(page.locator(f"[data-row='{case_id}']")).to_be_visible()
        expect(page.locator(f"[data-row='{before}']")).to_contain_text("Ben Chan")


def test_the_queue_works_without_any_script(contexts: Contexts, console: Console) -> None:
    case_id = console.desk.case("patient_wish", language="tl")
    page = console.page(contexts, java_script_enabled=False)
    page.goto("/desk")
    page.get_by_label("Language").select_option("tl")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(f"[data-row='{case_id}']")).to_be_visible()
    page.locator(f"#claim-{case_id}").click()
    assert console.desk.look(case_id).status == "claimed"


def test_eight_tabs_of_one_browser_share_one_line_and_all_hear(contexts: Contexts, console: Console, watch: Watch) -> None:
    desk, context = console.desk, contexts()
    console.sign_in(context, console.colleague("Ivy Mok"))
    cases = [desk.case() for _ in range(8)]
    pages = []
    for case_id in cases:
        page = context.new_page()
        watch.over(page)
        page.goto(f"/desk/cases/{case_id}")  # the seventh would hang if each held a connection of its own
        expect(page.locator("#case-head h1")).to_be_visible()
        pages.append(page)
    for page, case_id in zip(pages, cases, strict=True):
        desk.turn(desk.look(case_id).thread_id, f"words for case {case_id}")
        expect(page.locator("#lines")).to_contain_text(f"words for case {case_id}", timeout=30_000)
    # Whichever page held the line is closed: another one takes it, and nobody misses anything.
    while len(pages) > 2:
        pages.pop(0).close()
        cases.pop(0)
    for page, case_id in zip(pages, cases, strict=True):
        desk.turn(desk.look(case_id).thread_id, f"more for case {case_id}")
        expect(page.locator("#lines")).to_contain_text(f"more for case {case_id}", timeout=30_000)
        expect(page.locator("#lost")).to_be_hidden()
