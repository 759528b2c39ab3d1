"""The pages for programs in a real browser: clean in both languages and widths, and worked by hand."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk
from tests.e2e.test_console_case import desk, signed_in  # the same desk and colleagues
from tests.e2e.test_console_pages import clean

__all__ = ["desk", "signed_in"]

In = Callable[..., Page]


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-Hant", 768)])
def test_an_administrator_makes_a_token_and_an_endpoint(desk: Desk, signed_in: In, language: str, width: int) -> None:
    page = signed_in(Role.ADMIN, language=language, viewport={"width": width, "height": 900})
    page.goto("/desk/programs")
    clean(page)
    page.locator('[name="name"]').fill(f"Bridge {language}")
    page.locator('[name="scope"][value="cases:work"]').check()
    page.locator("section.invite button.main").click()
    expect(page.locator("#secret")).to_have_value(re.compile(r"^cdr_\w{46}$"))
    clean(page)
    page.goto("/desk/programs")
    expect(page.locator("tbody th").first).to_contain_text(f"Bridge {language}")
    clean(page)
    page.goto("/desk/webhooks")
    clean(page)
    page.locator('[name="name"]').fill(f"Help desk {language}")
    page.locator('[name="url"]').fill("https://desk.example.hk/hooks")
    page.locator("section.invite button.main").click()
    expect(page.locator("#secret")).to_have_value(re.compile("^whsec_"))
    page.goto("/desk/webhooks")
    page.locator("tbody a", has_text=language).first.click()
    page.locator('form[action$="/test"] button').click()
    expect(page.locator("tbody")).to_contain_text("webhook.test")
    clean(page)
    page.goto("/desk/webhooks")
    clean(page)
