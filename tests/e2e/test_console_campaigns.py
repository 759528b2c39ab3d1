"""A campaign from the roster to the last letter, in a browser, before the provider simulator and a real worker."""

from __future__ import annotations

import csv
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bench.campaigns.house import Installation, awaits
from bot.base.clock import system_clock
from bot.cli import services
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk
from tests.e2e.conftest import PATIENCE_MS, Site, Watch
from tests.e2e.console import Console

PEOPLE = 60
OURS = "team@clinic.example"
BAD_NUMBER = "6999 0001"
HOSTILE = "Notice <script>alert(1)</script> & {{ 7*7 }}"
HEADINGS = ["patient key", "name", "language", "e-mail", "phone", "address", "affected categories", "deceased", "clinic"]
KINDS = ("identity; contact", "identity; medical", "identity")
PAGES = ("", "/texts", "/texts?way=sms&language=zh-Hant&category=medical", "/texts?way=letter&language=zh-Hant", "/log")
LASTS_MS = 90_000
"""For what the worker and the simulator do meanwhile, on a machine that is busy."""


def roster(file: Path) -> Path:
    """Sixty people in two clinics: two share an address, one has died, one has a number that does not exist."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        out = csv.writer(opened)
        out.writerow(HEADINGS)
        for one in range(PEOPLE):
            email = "" if one == 7 else "family@mail.example" if one in (3, 4) else f"p{one}@mail.example"
            phone = BAD_NUMBER if one == 7 else f"6{one:03} {one:04}"
            language = ("en", "zh-Hant", "zh-Hans")[one % 3]
            clinic = "Central" if one % 2 else "Sha Tin"
            address = f"Flat {one}, 1 Example Road, Sha Tin"
            dead = "yes" if one == 9 else ""
            out.writerow([f"P{one:03}", "CHAN Tai Man", language, email, phone, address, KINDS[one // 3 % 3], dead, clinic])
    return file


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Simulator, web and worker, and nobody on file."""
    made = Installation(tmp_path / "home", campaign_test_addresses=OURS, provider_timeout_s=5, speed=600)
    try:
        made.start("simulator", "web", "worker")
        yield made
    finally:
        made.close()


@pytest.fixture
def console(installation: Installation) -> Console:
    """Its desk."""
    site = Site(installation.settings.home, {}, installation.settings.web_port)
    return Console(site, Desk(installation.database, installation.vault, installation.index, cast("Any", system_clock)))


@pytest.fixture
def watching(installation: Installation) -> Iterator[Watch]:
    """Fails a test whose pages complained, broke the policy or asked another host."""
    watch = Watch(services.web_address(installation.settings), expected=("Blocked script execution", "422", "403"))
    yield watch
    assert watch.complaints == []
    assert watch.strangers == []


@pytest.fixture
def colleague(browser: Browser, console: Console, watching: Watch) -> Iterator[Callable[..., Page]]:
    """Makes signed-in colleagues' pages."""
    opened: list[BrowserContext] = []

    def make(name: str, *roles: Role, language: str = "en", width: int = 1280) -> Page:
        context = browser.new_context(base_url=console.site.address, locale="en-GB", viewport={"width": width, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        console.sign_in(context, console.colleague(name, *roles, language=language))
        page = context.new_page()
        watching.over(page)
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    yield make
    for context in opened:
        context.close()


def kept(page: Page, name: str) -> None:
    """A picture for the guide, when one is wanted."""
    if folder := os.environ.get("CANDOUR_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def clean(page: Page) -> None:
    """Nothing that a screen reader or a narrow screen would stumble over."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels too wide"


def brings_in(page: Page, file: Path) -> None:
    page.goto("/desk/roster")
    page.locator("#roster-file").set_input_files(file)
    page.locator("#judge").click()
    expect(page.locator("#pairing tbody tr")).to_have_count(8)
    assert "p1@mail.example" not in page.content()
    kept(page, "roster-judged")
    clean(page)
    page.locator("#roster-looked").check()
    page.locator("#apply").click()
    expect(page.locator("#applied")).to_be_visible()


def drafts(page: Page, name: str, **fields: str) -> int:
    """A campaign out of the form; returns its number."""
    page.goto("/desk/campaigns/new")
    page.locator('[name="name"]').fill(name)
    given = {"waves": "12", "quiet_override": "a rehearsal", "pace_email": "50", "pace_sms": "50", **fields}
    for field, value in given.items():
        page.locator(f'[name="{field}"]').fill(value)
    for place, way in enumerate(("email", "sms", "letter", "", ""), start=1):
        page.locator(f'[name="rung{place}"]').select_option(way)
    page.locator("#save").click()
    expect(page.locator("h1")).to_contain_text(name)
    return int(page.url.rsplit("/", 1)[1])


def state(page: Page, words: str) -> None:
    """Wait until the page says so by itself."""
    expect(page.locator("#campaign .tag").first).to_have_text(words, timeout=LASTS_MS)


def settles(page: Page, number: int) -> None:
    pattern = re.compile(rf"^{number} / ")
    expect(page.locator("#settled")).to_have_text(pattern, timeout=LASTS_MS)


def by_hand(page: Page, here: str) -> None:
    """The letter is made, fetched and posted; whoever has died is seen to by a person."""
    page.goto(f"{here}/hands")
    clean(page)
    page.locator("#make-letters").click()
    expect(page.locator("#batches tbody tr")).to_have_count(1)
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Fetch (ZIP)").click()
    assert zipfile.ZipFile(fetched.value.path()).namelist() == ["letters.pdf", "addresses.csv"]
    page.reload()
    page.locator('[name="receipt"]').fill("R 123")
    page.get_by_role("button", name="Handed to the post").click()
    expect(page.locator("#batches")).to_contain_text("R 123")
    kept(page, "campaign-hands")
    page.locator('#left [name="why"]').fill("The widow was told by the doctor.")
    page.locator("#left button").click()
    expect(page.locator(".notice").first).to_contain_text("Closed")


def test_everybody_is_told_from_the_roster_to_the_last_letter(
    installation: Installation, colleague: Callable[..., Page], tmp_path: Path
) -> None:
    officer, second = colleague("Ann Lee", Role.PRIVACY_OFFICER), colleague("Bo Chan", Role.APPROVER)
    brings_in(officer, roster(tmp_path / "people.csv"))
    number = drafts(officer, "First notice")
    here = f"/desk/campaigns/{number}"

    # The dry run: everything counted, nothing sent.
    officer.locator("#dry-run").click()
    expect(officer.locator("#report")).to_be_visible(timeout=LASTS_MS)
    report = officer.locator("#report")
    expect(report).to_contain_text("60")
    expect(report).to_contain_text("Addresses that several people have: 1 (people: 2)")
    expect(report).to_contain_text("has died: 1")
    assert installation.accepted("email") == []
    kept(officer, "campaign-dry-run")
    clean(officer)

    # Each text as its readers get it, and a test to ourselves.
    officer.goto(f"{here}/texts?way=email&language=zh-Hant&variant=shared&category=medical")
    expect(officer.frame_locator("iframe.mail").locator("body")).to_contain_text("陳大文")
    kept(officer, "campaign-texts")
    letter = officer.request.get(f"{here}/letter.pdf?language=zh-Hant&variant=guardian")
    assert letter.body().startswith(b"%PDF")
    officer.locator("#send-test").click()
    expect(officer.locator(".notice").first).to_contain_text("The provider took the test")
    awaits(lambda: [one for one in installation.accepted("email") if OURS in str(one)], "the test arrives")

    # Handed in by one, approved by another.
    officer.goto(here)
    officer.locator("#submit").click()
    state(officer, "Waits for approval")
    expect(officer.locator("#approve")).to_have_count(0)
    second.goto(here)
    expect(second.locator("#campaign")).to_contain_text("60 people are frozen")
    kept(second, "campaign-approve")
    clean(second)
    second.locator("#approve").click()
    state(officer, "Approved")

    # The canary, a look, the rest: and the provider breaks off.
    officer.locator("#start").click()
    expect(officer.locator("#release")).to_be_visible(timeout=LASTS_MS)
    expect(officer.locator("#campaign")).to_contain_text("Look at what came of it")
    assert len(installation.accepted("email")) <= 13
    kept(officer, "campaign-canary")
    officer.locator("#pause").click()
    state(officer, "Paused")
    officer.locator("#resume").click()
    state(officer, "Running")
    installation.told("faults", rates={"error_500": 1.0})
    officer.locator("#release").click()
    state(officer, "Paused")
    expect(officer.locator("#why")).to_contain_text("does not answer")
    expect(officer.locator("#advice")).to_contain_text("Nobody was skipped")
    expect(officer.locator("#doubts-title")).to_be_visible()
    kept(officer, "campaign-outage")
    clean(officer)
    installation.told("faults", rates={})
    officer.locator("#all-again").click()  # nobody got these: they are sent again because a person says so
    expect(officer.locator(".notice").first).to_contain_text("Decided")
    officer.locator("#resume").click()

    # One number that does not exist stops nobody; the rest arrive; letters are what is left.
    settles(officer, PEOPLE - 2)
    expect(officer.locator("#campaign")).to_contain_text("21211")
    expect(officer.locator("#ways")).to_contain_text("On a list for people", timeout=LASTS_MS)
    by_hand(officer, here)
    officer.goto(here)
    state(officer, "Completed")
    expect(officer.locator("#together")).to_have_text(str(PEOPLE))
    kept(officer, "campaign-completed")

    # New facts: whoever holds that version, and nobody else, in one click from a publication's page.
    officer.goto(f"{here}/log")
    for act in ("test sent", "approved", "a wave was released", "paused", "resumed", "completed"):
        expect(officer.locator("#acts")).to_contain_text(act)
    officer.goto("/desk/campaigns")
    expect(officer.locator("#campaigns")).to_contain_text("First notice")
    officer.get_by_role("link", name="Supplementary notice").first.click()
    expect(officer.locator('[name="holds"]')).to_have_value(re.compile(r"^first_notice\|1\."))
    officer.locator("#save").click()
    officer.locator("#dry-run").click()
    expect(officer.locator("#report .tiles dd").first).to_have_text(str(PEOPLE), timeout=LASTS_MS)


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
@pytest.mark.parametrize("width", [1280, 768])
def test_every_page_is_clean(installation: Installation, colleague: Callable[..., Page], language: str, width: int) -> None:
    installation.people(20)
    page = colleague("Ann Lee", Role.PRIVACY_OFFICER, language=language, width=width)
    number = drafts(page, HOSTILE)
    page.locator("#dry-run").click()
    expect(page.locator("#report")).to_be_visible(timeout=LASTS_MS)
    for part in (*PAGES, "/plan"):
        page.goto(f"/desk/campaigns/{number}{part}")
        expect(page.locator("h1")).to_be_visible()
        kept(page, f"campaign{re.sub('[^a-z]+', '-', part)}-{language}-{width}")
        clean(page)
    for address in ("/desk/campaigns", "/desk/campaigns/new", "/desk/roster"):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        kept(page, f"{address.rsplit('/', 1)[1]}-{language}-{width}")
        clean(page)
