"""`patients`: the roster comes in as a file, is judged, shown and applied; and a roster of nobody for rehearsals."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.base import audit, schema
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.settings import Settings
from bot.base.vault import BlindIndex, Vault
from bot.cli import state
from bot.cli.installation import make_secrets, with_secrets
from bot.cli.terminal import notes, out, say, settings_now, show
from bot.patients import disclosure
from bot.patients.finding import person_with_key
from bot.patients.models import ContactKind
from bot.patients.roster.glimpses import glimpse
from bot.patients.roster.judging import Judgement, Judging, judged
from bot.patients.roster.problems import Grade
from bot.patients.roster.sheet import SEPARATORS
from bot.patients.sample import writing

SHOWN = 25
SEED = 6
"""Of this one the first 200 have every kind of person; `data/samples/roster.csv` is they."""
QUIET_STEP = 20_000
"""Rows between two lines of progress where there is no terminal."""

patients = typer.Typer(no_args_is_help=True, help="The people whose data may be affected: bring the roster in.")

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="The roster: CSV in UTF-8, UTF-16 or Big5.")]
Check = Annotated[bool, typer.Option("--check", help="Only judge the file and show what it would change (the default).")]
Apply = Annotated[bool, typer.Option("--apply", help="Apply it when nothing in it is refused.")]
Confirm = Annotated[str | None, typer.Option("--confirm", metavar="CODE", help="The code a check gave: apply exactly that.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="OUT.csv", help="Write every problem into this file.")]
By = Annotated[str, typer.Option("--by", help="Who applies it; kept in the sealed log.")]
Json = Annotated[bool, typer.Option("--json", help="Print an object for programs.")]
Count = Annotated[int, typer.Option("--count", min=1, max=5_000_000, help="How many persons.")]
Seed = Annotated[int, typer.Option("--seed", help="The same number makes the same roster.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to write it; standard output without.")]
Digest = Annotated[bool, typer.Option("--digest/--no-digest", help="Whether each row carries its digest.")]


@patients.command("import")
def import_roster(
    file: File,
    check: Check = False,
    apply: Apply = False,
    confirm: Confirm = None,
    report: Report = None,
    by: By = "operator",
    as_json: Json = False,
) -> None:
    """Judge a roster as a whole, show what it would change, and apply it.

    A file without a `row digest` column, and one that changes who is on file, is applied only after somebody has looked:
    answer the question in the terminal, or give the code of the check with --confirm.
    """
    if check and apply:
        raise BadInput("Either --check or --apply.")
    if report and report.exists() and file.exists() and report.samefile(file):
        raise BadInput("The report would overwrite the roster.")
    settings = ready(settings_now())
    with _judged(settings, file, report) as judging:
        seen = judging.judgement
        if seen.judged_on < 0:
            say(
                f"Import {-seen.judged_on} has begun and not ended: what is on file is a part. A whole file adds what is missing."
            )
        if not as_json:
            _show(seen, report)
        number = _apply(judging, confirm, by.strip() or "operator") if apply and seen.well else None
        if as_json:
            out.out(json.dumps({**_for_programs(seen), "import": number}, ensure_ascii=False))
        elif number:
            out.print(f"Applied as import {number}.")
        elif seen.well:
            out.print(f"Nothing was stored. To apply exactly this: --apply --confirm {seen.code}")
    if not seen.well:
        say("Nothing was stored: the file has to be mended first.")
        raise typer.Exit(1)


@patients.command("sample")
def sample(count: Count = 200, seed: Seed = SEED, out_file: Out = None, digest: Digest = True) -> None:
    """Write a roster of invented people: households, helpers, children, bad addresses. The same for the same seed."""
    if out_file is None:
        writing.write(sys.stdout, count, seed, digest=digest)
        return
    try:
        with out_file.open("w", encoding="utf-8", newline="") as file:
            writing.write(file, count, seed, digest=digest)
    except OSError as wrong:
        raise BadInput(f"The sample cannot be written there ({type(wrong).__name__}).") from None
    say(f"Wrote {count} invented persons to {out_file}.")


@patients.command("lift")
def lift(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The clinic's key of the person.")],
    by: Annotated[str, typer.Option("--by", help="Who decided it; kept in the sealed log.")],
) -> None:
    """Let the assistant answer about a person again, after "not me" or a reported death was looked into."""
    settings, now = ready(settings_now()), system_clock()
    vault, index = Vault(settings.secret("vault_keys")), BlindIndex(settings.secret("index_keys"))
    database = Database(settings.database)
    try:
        with database.writing() as session:
            person = person_with_key(session, index, key)
            lifted = disclosure.lift(session, person.id, by, now) if person else 0
            if person and lifted:
                subject, content = f"person:{person.id}", {"person": person.id, "holds": lifted}
                audit.record(session, at=now, actor=by, kind="hold.lifted", subject=subject, content=content, vault=vault)
    finally:
        database.close()
    if not lifted:
        raise BadInput("Nothing holds the assistant back from answering about a person with this key.")
    out.print("The assistant may answer about this person again.")


def ready(settings: Settings) -> Settings:
    """The settings with their secrets, and the tables in place, as a first start would make them."""
    state.private_folder(settings.home)
    with state.held(settings.home / "run" / "prepare.lock", wait=True):
        make_secrets(settings, say)
        schema.migrate(settings.database)
    return with_secrets(settings)


@contextmanager
def _judged(settings: Settings, file: Path, report: Path | None) -> Iterator[Judging]:
    database = Database(settings.database)
    vault, index = Vault(settings.secret("vault_keys")), BlindIndex(settings.secret("index_keys"))
    try:
        with show("Judging the roster") as progress:
            opened = judged(file, database, vault, index, report=report, progress=_rows(progress))
            judging = opened.__enter__()
        try:
            yield judging
        finally:
            opened.__exit__(*sys.exc_info())
    finally:
        database.close()


def _rows(progress: Callable[[int, int, str], None]) -> Callable[[int, int], None]:
    def tell(rows: int, of: int) -> None:
        if notes.is_terminal or rows % QUIET_STEP == 0:
            progress(rows, of, f"{rows:,} rows")

    return tell


def _apply(judging: Judging, confirm: str | None, by: str) -> int:
    seen = judging.judgement
    if confirm is not None:
        if confirm.strip().casefold() != seen.code:
            raise BadInput(f"Not applied: this is no longer what was confirmed. The code of what is shown above is {seen.code}.")
    elif not (seen.paired_by_digest and not seen.changed and not seen.missing):
        question = "Do the lines above each belong to one person, and is the rest as expected? Apply it?"
        if not (sys.stdin.isatty() and typer.confirm(question, err=True)):
            raise BadInput(f"Not applied: look at the lines above, then give --confirm {seen.code}")
    return judging.apply(by=by, at=system_clock())


# ---------------------------------------------------------------- what is shown


def _show(seen: Judgement, report: Path | None) -> None:
    separator = SEPARATORS.get(seen.separator, repr(seen.separator))
    out.print(f"{seen.encoded.name}, {separator} between cells, {seen.rows:,} rows.")
    if seen.layout.unknown:
        out.print(f"Columns that are not understood and not stored: {escape(', '.join(seen.layout.unknown))}")
    contacts = ", ".join(f"{seen.contacts[kind]:,} {kind}" for kind in ContactKind if seen.contacts[kind])
    out.print(f"{seen.persons:,} persons; contact points: {contacts or 'none'}.")
    _show_problems(seen, report)
    if not seen.well:
        return
    parts = ("added", "changed", "same", "missing")
    out.print(f"Against what is on file: {', '.join(f'{getattr(seen, part):,} {part}' for part in parts)}.")
    for kind, number in seen.kinds.most_common():
        out.print(f"  {number:,} with another {kind}")
    if seen.missing:
        out.print("  The missing are kept and marked: they still have to be told.")
    if seen.paired_by_digest:
        out.print("Each row agrees with its own digest: no column is shifted.")
    else:
        _show_sample(seen)


def _show_problems(seen: Judgement, report: Path | None) -> None:
    problems = seen.problems
    if not problems.counts:
        return
    table = Table("row", "column", "value (masked)", "what is wrong", "outcome", box=None)
    for one in problems.first[:SHOWN]:
        cells = (str(one.row or ""), one.column, one.shown, one.reason, one.grade)
        table.add_row(*map(escape, cells), style="red" if one.grade is Grade.REFUSED else None)
    out.print(table)
    for (grade, reason), number in problems.counts.most_common():
        out.print(f"  {number:,} × {grade}: {escape(reason)}")
    if report:
        out.print(f"All of them are in {escape(str(report))}.")
    elif problems.counts.total() > SHOWN:
        out.print("All of them: --report OUT.csv")


def _show_sample(seen: Judgement) -> None:
    out.print("The rows have no digest. Compare these with the clinic's own system; a shifted column would show here:")
    table = Table("row", "key", "name", "language", "contact points", "guardian or employer", box=None)
    for row in sorted(seen.sample, key=lambda row: row.number):
        table.add_row(*map(escape, glimpse(row)))
    out.print(table)


def _for_programs(seen: Judgement) -> dict[str, Any]:
    return {
        "well": seen.well,
        "encoding": seen.encoded.encoding,
        "separator": seen.separator,
        "persons": seen.persons,
        "unknown_columns": list(seen.layout.unknown),
        "contact_points": dict(seen.contacts),
        "paired_by_digest": seen.paired_by_digest,
        **seen.counts,
        "refused": seen.problems.refused,
        "problems": {f"{grade}: {reason}": number for (grade, reason), number in seen.problems.counts.items()},
        "code": seen.code,
    }
