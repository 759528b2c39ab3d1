"""What an operator reads: help for every command, a description for every setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from bot.base.settings import Settings
from bot.cli.app import app
from bot.cli.settings_table import table
from tests.architecture.source import ROOT

GROUP: Any = typer.main.get_command(app)


def commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every command and group of commands below one, with the words that are typed for it."""
    for name, one in group.commands.items():
        yield f"{prefix}{name}", one
        if hasattr(one, "commands"):
            yield from commands(one, f"{prefix}{name} ")


COMMANDS = dict(commands(GROUP))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself_and_its_options(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None) or parameter.name == "help", f"{name}: {parameter.name} has no help"


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_settings_in_the_documentation_are_the_settings() -> None:
    assert table() in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8"), (
        "run `python -m bot.cli.settings_table` and put its output into docs/operations.md"
    )
