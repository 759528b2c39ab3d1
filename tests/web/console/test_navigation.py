"""The navigation: each role sees its own places, the rest stands in menus, and every page says whose clock it shows."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.desk.staff.roles import Role
from bot.web.console.rendering import Entry, menus
from bot.web.console.words import SPOKEN, all_words, word
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
AGENT = {"queue", "calls", "phones", "patients", "wallboard", "unhandled", "state"}


def nav(html: str) -> str:
    """The navigation of a page."""
    return html.partition("<nav")[2].partition("</nav>")[0]


def places(html: str) -> set[str]:
    return {href.removeprefix("/desk").strip("/") or "queue" for href in re.findall(r'href="([^"]+)"', nav(html))}


def test_an_agent_sees_the_places_of_an_agent_in_one_line(colleague: Make) -> None:
    html = colleague(Role.AGENT).get("/desk").text
    assert places(html) == AGENT
    assert "<summary" not in nav(html), "a menu of one page would hide it"


def test_no_page_has_two_landmarks_of_one_name() -> None:
    for template in (REPOSITORY / "templates" / "console").glob("*.html"):
        named = re.findall(
            r'<(?:section|nav|aside|\w+[^>]*role="region")[^>]*aria-labelledby="([^"]+)"', template.read_text("utf-8")
        )
        assert len(named) == len(set(named)), f"{template.name}: a screen reader lists two places as {sorted(named)}"


def test_who_may_do_much_finds_the_rest_in_menus(colleague: Make) -> None:
    html = colleague(*Role).get("/desk/log").text
    assert {"log", "evidence", "export", "team", "webhooks", "phones"} < places(html)
    assert nav(html).count("<summary") == 2
    assert '<summary class="here">Records' in nav(html)
    assert re.search(r'href="/desk/log" aria-current="page"', html)
    assert "<summary>System" in nav(html)


def test_a_page_beneath_a_place_shows_where_it_stands(desk: Desk, colleague: Make) -> None:
    html = colleague(Role.LEAD).get("/desk/publications/1").text
    assert re.search(r'href="/desk/publications" aria-current="true"', html)


def test_pages_of_one_menu_stand_where_its_first_one_stands() -> None:
    made = [Entry(str(place), f"/{place}", None, place, group=group) for place, group in enumerate(("", "a", "", "a", "b"))]
    assert [(name, [one.place for one in held]) for name, held in menus(made)] == [("", [0]), ("a", [1, 3]), ("", [2]), ("", [4])]


def test_every_place_and_menu_has_its_word_and_a_key_of_its_own(colleague: Make) -> None:
    html = colleague(*Role).get("/desk").text
    keys = re.findall(r'data-go="(\w)"', html)
    assert len(keys) == len(set(keys)) == len(places(html))
    assert {"nav.records", "nav.system", "nav.phones"} < set(all_words())


@pytest.mark.parametrize("language", SPOKEN)
def test_every_page_says_once_whose_time_it_shows(colleague: Make, language: Language) -> None:
    one = colleague(Role.LEAD)
    one.post("/desk/language", language=language.value)
    said = word(language, "base.times")
    for page in ("/desk", "/desk/log", "/desk/wallboard", "/desk/me"):
        assert one.get(page).text.count(said) == 1
    one.post("/desk/sign-out")
    assert one.get(f"/desk/sign-in?lang={language.value}").text.count(said) == 1


def test_the_phone_list_is_for_who_works_cases(colleague: Make) -> None:
    assert "Nobody has to be rung" in colleague(Role.AGENT).get("/desk/phones").text
    for role in (Role.AUDITOR, Role.APPROVER, Role.ADMIN):
        other = colleague(role)
        assert other.get("/desk/phones").status_code == 403
        assert "phones" not in places(other.get("/desk/me").text)
