"""`./candour notices` as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from bot.cli.app import app
from tests.campaigns.content import notices

terminal = CliRunner()


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOUR_HOME", str(tmp_path / "home"))


def test_every_notice_is_listed() -> None:
    done = terminal.invoke(app, ["notices", "list"])
    assert done.exit_code == 0
    assert [name for name in notices.NAMES if name not in done.stdout] == []


def test_the_lint_passes_on_the_words_and_names_the_facts_that_are_missing() -> None:
    done = terminal.invoke(app, ["notices", "lint"])
    assert done.exit_code == 0, done.stdout
    assert "11 notices in 3 languages: no mistakes." in done.stdout
    assert "hotline" in done.stdout


def test_the_lint_fails_when_it_must_be_ready() -> None:
    done = terminal.invoke(app, ["notices", "lint", "first_notice", "--ready", "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert not told["well"]
    assert {finding["rule"] for finding in told["findings"]} == {"fact"}


@pytest.mark.parametrize("channel", ["email", "sms", "whatsapp", "letter"])
def test_a_notice_is_shown_as_it_would_arrive(channel: str) -> None:
    done = terminal.invoke(app, ["notices", "show", "first_notice", "--lang", "zh-Hant", "--channel", channel])
    assert done.exit_code == 0, done.output
    assert "7K3M9-QT4XV" in done.stdout
    assert "{{" not in done.stdout
    assert ("SMS segments" in done.stdout) == (channel == "sms")


def test_only_the_kinds_asked_for_are_shown() -> None:
    shown = terminal.invoke(app, ["notices", "show", "first_notice", "--categories", "insurance, payment"]).stdout
    assert "Insurance details" in shown
    assert "Bills and payment" in shown
    assert "Visits and bookings" not in shown
    assert "We hold no record yet" in terminal.invoke(app, ["notices", "show", "first_notice", "--categories", "none"]).stdout


def test_an_e_mail_and_a_letter_are_written_to_files(tmp_path: Path) -> None:
    page, letter = tmp_path / "mail.html", tmp_path / "letter.pdf"
    terminal.invoke(app, ["notices", "show", "guardian", "--out", str(page)])
    terminal.invoke(app, ["notices", "show", "guardian", "--channel", "letter", "--out", str(letter)])
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "parent or guardian" in PdfReader(letter).pages[0].extract_text()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["show", "nobody"], "There is no notice"),
        (["show", "first_notice", "--categories", "shoes"], "kinds of data are"),
        (["show", "first_notice", "--variant", "loud"], "no variant"),
        (["show", "safe_contact", "--channel", "whatsapp"], "does not go by whatsapp"),
        (["lint", "nobody"], "There is no notice"),
    ],
)
def test_a_slip_is_told_in_one_sentence(asked: list[str], told: str) -> None:
    done = terminal.invoke(app, ["notices", *asked])
    assert done.exit_code == 1
    assert told in done.output
