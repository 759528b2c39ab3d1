"""`publish`: the files in `data/` become what is said, by two people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.base import schema
from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.errors import BadInput, NotPublished
from bot.base.settings import Settings
from bot.cli.installation import record_publication
from bot.cli.terminal import out, settings_now
from bot.conversations.speaking import proposal
from bot.conversations.speaking import publication as publications

By = Annotated[str | None, typer.Option("--by", help="Who proposes or approves; an approver must be another person.")]
Approve = Annotated[int | None, typer.Option("--approve", metavar="NUMBER", help="Approve the proposal with this number.")]
Propose = Annotated[bool, typer.Option("--propose", help="Propose the files in the data folder.")]
List = Annotated[bool, typer.Option("--list", help="Show the latest proposals and publications.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show how the files differ from what is said now.")]


def publish(propose: Propose = False, approve: Approve = None, by: By = None, listing: List = False, diff: Diff = False) -> None:
    """Propose the files in the data folder, and have another person approve them; only then are they said.

    Without an option: the differences, and what to do next.
    """
    settings = settings_now()
    with _open(settings) as database:
        if propose:
            _propose(database, settings, _named(by))
        elif approve is not None:
            _approve(database, settings, approve, _named(by))
        elif listing:
            _list(database)
        else:
            _diff(database, settings)
            if not diff:
                out.print("Next: ./candour publish --propose --by NAME, then --approve NUMBER --by ANOTHER NAME.")


@contextmanager
def _open(settings: Settings) -> Iterator[Database]:
    schema.migrate(settings.database)
    database = Database(settings.database)
    try:
        yield database
    finally:
        database.close()


def _named(by: str | None) -> str:
    if not by or not by.strip():
        raise BadInput("Say who you are with --by NAME: it is kept with the publication.")
    return by.strip()


def _propose(database: Database, settings: Settings, by: str) -> None:
    content = proposal.read(settings.data)
    with database.writing() as session:
        row = publications.propose(session, content, by=by, at=system_clock())
        record_publication(session, settings, "publication.proposed", row.id, by)
        number = row.id
    out.print(f"Proposal {number}. Another person approves it: ./candour publish --approve {number} --by NAME")


def _approve(database: Database, settings: Settings, number: int, by: str) -> None:
    with database.writing() as session:
        publications.approve(session, number, by=by, at=system_clock())
        record_publication(session, settings, "publication.approved", number, by)
    out.print(f"Publication {number} is in force.")


def _list(database: Database) -> None:
    table = Table("number", "status", "proposed by", "approved by", "in force from", "digest", box=None)
    with database.reading() as session:
        for row in publications.history(session):
            since = in_hong_kong(row.effective_at).strftime("%Y-%m-%d %H:%M") if row.effective_at else ""
            cells = (str(row.id), row.status, row.proposed_by, row.approved_by or "", since, row.digest[:12])
            table.add_row(*map(escape, cells))
    out.print(table)


def _diff(database: Database, settings: Settings) -> None:
    with database.reading() as session:
        try:
            before = publications.Library().current(session, system_clock()).content
        except NotPublished:
            before = None
    # Through the canonical text, so that both sides went the same way.
    after = json.loads(proposal.canonical(proposal.read(settings.data)))
    changes = publications.changes(before, after)
    for place, old, new in changes:
        out.print(f"[bold]{escape(place)}[/bold]")
        if old:
            out.print(f"  [red]- {escape(old)}[/red]")
        if new:
            out.print(f"  [green]+ {escape(new)}[/green]")
    out.print(
        f"{len(changes)} differences between the files and what is said now." if changes else "The files are what is said now."
    )
