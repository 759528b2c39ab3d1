"""What the documents say can be found: links lead somewhere, commands and settings exist, decisions are numbered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from bot.base.settings import Settings
from bot.cli.app import app
from tests.architecture.source import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
OF_TESTS = {"CANDOUR_SCREENSHOTS"}
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_COMMAND = re.compile(r"\./candour ([a-z][^\n`|#(]*)")


def _commands() -> Iterator[tuple[str, list[str]]]:
    for path in DOCUMENTS:
        for found in _COMMAND.finditer(path.read_text(encoding="utf-8")):
            yield path.name, found[1].split()


def _unknown(words: list[str]) -> list[str]:
    """What of a command line does not exist: its command, or options of it."""
    command: Any = get_command(app)
    while words and (inner := getattr(command, "commands", {}).get(words[0])):
        command, words = inner, words[1:]
    if command.name == "bench":
        return []
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    is_open = bool(getattr(command, "commands", {})) and bool(words) and words[0][0] not in "-…" and "|" not in words[0]
    wrong = words[:1] if is_open else []
    return wrong + [word for word in words if word.startswith("--") and re.match(r"--[a-z-]+", word)[0] not in options]  # type: ignore[index]


def test_every_link_leads_somewhere() -> None:
    links = [(path, target) for path in DOCUMENTS for target in _LINK.findall(path.read_text(encoding="utf-8"))]
    assert [(path.name, to) for path, to in links if "://" not in to and not (path.parent / to).exists()] == []


def test_every_command_and_option_exists() -> None:
    assert [(name, words) for name, words in _commands() if _unknown(words)] == []


def test_a_command_that_does_not_exist_would_be_found() -> None:
    assert _unknown(["campaign", "fly"]) == ["fly"]
    assert _unknown(["evidence", "verify", "--loudly"]) == ["--loudly"]


def test_every_setting_exists() -> None:
    known = {f"CANDOUR_{name}".upper() for name in Settings.model_fields} | OF_TESTS
    named = {name for path in DOCUMENTS for name in re.findall(r"CANDOUR_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert named - known == set()


def test_decisions_are_numbered_without_a_gap_and_say_how_they_are_checked() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert [path.name for path in DECISIONS if not _is_whole(path)] == []


def _is_whole(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return text.startswith(f"# {int(path.name[:4])}. ") and "How to check" in text
