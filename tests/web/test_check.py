"""The page on which anybody checks a message: what it answers, to whom, and what it forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.assembly import Application
from bot.base.languages import Language
from bot.conversations.speaking import wording
from bot.patients import references
from bot.patients.roster.judging import judged
from bot.web.labels import all_labels
from bot.web.limits import UNLIMITED
from tests.make import START
from tests.patients.conftest import CHAN, HEADINGS, as_csv
from tests.web.conftest import Patient, serving

HOSTILE = "</textarea><script>alert(1)</script> {{ 7*7 }} '; drop table persons; -- \u202e\x00 larkmoor-refund.com"


def said(application: Application, name: str, language: Language = Language.EN) -> str:
    with application.database.reading() as session:
        content = application.library.current(session, application.clock()).content
    return wording.render(content, name, language, "web", {}).text.splitlines()[0][:40]


@pytest.fixture
def reference(application: Application, tmp_path: Path) -> str:
    file = tmp_path / "roster.csv"
    file.write_text(as_csv([HEADINGS, CHAN]), encoding="utf-8", newline="")
    with judged(file, application.database, application.vault, application.index) as judging:
        judging.apply(by="tester", at=START)
    with application.database.writing() as session:
        [(_, given)] = references.issue(session, application.index, [1], at=START)
    return given


@pytest.mark.parametrize("language", list(Language))
def test_the_page_is_there_in_every_language_without_any_script(patient: Patient, language: Language) -> None:
    page = patient.client.get(f"/check?lang={language.value}")
    assert page.status_code == 200
    assert all_labels()[language].labels["check_button"] in page.text
    assert "<script" not in page.text
    assert "set-cookie" not in page.headers


def test_a_true_reference_is_confirmed_and_nothing_more(patient: Patient, application: Application, reference: str) -> None:
    page = patient.client.post("/check?lang=en", data={"text": reference.lower()}).text
    assert said(application, "check_code_known") in page
    assert said(application, "check_not_ours") not in page
    for personal in ("Chan", "Tai Man", "chan@", "9123", reference, reference.lower()):
        assert personal not in page


def test_an_unknown_reference_and_any_text_are_treated_as_not_ours(patient: Patient, application: Application) -> None:
    for text in (references.new_reference(), "your parcel waits", "https://larkmoor-refund.com/login"):
        page = patient.client.post("/check?lang=en", data={"text": text}).text
        assert said(application, "check_not_ours") in page
        assert "18222" in page


def test_hostile_input_is_text_and_is_not_shown_again(patient: Patient, application: Application) -> None:
    page = patient.client.post("/check?lang=en", data={"text": HOSTILE})
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "larkmoor-refund" not in page.text
    assert said(application, "check_link") in page.text


def test_nothing_of_the_text_is_logged_or_stored(
    patient: Patient, application: Application, logged: Callable[[], str], reference: str
) -> None:
    patient.client.post("/check?lang=en", data={"text": f"my secret words {reference} 5555 1234"})
    assert "secret words" not in logged()
    assert reference not in logged()
    with application.database.reading() as session:
        for table in ("turns", "replies", "threads"):
            assert session.connection().exec_driver_sql(f"select count(*) from {table}").scalar() == 0


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null", "Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_send_the_form(patient: Patient, headers: dict[str, str]) -> None:
    assert patient.client.post("/check", data={"text": "x"}, headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {}])
def test_our_own_form_arrives_though_it_tells_no_referrer(patient: Patient, headers: dict[str, str]) -> None:
    assert patient.client.post("/check", data={"text": "x"}, headers=headers).status_code == 200


@pytest.mark.parametrize("body", [b"", b"text=", b"\xff\xfe%%%=%", b"a=1&" * 500, b"text=" + b"a" * 30_000])
def test_odd_bodies_get_the_page(patient: Patient, body: bytes) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert patient.client.post("/check", content=body, headers=kind).status_code == 200


def test_an_address_that_asks_too_often_is_told_to_wait(published: Application) -> None:
    few = replace(UNLIMITED, address_turns="2 per hour")
    with serving(published, few) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        answers = [client.post("/check", data={"text": "x"}).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_asking_by_address_is_not_possible(patient: Patient, reference: str) -> None:
    page = patient.client.get("/check", params={"text": reference, "lang": "en"})
    assert "We sent a notice" not in page.text


def test_without_a_publication_the_page_says_whom_to_call(application: Application) -> None:
    with serving(application) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        page = client.get("/check")
        assert client.post("/check", data={"text": "x"}).status_code == 200
    assert page.status_code == 200
    assert "999" in page.text
