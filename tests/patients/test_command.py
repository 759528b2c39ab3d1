"""`./candour patients` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.base.database import Database
from bot.base.vault import BlindIndex
from bot.cli.app import app
from bot.cli.installation import with_secrets
from bot.cli.terminal import settings_now
from bot.patients import disclosure
from bot.patients.disclosure import HoldReason
from bot.patients.finding import person_with_key
from bot.patients.models import Person
from tests.make import START
from tests.patients.conftest import CHAN, HEADINGS, LEE, as_csv

terminal = CliRunner()


@pytest.fixture
def roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small roster, and a home of this test's own."""
    monkeypatch.setenv("CANDOUR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CANDOUR_DATABASE_URL", "")
    path = tmp_path / "roster.csv"
    path.write_text(as_csv([HEADINGS, CHAN, LEE]), encoding="big5hkscs", newline="")
    return path


def code_of(path: Path) -> str:
    done = terminal.invoke(app, ["patients", "import", str(path), "--json"])
    assert done.exit_code == 0, done.output
    return str(json.loads(done.stdout)["code"])


def test_a_check_says_what_it_read_and_stores_nothing(roster: Path) -> None:
    done = terminal.invoke(app, ["patients", "import", str(roster), "--check"])
    assert done.exit_code == 0, done.output
    assert "Big5 with the Hong Kong characters, comma between cells, 2 rows" in done.stdout
    assert "2 added" in done.stdout
    assert "Nothing was stored" in done.stdout
    for personal in ("Tai Man", "大文", "chan@example", "4567"):
        assert personal not in done.output


def test_a_file_without_digests_is_applied_only_with_the_code_of_what_was_seen(roster: Path) -> None:
    refused = terminal.invoke(app, ["patients", "import", str(roster), "--apply"])
    assert refused.exit_code == 1
    assert "Not applied" in refused.output
    wrong = terminal.invoke(app, ["patients", "import", str(roster), "--apply", "--confirm", "00000000"])
    assert wrong.exit_code == 1
    done = terminal.invoke(app, ["patients", "import", str(roster), "--apply", "--confirm", code_of(roster)])
    assert done.exit_code == 0, done.output
    assert "Applied as import 1" in done.stdout


def test_a_file_with_digests_is_applied_at_once_and_its_changes_are_asked_for(roster: Path, tmp_path: Path) -> None:
    first = tmp_path / "sample.csv"
    assert terminal.invoke(app, ["patients", "sample", "--count", "40", "--seed", "2", "--out", str(first)]).exit_code == 0
    assert terminal.invoke(app, ["patients", "import", str(first), "--apply"]).exit_code == 0
    assert terminal.invoke(app, ["patients", "sample", "--count", "39", "--seed", "2", "--out", str(first)]).exit_code == 0
    again = terminal.invoke(app, ["patients", "import", str(first), "--apply"])
    assert again.exit_code == 1
    assert "1 missing" in again.stdout
    assert terminal.invoke(app, ["patients", "import", str(first), "--apply", "--confirm", code_of(first)]).exit_code == 0


def test_a_bad_file_ends_with_a_report_and_a_status(roster: Path, tmp_path: Path) -> None:
    roster.write_text(as_csv([[*HEADINGS, "Shoe size"], [*CHAN, "9"], ["P002", "=1+1", *LEE[2:], "9"]]), encoding="utf-8")
    report = tmp_path / "report.csv"
    done = terminal.invoke(app, ["patients", "import", str(roster), "--apply", "--report", str(report)])
    assert done.exit_code == 1
    assert "not understood and not stored: Shoe size" in done.output
    assert "formula" in report.read_text(encoding="utf-8")


def test_a_report_does_not_overwrite_the_roster(roster: Path) -> None:
    done = terminal.invoke(app, ["patients", "import", str(roster), "--report", str(roster)])
    assert done.exit_code == 1
    assert roster.read_bytes()


def test_a_report_that_cannot_be_written_is_said_before_anything_is_read(roster: Path, tmp_path: Path) -> None:
    done = terminal.invoke(app, ["patients", "import", str(roster), "--report", str(tmp_path / "no" / "such" / "folder.csv")])
    assert done.exit_code == 1
    assert "The report cannot be written" in done.output


def test_a_sample_goes_to_standard_output(roster: Path) -> None:
    done = terminal.invoke(app, ["patients", "sample", "--count", "3"])
    assert len(done.stdout.splitlines()) == 4


def test_a_file_that_is_not_there_is_said_in_words(roster: Path) -> None:
    done = terminal.invoke(app, ["patients", "import", str(roster.with_name("none.csv"))])
    assert done.exit_code == 1
    assert "cannot be read" in done.output


def test_notices_are_judged_first_and_stored_when_told_so(roster: Path, tmp_path: Path) -> None:
    roster.write_text(as_csv([HEADINGS, CHAN, LEE]), encoding="utf-8")
    terminal.invoke(app, ["patients", "import", str(roster), "--apply", "--confirm", code_of(roster)])
    sent = tmp_path / "sent.csv"
    sent.write_text("person key,notice name,version,channel,day\nP001,First notice,1,email,2023-05-05\n", encoding="utf-8")
    looked = terminal.invoke(app, ["patients", "notices", "import", str(sent), "--json"])
    assert (looked.exit_code, json.loads(looked.stdout)["list"]) == (0, None)
    done = terminal.invoke(app, ["patients", "notices", "import", str(sent), "--json", "--apply"])
    assert (done.exit_code, json.loads(done.stdout)["added"]) == (0, 1)


def test_a_bad_list_of_notices_ends_with_a_status_and_stores_nothing(roster: Path, tmp_path: Path) -> None:
    sent = tmp_path / "sent.csv"
    sent.write_text("person key,notice name,version,channel,day\nP404,First notice,1,email,2023-05-05\n", encoding="utf-8")
    done = terminal.invoke(app, ["patients", "notices", "import", str(sent), "--apply"])
    assert done.exit_code == 1
    assert "Nothing was stored" in done.output


def test_a_hold_is_lifted_by_somebody_and_only_where_there_is_one(roster: Path) -> None:
    terminal.invoke(app, ["patients", "import", str(roster), "--apply", "--confirm", code_of(roster)])
    assert terminal.invoke(app, ["patients", "lift", "P001", "--by", "lead"]).exit_code == 1
    database = Database(settings_now().database)
    with database.writing() as session:
        disclosure.hold(session, 1, HoldReason.IDENTITY_DOUBTED, START)
        held = session.get_one(Person, 1)
        key = next(key for key in ("P001", "P002") if person_with_key(session, index_of(), key) is held)
    database.close()
    done = terminal.invoke(app, ["patients", "lift", key, "--by", "lead"])
    assert (done.exit_code, terminal.invoke(app, ["patients", "lift", key, "--by", "lead"]).exit_code) == (0, 1)


def index_of() -> BlindIndex:
    return BlindIndex(with_secrets(settings_now()).secret("index_keys"))
