"""`regulators draft`, `list`, `show`, `approve`, `filed`, `withdraw`: what the authorities are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.orm import Session

from bot.base.clock import HONG_KONG, in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.cli.commands.campaigns.desk import Json, printed
from bot.cli.commands.patients import ready
from bot.cli.terminal import out, say, settings_now
from bot.conversations.speaking.publication import Library
from bot.regulators import filings, writing

regulators = typer.Typer(no_args_is_help=True, help="Reports to the authorities: drafted, approved by another person, filed.")

Who = Annotated[str, typer.Argument(metavar="AUTHORITY", help="privacy_commissioner, health_department or police.")]
Which = Annotated[int, typer.Argument(metavar="DOCUMENT", help="The number of the document.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept in the sealed log.")]
How = Annotated[str, typer.Option("--how", help="By which way it was handed over: online form, letter, counter …")]
Reference = Annotated[str, typer.Option("--reference", help="What the authority gave for it.")]
When = Annotated[datetime | None, typer.Option("--at", help="When, in Hong Kong; now without.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it here: .pdf or .md.")]
Why = Annotated[str, typer.Option("--why", help="The reason; kept in the sealed log.")]


@contextmanager
def _open(*, writing: bool) -> Iterator[tuple[Session, Vault]]:
    settings = ready(settings_now())
    database = Database(settings.database)
    try:
        with database.writing() if writing else database.reading() as session:
            yield session, Vault(settings.secret("vault_keys"))
    finally:
        database.close()


@regulators.command()
def draft(authority: Who, by: By) -> None:
    """Write the next document for an authority out of the facts that are published."""
    with _open(writing=True) as (session, vault):
        filing = filings.draft(session, vault, Library(), authority, by=by, at=system_clock())
    say(f"Document {filing.id}, SHA-256 {filing.digest}. Read it: ./candour regulators show {filing.id} --out FILE.pdf")
    say(f"Another person approves: ./candour regulators approve {filing.id} --by …")


@regulators.command("list")
def standing(as_json: Json = False) -> None:
    """How it stands with each authority, what is due when, and every document; exit status 1 when something is overdue."""
    at = system_clock()
    with _open(writing=False) as (session, _):
        found, every = filings.standings(session, Library(), at), filings.all_of(session)
    for one in found:
        late = one.is_overdue(at)
        if as_json:
            due = one.due_at.isoformat() if one.due_at else None
            row = {"due_at": due, "overdue": late, "why": one.why, "changes": list(one.changes)}
            printed({"authority": one.key, "told_on": str(one.told_on or ""), **row})
            continue
        due = f"due {in_hong_kong(one.due_at):%-d %b %Y %H:%M}" if one.due_at else "nothing due"
        out.print(f"[bold]{escape(one.authority.name)}[/bold]: {due}{', OVERDUE' if late else ''} ({escape(one.why)})")
        for line in one.changes:
            out.print(f"  new: {escape(line)}")
    for filing in every:
        if as_json:
            printed(filings.as_row(filing))
        else:
            filed = f", filed {in_hong_kong(filing.filed_at):%-d %b %Y %H:%M} by {filing.filed_by}" if filing.filed_at else ""
            out.print(escape(f"document {filing.id}: {filing.authority} {filing.number}, {filing.status}{filed}"))
    if any(one.is_overdue(at) for one in found):
        raise typer.Exit(1)


@regulators.command()
def show(document: Which, file: Out = None) -> None:
    """Print a document, or write it as PDF or Markdown."""
    with _open(writing=False) as (session, _):
        filing = filings.one(session, document)
    if file is None:
        out.out(filing.text)
    elif file.suffix in (".pdf", ".md"):
        file.write_bytes(writing.pdf(filing) if file.suffix == ".pdf" else filing.text.encode())
    else:
        raise BadInput("The file ends in .pdf or .md.")


@regulators.command()
def approve(document: Which, by: By) -> None:
    """Let a draft be filed as it stands; not for whoever drafted it."""
    with _open(writing=True) as (session, vault):
        filings.approve(session, vault, document, by=by, at=system_clock())
    say("Approved. Once the authority has it: ./candour regulators filed …")


@regulators.command()
def filed(document: Which, how: How, by: By, reference: Reference = "", at: When = None) -> None:
    """Record that the authority has it."""
    when = at.replace(tzinfo=HONG_KONG) if at else None
    with _open(writing=True) as (session, vault):
        filings.file(session, vault, document, how=how, reference=reference, filed_at=when, by=by, at=system_clock())
    say("Recorded in the sealed log.")


@regulators.command()
def withdraw(document: Which, why: Why, by: By) -> None:
    """Never file a document."""
    with _open(writing=True) as (session, vault):
        filings.withdraw(session, vault, document, why=why, by=by, at=system_clock())
    say("Withdrawn; it stays readable.")
