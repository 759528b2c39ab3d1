"""Hostile words of patients and staff are words on every page of the console: found from its navigation, and the rest by name."""

from __future__ import annotations

import html
import json
from collections.abc import Callable

import pytest

from bot.desk.persons import requests
from bot.desk.records import CallResult, Known
from bot.desk.staff.approvals import What
from bot.desk.staff.roles import Role
from bot.desk.work import claims, notebook, persons
from bot.patients.models import RECORD, Person
from tests.desk.conftest import Desk
from tests.desk.onfile import WHY, person_on_file
from tests.web.console.conftest import Colleague
from tests.web.console.test_calls import booked

Make = Callable[..., Colleague]
MARK = "zq7"
HOSTILE = (
    f"<script>{MARK}</script>",
    f'"><svg onload="{MARK}"></svg><style>{MARK}</style>',
    f"</textarea></title><img src=x onerror={MARK}>",
    f"{{{{ {MARK} }}}} {{% {MARK} %}}",
    f"\u202e{MARK}\u202c \x07 {'a' * 5000}",
    f'=HYPERLINK("{MARK}")',
)


@pytest.fixture
def anna(desk: Desk, colleague: Make) -> Colleague:
    """Somebody who may see every page."""
    return colleague(*Role)


def filled(desk: Desk, someone: Colleague, words: str) -> tuple[int, int]:
    """A case, with these words everywhere where somebody may write; returns the case and the person."""
    case_id, person_id, at = desk.case(), person_on_file(desk), desk.clock()
    booked(desk, case_id)
    desk.turn(desk.look(case_id).thread_id, words)
    short = words[:280]
    with desk.database.writing() as session:
        record = {"key": "P1", "name": short, "name_zh": short, "categories": []}
        session.get_one(Person, person_id).sealed_record = desk.vault.seal(json.dumps(record), RECORD)
        persons.link(session, desk.vault, case_id, person_id, Known.VERIFIED, staff_id=None, at=at)
        claims.claim(session, desk.vault, case_id, someone.id, at)
        notebook.add_note(session, desk.vault, case_id, someone.id, at, text=words[:3900])
        notebook.log_call(session, desk.vault, case_id, someone.id, at, result=CallResult.NO_ANSWER, text=words[:3900])
        notebook.save_draft(session, desk.vault, case_id, someone.id, at, text=words[:3900])
        requests.ask(session, desk.vault, What.EXPORT, person_id, reason=f"{short} because", by=someone.id, at=at)
    return case_id, person_id


def as_words(page: str, words: str, where: str) -> None:
    """None of the words begins anything in the page's markup."""
    for piece in ("<script>" + MARK, "<svg onload", "<style>" + MARK, "<img src=x", f'onload="{MARK}'):
        assert piece not in page, f"{where} shows {words[:30]!r} as markup"


@pytest.mark.parametrize("words", HOSTILE)
def test_words_stay_words_on_every_page(desk: Desk, anna: Colleague, words: str) -> None:
    case_id, person_id = filled(desk, anna, words)
    front = anna.get("/desk").text
    found = [part.split('"', 1)[0] for part in front.split('<li><a href="')[1:]]
    assert len(found) >= 10
    at = f"/desk/cases/{case_id}"
    for path in (*found, "/desk/me", "/desk/wallboard?days=1", at, f"{at}?all=1"):
        answer = anna.get(path)
        assert answer.status_code == 200, path
        as_words(answer.text, words, path)
    pages = {
        "reveal": anna.post(f"{at}/reveal", line=f"{desk.look(case_id).thread_id}:2", why=WHY),
        "find": anna.post("/desk/patients/find", by="name", value="chan", reason=WHY),
        "open": anna.post("/desk/patients/open", person=person_id, reason=WHY),
        "found": anna.post(f"{at}/persons/find", by="name", value="chan", reason=WHY),
        "texts": anna.post(f"{at}/draft", free=words[:500]),
    }
    for name, answer in pages.items():
        as_words(answer.text, words, name)
    assert html.escape(words.strip()[:20], quote=False)[:8] in html.unescape(pages["reveal"].text) or MARK in pages["reveal"].text


def test_a_formula_stays_text_in_the_table_that_is_given_out(desk: Desk, anna: Colleague) -> None:
    case_id, _ = filled(desk, anna, HOSTILE[-1])
    anna.post(f"/desk/cases/{case_id}/take-over", why=HOSTILE[-1])
    table = anna.post("/desk/log/export", via="/desk/log").text
    assert not [line for line in table.splitlines() for cell in line.split(",") if cell.strip('"').startswith(("=", "+", "@"))]
