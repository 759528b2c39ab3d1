"""`./candour evidence`, `campaign letters`, `campaign phones` and `regulators` as they are typed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.base import audit
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.vault import new_key
from bot.campaigns.sending.room import NoticeRoom
from bot.cli.app import app
from bot.cli.commands.campaigns.desk import office
from bot.cli.terminal import settings_now
from tests.content import texts
from tests.people import publish

terminal = CliRunner()


def typed(*words: str, ends: int = 0) -> str:
    """What a command said; it must end with this status."""
    done = terminal.invoke(app, list(words))
    assert done.exit_code == ends, done.output
    return done.output


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own: twenty invented patients on file, every fact published, the log sealed."""
    monkeypatch.setenv("CANDOUR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CANDOUR_DATABASE_URL", "")
    monkeypatch.setenv("CANDOUR_CAMPAIGNS_LIVE", "true")
    roster = tmp_path / "roster.csv"
    typed("patients", "sample", "--count", "20", "--out", str(roster))
    typed("patients", "import", str(roster), "--apply")
    database = Database(settings_now().database)
    publish(database, texts.with_all_facts(), system_clock())
    database.close()
    return tmp_path / "home"


@pytest.fixture
def running(home: Path, tmp_path: Path) -> Path:
    """A campaign of letters and calls that was started, and sealed."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"ladder": ["letter", "phone"], "waves": []}))
    typed("campaign", "new", "first", "--plan", str(plan), "--by", "wong")
    typed("campaign", "submit", "first", "--by", "wong")
    typed("campaign", "approve", "first", "--by", "lee")
    typed("campaign", "start", "first", "--by", "wong")
    work()
    seal()
    return home


def work() -> None:
    """What the worker does for campaigns."""
    with office() as at:
        room = NoticeRoom(at)
        for _ in range(4):
            room.step()
            room._look(at.clock())
        room.close()


def seal() -> None:
    """What the worker's sealer does."""
    settings = settings_now()
    database = Database(settings.database)
    audit.seal(database, settings.secret("audit_keys"), system_clock())
    audit.export_head(database, settings.home / "evidence", system_clock())
    database.close()


def change(home: Path, *statements: str) -> None:
    """What somebody with the database's file does."""
    with sqlite3.connect(home / "candour.sqlite3") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_log_that_nobody_touched_is_in_order_and_so_is_a_copy(running: Path, tmp_path: Path) -> None:
    assert "The log is in order" in typed("evidence", "verify")
    shutil.copyfile(running / "candour.sqlite3", tmp_path / "copy.sqlite3")
    for ending in ("-wal", "-shm"):
        if (running / f"candour.sqlite3{ending}").exists():
            shutil.copyfile(running / f"candour.sqlite3{ending}", tmp_path / f"copy.sqlite3{ending}")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("copy.sqlite3*")}
    assert "The log is in order" in typed("evidence", "verify", "--database", str(tmp_path / "copy.sqlite3"))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("copy.sqlite3*")} == before
    assert json.loads(typed("evidence", "verify", "--json", "--seals-only").splitlines()[-1])["ok"] is True


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (("UPDATE audit SET actor = 'staff:7' WHERE sequence = 3",), "entry 3 of"),
        (("DELETE FROM audit WHERE sequence = 3",), "the numbering breaks at 3: entry 3 is missing"),
        (
            ("UPDATE audit SET sequence = -sequence WHERE sequence IN (2, 3)",
             "UPDATE audit SET sequence = 5 + sequence WHERE sequence < 0"),
            "entry 2 of",
        ),
        (("DELETE FROM audit WHERE sequence > 4",), "the end was cut off"),
    ],
)  # fmt: skip
def test_a_stranger_who_edits_removes_swaps_or_cuts_off_is_found(running: Path, attack: tuple[str, ...], words: str) -> None:
    change(running, *attack)
    said = typed("evidence", "verify", ends=1)
    assert words in said
    assert "is in order (" in said  # and up to when everything still is


def test_a_log_under_another_key_is_found(running: Path) -> None:
    key_id = (running / "secrets" / "candour_audit_keys").read_text().partition(":")[0]
    (running / "secrets" / "candour_audit_keys").write_text(new_key(key_id))
    assert "this is not the key" in typed("evidence", "verify", ends=1)


def test_one_changed_entry_is_told_from_a_log_that_was_replaced(running: Path) -> None:
    change(running, "UPDATE audit SET actor = 'staff:7' WHERE sequence = 3")
    assert json.loads(typed("evidence", "verify", "--json", ends=1).splitlines()[-1])["damaged"] == 1


def test_the_evidence_is_given_out_and_checked_with_and_without_keys(running: Path, tmp_path: Path) -> None:
    said = typed("evidence", "export", "--campaign", "first", "--out", str(tmp_path / "proof"))
    assert "Digest of all" in said
    assert "Nothing was changed" in typed("evidence", "verify", "--export", str(tmp_path / "proof"))
    assert "Nothing was changed" in typed("evidence", "verify", "--export", str(tmp_path / "proof"), "--offline")
    (tmp_path / "proof" / "people.csv").write_text("none\n")
    assert "people.csv was changed" in typed("evidence", "verify", "--export", str(tmp_path / "proof"), "--offline", ends=1)
    assert "not empty" in typed("evidence", "export", "--campaign", "first", "--out", str(tmp_path / "proof"), ends=1)
    assert running.exists()


def test_letters_go_round(running: Path, tmp_path: Path) -> None:
    assert "Batch 1: 5 letters" in typed("campaign", "letters", "make", "first", "--size", "5", "--registered")
    assert "batch 1: 5 letters" in typed("campaign", "letters", "list", "first")
    typed("campaign", "letters", "download", "first", "1", "--out", str(tmp_path / "printer"))
    path = tmp_path / "printer" / "batch-1-addresses.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    rows = path.read_text().splitlines()
    assert "5 letters are posted" in typed("campaign", "letters", "posted", "first", "1", "--receipt", "R")
    back = tmp_path / "back.csv"
    back.write_text(f"{rows[1].split(',')[1]},moved\n{rows[2].split(',')[1]},nonsense\n")
    halves = typed("campaign", "letters", "returned", "first", str(back), ends=1)
    assert "1 came back" in halves
    assert "row 2: this reason is not known" in halves
    back.write_text("L0000001-00,moved\n")
    assert "misread" in typed("campaign", "letters", "returned", "first", str(back), ends=1)
    assert (running / "letters").stat().st_mode & 0o777 == 0o700


def test_who_has_to_be_rung_is_listed_with_what_to_say(running: Path, tmp_path: Path) -> None:
    typed("campaign", "letters", "make", "first", "--size", "3")
    typed("campaign", "letters", "posted", "first", "1")
    typed("campaign", "letters", "download", "first", "1", "--out", str(tmp_path / "printer"))
    numbers = [row.split(",")[1] for row in (tmp_path / "printer" / "batch-1-addresses.csv").read_text().splitlines()[1:]]
    (tmp_path / "back.csv").write_text("".join(f"{number},moved\n" for number in numbers))
    typed("campaign", "letters", "returned", "first", str(tmp_path / "back.csv"))
    work()
    found = [json.loads(line) for line in typed("campaign", "phones", "list", "first", "--by", "wong", "--json").splitlines()
             if line.startswith("{")]  # fmt: skip
    assert found
    assert "wong" in found[0]["script"]["who"]
    notice = str(found[0]["notice_id"])
    said = typed("campaign", "phones", "done", "first", notice, "--outcome", "told", "--by", "wong")
    assert "nothing more is owed" in said
    assert running.exists()


def test_a_public_notice_is_recorded_and_a_purge_before_its_time_refused(running: Path, tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(b"scan")
    said = typed(
        "campaign", "public-notice", "first", "--where", "our page", "--file", str(tmp_path / "scan.pdf"), "--by", "wong"
    )
    assert "Recorded for" in said
    assert len(list((running / "public-notices").iterdir())) == 1
    assert "addresses go when it has ended" in typed("campaign", "purge", "first", ends=1)


def test_an_authority_is_told_by_two_people(home: Path, tmp_path: Path) -> None:
    typed("regulators", "draft", "police", "--by", "wong")
    assert "What is not known yet" in typed("regulators", "show", "1")
    typed("regulators", "show", "1", "--out", str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "Somebody else" in typed("regulators", "approve", "1", "--by", "wong", ends=1)
    typed("regulators", "approve", "1", "--by", "lee")
    typed("regulators", "filed", "1", "--how", "letter", "--by", "wong")
    assert "police 1, filed" in typed("regulators", "list", ends=terminal.invoke(app, ["regulators", "list"]).exit_code)
    assert home.exists()
