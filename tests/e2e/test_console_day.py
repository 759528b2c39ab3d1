"""Every page of the console on the demo's day: found from its navigation, clean for machines, and pictured when asked.

`CANDOUR_SCREENSHOTS=<folder>` keeps a picture of every page, in both languages and widths.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from pydantic import SecretStr
from sqlalchemy import select

from bot.base.settings import Settings
from bot.cli.demo import day
from bot.conversations.models import Thread
from bot.desk.models import Case
from bot.desk.staff.roles import Role
from tests.conftest import Keys
from tests.e2e.conftest import Site, running_site
from tests.e2e.console import Console, console_over

OWN = {"sms_numbers": "+85264500001", "whatsapp_numbers": "+85264500002", "email_addresses": "care@clinic.example"}
"""Our own addresses, by the name of their setting."""
BESIDE = ("/desk/me", "/desk/publications/1", "/desk/wallboard?days=1", "/desk?view=overdue")
"""Pages that the navigation does not name."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, keys: Keys, stand_in: str) -> Iterator[Console]:
    """A console on the demo's day, with the demo's team."""
    home = tmp_path_factory.mktemp("day")
    with running_site(home, keys, engine_url=stand_in, token="-") as site, console_over(site, keys) as console:
        _played(site, keys)
        yield console


def _played(site: Site, keys: Keys) -> None:
    secrets = {"vault_keys": SecretStr(keys.vault), "index_keys": SecretStr(keys.index)}
    url = f"sqlite:///{site.home / 'candour.sqlite3'}"
    settings = Settings(_env_file=None, home=site.home, database_url=url).model_copy(update={**secrets, **OWN})
    day.team(settings, lambda _: None)
    day.play(settings, lambda _: None)


def flaws(page: Page, part: str = "html") -> list[str]:
    """What a screen reader or a narrow screen would stumble over, on the page or a part of it."""
    found = Axe().run(
        page, context=part, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    wrong = [f"{page.url} {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found.response["violations"]]
    is_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*wrong, *([f"{page.url} is too wide"] if is_wide else [])]


def pictured(page: Page, name: str, lang: str, width: int) -> None:
    """Keep a picture when somebody asked for them."""
    folder = os.environ.get("CANDOUR_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{lang}-{width}.png", full_page=True)


def cases_of(console: Console) -> dict[str, int]:
    """A case of each kind that looks different."""
    with console.desk.database.reading() as session:
        found = {f"{case.status}": case.id for case in session.scalars(select(Case).order_by(Case.id))}
        whatsapp = select(Case.id).join(Thread, Thread.id == Case.thread_id).where(Thread.channel == "whatsapp")
        channel = session.scalar(whatsapp.where(Case.status == "claimed").limit(1))
    return found | ({"whatsapp": channel} if channel else {})


@pytest.mark.parametrize("width", [1280, 768])
@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_every_page_there_is_is_clean_on_a_busy_day(
    busy: Console, contexts: Callable[..., BrowserContext], lang: str, width: int
) -> None:
    page = busy.page(contexts, *Role, language=lang, name="Karen Ho", viewport={"width": width, "height": 900}, bypass_csp=True)
    page.goto(f"{busy.site.address}/desk")
    found = page.locator("header nav a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert len(found) >= 10
    line = page.locator("header nav").evaluate("nav => nav.getBoundingClientRect().height")
    assert width < 1280 or line < 50, "the navigation is one line"
    for menu in page.locator("header nav summary").all():
        menu.press("Enter")
        expect(page.locator("header nav details[open] a").first).to_be_visible()
        assert flaws(page, "header") == [], "what lies beneath an open menu is not pressed"
        page.keyboard.press("Escape")
        expect(menu).to_be_focused()
        expect(page.locator("header nav details[open]")).to_have_count(0)
    keys = page.locator("header nav [data-go]").evaluate_all("links => links.map(link => link.dataset.go)")
    assert len(keys) == len(set(keys)), "a key leads to one page"
    wrong: list[str] = []
    for path in (*found, *BESIDE, *(f"/desk/cases/{number}" for number in cases_of(busy).values())):
        page.goto(f"{busy.site.address}{path}")
        expect(page.locator("h1").first).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", lang)
        wrong += flaws(page)
        pictured(page, re.sub(r"[/?=]+", "-", path.removeprefix("/desk").strip("/")) or "queue", lang, width)
    assert wrong == []
