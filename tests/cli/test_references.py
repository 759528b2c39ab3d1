"""`./candour patients references` as it is typed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.app import app

terminal = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own with forty invented patients on file."""
    monkeypatch.setenv("CANDOUR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CANDOUR_DATABASE_URL", "")
    roster = tmp_path / "roster.csv"
    assert terminal.invoke(app, ["patients", "sample", "--count", "40", "--out", str(roster)]).exit_code == 0
    assert terminal.invoke(app, ["patients", "import", str(roster), "--apply"]).exit_code == 0
    return tmp_path / "home"


def issued(*more: str) -> dict[str, str]:
    """The references a command gave out: the clinic's key → the reference."""
    done = terminal.invoke(app, ["patients", "references", "issue", "--json", *more])
    assert done.exit_code == 0, done.output
    path = Path(json.loads(done.stdout)["file"])
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    with path.open(encoding="utf-8") as file:
        rows = {row["person key"]: row["reference"] for row in csv.DictReader(file)}
    path.unlink()
    assert not any(reference in done.output for reference in rows.values())
    return rows


def test_everybody_gets_one_reference_and_no_second_until_it_is_revoked(home: Path) -> None:
    first = issued()
    assert len(first) == len(set(first.values())) > 30
    assert issued() == {}
    key = next(iter(first))
    again = issued("--person", key)
    assert again.keys() == {key}
    assert again[key] != first[key]
    assert terminal.invoke(app, ["patients", "references", "revoke", key]).exit_code == 0
    assert issued().keys() == {key}
    assert home.exists()


def test_a_person_who_is_not_on_file_gets_none_and_no_file_is_left(home: Path) -> None:
    done = terminal.invoke(app, ["patients", "references", "issue", "--person", "NOBODY"])
    assert done.exit_code != 0
    assert list((home / "references").glob("*.csv")) == []
