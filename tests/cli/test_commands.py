"""The commands as typed, over a real web door and database; the engine alone is a table."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.assembly import Application
from bot.base.clock import system_clock
from bot.base.errors import CandourError, Misconfigured
from bot.base.settings import REPOSITORY, Settings
from bot.cli import services
from bot.cli.app import app
from bot.cli.commands import doctor as doctors
from bot.cli.door import Door
from bot.conversations.threads import open_thread
from bot.desk.cases import open_case
from bot.desk.reasons import reason
from tests.web.conftest import TableEngine

terminal = CliRunner()


def test_a_question_gets_what_a_patient_gets_and_names_for_programs(running_up: Path) -> None:
    done = terminal.invoke(app, ["ask", "What happened?", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert list(answer) == ["say", "text", "lang", "choices", "case", "confidence"]
    assert answer["say"] == ["what_happened"]
    assert answer["lang"] == "en"
    assert answer["case"] is None
    assert answer["confidence"] == pytest.approx(0.98)
    assert {"id", "label"} <= answer["choices"][0].keys()


def test_the_answer_comes_in_the_language_that_was_chosen(running_up: Path) -> None:
    done = terminal.invoke(app, ["ask", "What happened?", "--lang", "zh-Hant", "--json"])
    assert json.loads(done.stdout)["lang"] == "zh-Hant"


def test_an_engine_that_is_down_gives_an_apology_with_a_case(running_up: Path, engine: TableEngine) -> None:
    engine.is_down = True
    answer = json.loads(terminal.invoke(app, ["ask", "What happened?", "--json"]).stdout)
    assert answer["say"] == ["apology"]
    assert answer["case"] in answer["text"]
    listed = json.loads(terminal.invoke(app, ["cases", "--json"]).stdout)
    assert [(case["number"], case["channel"]) for case in listed] == [(answer["case"], "web")]


def test_a_conversation_presses_buttons_by_number_and_switches_the_language(running_up: Path) -> None:
    done = terminal.invoke(app, ["chat"], input="What happened?\n1\nlang zh-Hant\nlang klingon\n2\n")
    assert done.exit_code == 0, done.output
    assert "The languages are en, zh-Hant" in done.output
    assert "  1  " in done.output


def test_cases_are_listed_with_priority_and_reason(running_up: Path, application: Application) -> None:
    with application.database.writing() as session:
        thread = open_thread(session, channel="web", address_index="x", language="en", at=system_clock())
        open_case(session, thread_id=thread.id, reason=reason("self_harm"), turn_id=None, at=system_clock())
    shown = terminal.invoke(app, ["cases"]).stdout
    assert "P0" in shown
    assert "self_harm" in shown


def test_a_case_number_is_whole_on_a_narrow_screen(running_up: Path, application: Application) -> None:
    with application.database.writing() as session:
        thread = open_thread(session, channel="whatsapp", address_index="x", language="en", at=system_clock())
        case = open_case(session, thread_id=thread.id, reason=reason("patient_wish"), turn_id=None, at=system_clock())
        number = case.case.number
    assert number in terminal.invoke(app, ["cases"], env={"COLUMNS": "60"}).stdout


def test_no_case_is_said_in_words(running_up: Path) -> None:
    assert "Nobody is waiting" in terminal.invoke(app, ["cases"]).stdout


def test_the_snippet_for_other_sites_comes_from_the_running_web_process(running_up: Path) -> None:
    assert "Set CANDOUR_EMBED_ORIGINS" in terminal.invoke(app, ["widget-snippet"]).stdout


def test_the_doctor_names_what_is_missing_and_does_not_succeed(running_up: Path) -> None:
    done = terminal.invoke(app, ["doctor", "--json"])
    found = {one["what"]: one for one in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert found["secrets"]["well"] is False
    assert "vault_keys" in found["secrets"]["words"]
    assert found["database"]["well"] is True
    assert found["web"]["well"] is True
    assert found["fact hotline"]["well"] is None


def test_a_look_that_fails_does_not_end_the_others(running_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOUR_DATA", str(running_up / "nothing here"))
    done = terminal.invoke(app, ["doctor", "--json"])
    found = {one["what"]: one["well"] for one in json.loads(done.stdout)}
    assert found["files"] is False
    assert found["settings"] is True
    assert doctors.Finding("Chromium (for tests)", None, "").what in found


def test_empty_facts_are_one_line_until_they_are_asked_for(running_up: Path) -> None:
    short = terminal.invoke(app, ["doctor"]).stdout
    assert "have no value yet" in short
    assert "fact hotline" not in short
    assert "publication" in short
    assert "fact hotline" in terminal.invoke(app, ["doctor", "--facts"]).stdout


def test_publishing_takes_two_people(running_up: Path, keys: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOUR_VAULT_KEYS", keys.vault)  # type: ignore[attr-defined]
    assert "Proposal 2" in terminal.invoke(app, ["publish", "--propose", "--by", "Ada"]).stdout
    refused = terminal.invoke(app, ["publish", "--approve", "2", "--by", "ada"])
    assert refused.exit_code == 1
    assert "another person" in refused.output
    assert "in force" in terminal.invoke(app, ["publish", "--approve", "2", "--by", "Ben"]).stdout
    assert "Ben" in terminal.invoke(app, ["publish", "--list"]).stdout
    assert terminal.invoke(app, ["publish", "--propose"]).exit_code == 1


def test_the_difference_to_what_is_said_is_shown(running_up: Path) -> None:
    assert "What is said now is the files." in terminal.invoke(app, ["publish", "--diff"]).stdout


@pytest.fixture
def two_contents(running_up: Path, tmp_path: Path, keys: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a clinic that has just learned its hotline number."""
    monkeypatch.setenv("CANDOUR_VAULT_KEYS", keys.vault)  # type: ignore[attr-defined]
    folder = tmp_path / "data"
    shutil.copytree(REPOSITORY / "data", folder)
    incident = (folder / "incident.yml").read_text(encoding="utf-8")
    before = re.search(r"  hotline:\n    value: null\n    as_of: null\n", incident)
    assert before is not None
    known = '  hotline:\n    value: "3700 1234"\n    as_of: 2023-05-09\n'
    (folder / "incident.yml").write_text(incident.replace(before.group(), known), encoding="utf-8")
    monkeypatch.setenv("CANDOUR_DATA", str(folder))
    return folder


def test_one_edit_one_proposal_and_one_approval_change_a_number_everywhere(two_contents: Path) -> None:
    changed = json.loads(terminal.invoke(app, ["publish", "--diff", "--json"]).stdout)
    assert [change["place"] for change in changed] == ["facts.hotline.as_of.date", "facts.hotline.value"]
    terminal.invoke(app, ["publish", "--propose", "--by", "Ada"])
    said = "3700 1234" in terminal.invoke(app, ["say", "hotline_contact", "--published"]).stdout
    assert not said, "a proposal is not said"
    terminal.invoke(app, ["publish", "--approve", "2", "--by", "Ben"])
    for language in ("en", "zh-Hant", "zh-Hans", "tl", "id"):
        for channel in ("web", "sms"):
            shown = terminal.invoke(app, ["say", "hotline_contact", "--published", "--lang", language, "--channel", channel])
            assert "3700 1234" in shown.stdout, (language, channel)


def test_a_roll_back_takes_two_people_and_brings_the_old_text_back(two_contents: Path) -> None:
    terminal.invoke(app, ["publish", "--propose", "--by", "Ada"])
    terminal.invoke(app, ["publish", "--approve", "2", "--by", "Ben"])
    assert "Proposal 3" in terminal.invoke(app, ["publish", "--back-to", "1", "--by", "Ada"]).stdout
    assert "3700 1234" in terminal.invoke(app, ["publish", "--diff", "--number", "3"]).stdout
    assert terminal.invoke(app, ["publish", "--approve", "3", "--by", "Ada"]).exit_code == 1
    assert terminal.invoke(app, ["publish", "--approve", "3", "--by", "Ben"]).exit_code == 0
    assert "3700 1234" not in terminal.invoke(app, ["say", "hotline_contact", "--published"]).stdout


def test_a_publication_can_take_effect_later(two_contents: Path) -> None:
    terminal.invoke(app, ["publish", "--propose", "--by", "Ada"])
    later = terminal.invoke(app, ["publish", "--approve", "2", "--by", "Ben", "--from", "2999-01-01 09:00"])
    assert "2999-01-01 09:00" in later.stdout
    assert "3700 1234" not in terminal.invoke(app, ["say", "hotline_contact", "--published"]).stdout


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--approve", "2", "--by", "Ben", "--from", "tomorrow"], "2023-05-10 09:00"),
        (["--approve", "9", "--by", "Ben"], "no proposal 9"),
        (["--diff", "--number", "9"], "no proposal 9"),
        (["--back-to", "9", "--by", "Ben"], "no publication 9"),
        (["--propose", "--list", "--by", "Ben"], "one thing at a time"),
        (["--reject", "1"], "--by NAME"),
    ],
)
def test_a_wrong_wish_to_publish_is_refused_in_words(two_contents: Path, wrong: list[str], words: str) -> None:
    done = terminal.invoke(app, ["publish", *wrong])
    assert done.exit_code == 1
    assert words in " ".join(done.output.split())


def test_a_wording_is_shown_as_a_patient_reads_it() -> None:
    shown = json.loads(terminal.invoke(app, ["say", "self_harm", "--lang", "zh-Hant", "--channel", "sms", "--json"]).stdout)
    assert "999" in shown["text"]
    assert shown["segments"] >= 1
    empty = terminal.invoke(app, ["say", "hotline_contact", "--no-facts"]).stdout
    assert "not known yet" in empty


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(["no_such"], "no wording 'no_such'"), (["hotline"], "hotline_contact"), (["hotline_contact", "--channel", "fax"], "fax")],
)
def test_a_wording_that_is_not_there_is_said_in_words(wrong: list[str], words: str) -> None:
    done = terminal.invoke(app, ["say", *wrong])
    assert done.exit_code == 1
    assert words in done.output


def test_known_and_unknown_errors_are_one_sentence(running_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_url: str) -> None:
        raise ZeroDivisionError("with a patient's words in it")

    monkeypatch.setattr("bot.cli.commands.cases.open_cases", broken)
    done = terminal.invoke(app, ["cases"])
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert "ZeroDivisionError" in done.output
    assert "patient's words" not in done.output
    with pytest.raises(ZeroDivisionError):
        terminal.invoke(app, ["--debug", "cases"], catch_exceptions=False)


def test_a_database_that_does_not_answer_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_tcp_port: int
) -> None:
    monkeypatch.setenv("CANDOUR_HOME", str(tmp_path))
    monkeypatch.setenv("CANDOUR_DATABASE_URL", f"postgresql://someone:pass-word@127.0.0.1:{free_tcp_port}/x")
    done = terminal.invoke(app, ["cases"])
    assert done.exit_code == 1
    assert "The database cannot be used: it does not answer" in done.output
    assert "pass-word" not in done.output


def test_a_home_that_cannot_be_made_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CANDOUR_HOME", str(tmp_path / "file" / "home"))
    done = terminal.invoke(app, ["up"])
    assert done.exit_code == 1
    assert "This cannot be done here" in done.output
    assert str(tmp_path / "file") in done.output.replace("\n", "")


def test_a_port_that_is_taken_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_tcp_port: int
) -> None:
    monkeypatch.setenv("CANDOUR_HOME", str(tmp_path))
    monkeypatch.setenv("CANDOUR_WEB_PORT", str(free_tcp_port))
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_tcp_port))
        other.listen()
        started, looked = terminal.invoke(app, ["up"]), terminal.invoke(app, ["doctor"])
    assert f"Port {free_tcp_port} (web) is taken by another program" in started.output
    assert "CANDOUR_WEB_PORT" in looked.stdout
    assert not (tmp_path / "secrets").exists()


def test_two_processes_on_one_port_and_a_foreign_address_are_refused(free_tcp_port: int) -> None:
    settings = Settings(_env_file=None, web_port=free_tcp_port, engine_port=free_tcp_port)
    with pytest.raises(Misconfigured, match="CANDOUR_WEB_PORT and CANDOUR_ENGINE_PORT"):
        services.expect_ports(settings)
    # An address for documentation: no machine has it (RFC 5737).
    elsewhere = Settings(_env_file=None, web_host="192.0.2.1", web_port=free_tcp_port, engine_url="http://x", simulator=False)
    with pytest.raises(Misconfigured, match="CANDOUR_WEB_HOST"):
        services.expect_ports(elsewhere)
    services.expect_ports(elsewhere.model_copy(update={"web_host": "localhost"}))


def test_a_door_that_is_not_there_is_said(free_tcp_port: int) -> None:
    with pytest.raises(CandourError, match="does not answer"):
        Door(f"http://127.0.0.1:{free_tcp_port}")


def test_a_second_up_says_that_one_runs_already(running_up: Path) -> None:
    done = terminal.invoke(app, ["up"])
    assert done.exit_code == 1
    assert "already running at http://127.0.0.1:" in done.output


def test_every_command_shows_help_from_the_shell() -> None:
    shell = subprocess.run(
        [sys.executable, "-P", "-m", "bot.cli", "--help"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ("up", "ask", "chat", "cases", "publish", "train", "doctor", "test", "bench"):
        assert f" {name} " in shell.stdout


@pytest.fixture
def free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
