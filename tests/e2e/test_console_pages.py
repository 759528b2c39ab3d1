"""The console's other pages in a real browser: read by machines for the disabled, in both languages and two widths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.desk.persons import requests
from bot.desk.staff.approvals import What
from bot.desk.staff.roles import Role
from bot.patients.disclosure import HoldReason, hold
from tests.desk.conftest import Desk
from tests.desk.onfile import WHY, person_on_file
from tests.e2e.test_console_case import desk, signed_in  # the same desk and colleagues

__all__ = ["desk", "signed_in"]

EVERYTHING = (Role.LEAD, Role.PRIVACY_OFFICER, Role.APPROVER)
PAGES = ("patients", "wallboard", "publications", "publications/1", "unhandled", "log", "export")
WIDTHS = (1280, 768)
In = Callable[..., Page]


def clean(page: Page) -> None:
    """Nothing that a screen reader or a narrow screen would stumble over."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} pixels too wide"


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_clean(desk: Desk, signed_in: In, language: str, width: int) -> None:
    person_id = person_on_file(desk)
    desk.case("distress")
    page = signed_in(*EVERYTHING, language=language, viewport={"width": width, "height": 900})
    with desk.database.writing() as session:
        hold(session, person_id, HoldReason.IDENTITY_DOUBTED, desk.clock())
        officer = desk.colleague_of(session) if hasattr(desk, "colleague_of") else None
    assert officer is None
    for name in PAGES:
        page.goto(f"/desk/{name}")
        expect(page.locator("h1")).to_be_visible()
        clean(page)
    page.goto("/desk/patients")
    page.locator('[name="by"]').select_option("name")
    page.locator('[name="value"]').fill("chan tai man")
    page.locator('[name="reason"]').fill(WHY)
    page.keyboard.press("Enter")
    expect(page.locator("#found-title")).to_be_visible()
    clean(page)
    page.locator('form[action="/desk/patients/open"] button').first.click()
    expect(page.locator("h1")).to_be_visible()
    clean(page)


def test_the_charts_are_drawn_under_the_policy(desk: Desk, signed_in: In) -> None:
    desk.case("distress")
    page = signed_in(Role.LEAD)
    page.goto("/desk/wallboard")
    for picture in page.locator(".chart img").all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") > 0


def test_a_key_leads_to_a_page_and_to_the_search(desk: Desk, signed_in: In) -> None:
    page = signed_in(Role.LEAD)
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page).to_have_url("/desk/patients")
    page.keyboard.press("s")
    expect(page.locator('[name="value"]')).to_be_focused()


def test_a_data_request_is_asked_for_agreed_to_and_fetched(desk: Desk, signed_in: In) -> None:
    person_id = person_on_file(desk)
    officer, other = signed_in(Role.PRIVACY_OFFICER), signed_in(Role.LEAD)
    asker = desk.colleague(Role.PRIVACY_OFFICER)
    with desk.database.writing() as session:
        request = requests.ask(session, desk.vault, What.EXPORT, person_id, reason=WHY, by=asker, at=desk.clock()).id
    other.on("dialog", lambda dialog: dialog.accept())
    other.goto("/desk/approvals")
    other.locator(f'form[action="/desk/approvals/{request}/agree"] button').click()
    expect(other.locator(".notice").first).to_contain_text("24 hours")
    officer.goto("/desk/export")
    with officer.expect_download() as fetched:
        officer.locator(f'form[action="/desk/export/{request}/fetch"] button').click()
    assert fetched.value.suggested_filename == f"access-request-{request}.zip"
