"""The patient's page as the server makes it, its labels, and what goes into the log."""

from __future__ import annotations

import io
import logging
import logging.config
import re
from typing import Any

import httpx
import pytest

from bot.assembly import Application
from bot.base.languages import Language
from bot.conversations.speaking import publication
from bot.web.labels import LABELS, all_labels, wanted
from bot.web.logs import PlacesOnly, log_config
from bot.web.patient import STATIC
from bot.web.refusals import STATUS
from tests.make import FakeClock
from tests.web.conftest import Patient, serving


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("zh", "zh-Hant"),
        ("zh-HK,zh;q=0.9", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("yue", "zh-Hant"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("fil-PH, en;q=0.8", "tl"),
        ("id-ID", "id"),
        ("fr, id;q=0.3, zh-CN;q=0.8", "zh-Hans"),
        ("zh;q=0, en", "en"),
        ("idle", "en"),
        ("zh;q=abc, tl;q=0.1", "tl"),
        (",;=" * 500, "en"),
    ],
)
def test_the_browsers_best_language_is_taken(header: str, language: str) -> None:
    assert wanted(header) == language


def test_every_label_exists_in_every_language_and_every_refusal_has_a_sentence() -> None:
    table = all_labels()
    assert set(table) == set(Language)
    for words in table.values():
        assert set(words.refusals) == set(STATUS)


def test_every_word_the_script_asks_for_is_a_label() -> None:
    asked = set(re.findall(r"words\.([a-z_]+)", (STATIC / "chat.js").read_text())) - {"refusal_failed"}
    assert asked <= set(all_labels()[Language.EN].labels)


def test_no_label_is_left_over() -> None:
    used = (STATIC / "chat.js").read_text() + "".join(path.read_text() for path in LABELS.parents[1].glob("*/*.html"))
    used += (
        (STATIC.parent / "patient.py").read_text()
        + (STATIC.parent / "pages" / "notice.py").read_text()
        + "from_you from_bot from_staff"
    )
    assert [name for name in all_labels()[Language.EN].labels if name not in used] == []


@pytest.mark.parametrize("lang", list(Language))
def test_the_page_stands_in_each_language(patient: Patient, lang: Language) -> None:
    page = patient.client.get(f"/chat?lang={lang.value}")
    assert page.headers["content-language"] == lang.value
    assert f'<html lang="{lang.value}">' in page.text
    for name in ("before_you_write", "send"):
        assert all_labels()[lang].labels[name] in page.text


def test_the_page_speaks_the_threads_language(patient: Patient) -> None:
    patient.open(lang="zh-Hans")
    assert '<html lang="zh-Hans">' in patient.client.get("/chat").text
    assert '<html lang="id">' in patient.client.get("/chat?lang=id").text


def test_the_page_takes_no_markup_from_its_address(patient: Patient) -> None:
    page = patient.client.get('/chat?lang="><script>alert(1)</script>')
    assert page.status_code == 200
    assert "alert(1)" not in page.text


def test_a_published_text_cannot_bring_markup(application: Application, content: dict[str, Any], clock: FakeClock) -> None:
    hostile = {**content, "facts": {**content["facts"], "clinic_name": {"value": "<b>&</b></script>", "as_of": "2023-05-08"}}}
    with application.database.writing() as session:
        proposed = publication.propose(session, hostile, by="demo editor", at=clock())
        publication.approve(session, proposed.id, by="demo approver", at=clock())
    with serving(application) as address:
        page = httpx.get(f"{address}/chat", trust_env=False, timeout=60).text
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page


def test_an_errors_own_text_is_not_logged() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlacesOnly("%(message)s"))
    log = logging.getLogger("tests.one")
    log.propagate = False
    log.addHandler(handler)
    try:
        try:
            raise KeyError("MARKER")
        except KeyError as first:
            raise ValueError("MARKER too") from first
    except ValueError:
        log.exception("it failed")
    said = stream.getvalue()
    assert "MARKER" not in said.replace('KeyError("MARKER")', "").replace('ValueError("MARKER too")', "")
    assert "ValueError at" in said
    assert "KeyError at" in said
    assert "test_patient.py" in said


def test_libraries_that_would_write_texts_are_never_asked_to_debug() -> None:
    quiet = log_config("DEBUG")["loggers"]
    assert quiet["sse_starlette"]["level"] == "WARNING"
    assert quiet["httpx"]["level"] == "WARNING"
