"""The table of all settings for docs/operations.md: `python -m bot.cli.settings_table`."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import SecretStr

from bot.base.settings import REPOSITORY, Settings


def table() -> str:
    """The settings as a Markdown table, from the class that reads them."""
    lines = ["| setting | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `CANDOUR_{name.upper()}` | {_shown(field.default)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    if value is None or value == "" or isinstance(value, SecretStr):
        return ""
    if isinstance(value, Path):
        value = value.relative_to(REPOSITORY) if value.is_relative_to(REPOSITORY) else value
    return f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(table())
