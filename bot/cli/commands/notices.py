"""`patients notices`: what was sent to patients before Candour was there, brought in from the clinic's own list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.vault import BlindIndex, Vault
from bot.cli.commands.patients import ready
from bot.cli.terminal import out, say, settings_now
from bot.patients.notices import importing

SHOWN = 25

notices = typer.Typer(no_args_is_help=True, help="Notices that were sent before Candour was installed.")

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns: person key, notice name, version, channel, day.")]
Apply = Annotated[bool, typer.Option("--apply", help="Store it when nothing in it is refused; without this it is only judged.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="OUT.csv", help="Write every problem into this file.")]
By = Annotated[str, typer.Option("--by", help="Who stores it; kept in the sealed log.")]
Json = Annotated[bool, typer.Option("--json", help="Print an object for programs.")]


@notices.callback()
def _group() -> None:
    """Keep `import` a command of its own while it is the only one."""


@notices.command("import")
def import_notices(file: File, apply: Apply = False, report: Report = None, by: By = "operator", as_json: Json = False) -> None:
    """Judge a list of notices as a whole and store it as a whole; rows that are on file already are left as they are."""
    if report and report.exists() and file.exists() and report.samefile(file):
        raise BadInput("The report would overwrite the list.")
    settings = ready(settings_now())
    vault, index = Vault(settings.secret("vault_keys")), BlindIndex(settings.secret("index_keys"))
    database, now = Database(settings.database), system_clock()
    try:
        found = importing.judged(file, database, index, today=importing.today_in_hong_kong(now), report=report)
        stored: tuple[int, int] | None = None
        if apply and found.well:
            with database.writing() as session:
                stored = importing.store(session, vault, found, by=by.strip() or "operator", at=now)
    finally:
        database.close()
    if as_json:
        out.out(json.dumps(_for_programs(found, stored), ensure_ascii=False))
    else:
        _show(found, stored, report)
    if not found.well:
        say("Nothing was stored: the list has to be mended first.")
        raise typer.Exit(1)


def _show(found: importing.Judged, stored: tuple[int, int] | None, report: Path | None) -> None:
    out.print(f"{found.read:,} rows, {len(found.rows):,} notices to store, {found.problems.refused:,} problems.")
    table = Table("row", "column", "value", "reason", box=None)
    for problem in found.problems.first[:SHOWN]:
        table.add_row(*map(escape, (str(problem.row), problem.column, problem.shown, problem.reason)))
    if found.problems.first:
        out.print(table)
    if report:
        out.print(f"All of them are in {escape(str(report))}.")
    if stored:
        out.print(f"Stored as list {stored[0]}: {stored[1]:,} were new.")
    elif found.well:
        out.print("Nothing was stored. To store it: --apply")


def _for_programs(found: importing.Judged, stored: tuple[int, int] | None) -> dict[str, object]:
    return {
        "well": found.well,
        "rows": found.read,
        "notices": len(found.rows),
        "twice": found.twice,
        "refused": found.problems.refused,
        "problems": {f"{grade}: {reason}": number for (grade, reason), number in found.problems.counts.items()},
        "list": stored[0] if stored else None,
        "added": stored[1] if stored else 0,
    }
