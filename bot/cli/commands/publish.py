"""`publish`: the files in `data/` become what is said, by two people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from bot.base import schema
from bot.base.clock import HONG_KONG, in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.errors import BadInput, NotPublished
from bot.base.settings import Settings
from bot.cli.installation import record_publication, with_secrets
from bot.cli.terminal import out, settings_now
from bot.conversations.speaking import differences, proposal
from bot.conversations.speaking import publication as publications

By = Annotated[str | None, typer.Option("--by", help="Who proposes or approves; an approver must be another person.")]
Propose = Annotated[bool, typer.Option("--propose", help="Propose the files in the data folder.")]
Back = Annotated[int | None, typer.Option("--back-to", metavar="NUMBER", help="Propose an earlier publication again.")]
Approve = Annotated[int | None, typer.Option("--approve", metavar="NUMBER", help="Approve the proposal with this number.")]
Reject = Annotated[int | None, typer.Option("--reject", metavar="NUMBER", help="Decide that a proposal is never said.")]
From = Annotated[str | None, typer.Option("--from", help="With --approve: Hong Kong time of effect (2023-05-10 09:00).")]
List = Annotated[bool, typer.Option("--list", help="Show the latest proposals and publications.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show what the files, or the proposal --number, would change.")]
Number = Annotated[int | None, typer.Option("--number", metavar="NUMBER", help="With --diff: the proposal to look at.")]
Json = Annotated[bool, typer.Option("--json", help="With --diff: print a list for programs.")]


@dataclass(frozen=True)
class _Desk:
    """What every part of the command needs."""

    database: Database
    settings: Settings
    now: datetime


def publish(
    propose: Propose = False,
    approve: Approve = None,
    reject: Reject = None,
    back_to: Back = None,
    by: By = None,
    since: From = None,
    listing: List = False,
    diff: Diff = False,
    number: Number = None,
    as_json: Json = False,
) -> None:
    """Propose the files in the data folder, and have another person approve them; only then are they said.

    Without an option: what the files would change, and what to do next.
    """
    if sum([propose, approve is not None, reject is not None, back_to is not None, listing, diff]) > 1:
        raise BadInput("Do one thing at a time: --propose, --approve, --reject, --back-to, --list or --diff.")
    settings = settings_now()
    with _open(settings) as database:
        desk = _Desk(database, with_secrets(settings), system_clock())
        if propose:
            _propose(desk, lambda s, who: publications.propose(s, proposal.read(settings.data), by=who, at=desk.now), _named(by))
        elif back_to is not None:
            _propose(desk, lambda s, who: publications.propose_again(s, back_to, by=who, at=desk.now), _named(by))
        elif approve is not None:
            _approve(desk, approve, _named(by), _moment(since))
        elif reject is not None:
            _reject(desk, reject, _named(by))
        elif listing:
            _list(desk)
        else:
            _diff(desk, number, as_json=as_json, next_step=not diff)


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


def _moment(since: str | None) -> datetime | None:
    if since is None:
        return None
    try:
        said = datetime.fromisoformat(since)
    except ValueError:
        raise BadInput(f"{since!r} is not a moment: write it like 2023-05-10 09:00 (Hong Kong time).") from None
    return (said if said.tzinfo else said.replace(tzinfo=HONG_KONG)).astimezone(UTC)


def _propose(desk: _Desk, make: Any, by: str) -> None:
    with desk.database.writing() as session:
        row = make(session, by)
        record_publication(session, desk.settings, "publication.proposed", row.id, by)
        number = row.id
    out.print(f"Proposal {number}. What it changes: ./candour publish --diff --number {number}")
    out.print(f"Another person approves it: ./candour publish --approve {number} --by NAME")


def _approve(desk: _Desk, number: int, by: str, since: datetime | None) -> None:
    with desk.database.writing() as session:
        row = publications.approve(session, number, by=by, at=desk.now, effective_at=since)
        record_publication(session, desk.settings, "publication.approved", number, by)
        moment = row.effective_at or desk.now
    when = "in force" if moment <= desk.now else f"in force from {in_hong_kong(moment):%Y-%m-%d %H:%M}, Hong Kong time"
    out.print(f"Publication {number} is {when}.")


def _reject(desk: _Desk, number: int, by: str) -> None:
    with desk.database.writing() as session:
        publications.reject(session, number, by=by, at=desk.now)
        record_publication(session, desk.settings, "publication.rejected", number, by)
    out.print(f"Proposal {number} is rejected: it will never be said.")


def _list(desk: _Desk) -> None:
    table = Table("number", "status", "proposed by", "decided by", "in force from", "digest", box=None)
    with desk.database.reading() as session:
        current = _current_id(session, desk.now)
        for row in publications.history(session):
            since = in_hong_kong(row.effective_at).strftime("%Y-%m-%d %H:%M") if row.effective_at else ""
            cells = (str(row.id), row.status, row.proposed_by, row.approved_by or "", since, row.digest[:12])
            table.add_row(*map(escape, cells), style="bold" if row.id == current else None)
    out.print(table)
    out.print(f"Said now: publication {current}." if current else "Nothing is said yet.")


def _diff(desk: _Desk, number: int | None, *, as_json: bool, next_step: bool) -> None:
    with desk.database.reading() as session:
        before = _in_force(session, desk.now)
        after = _proposed(session, desk.settings, number)
    found = differences.changes(before, after)
    if as_json:
        out.out(json.dumps([vars(change) for change in found], ensure_ascii=False))
        return
    for change in found:
        out.print(f"[bold]{escape(change.place)}[/bold]")
        for sentence in change.removed:
            out.print(f"  [red]- {escape(sentence)}[/red]")
        for sentence in change.added:
            out.print(f"  [green]+ {escape(sentence)}[/green]")
    what = "the files" if number is None else f"publication {number}"
    out.print(f"{len(found)} places would change if {what} were said." if found else f"What is said now is {what}.")
    if next_step:
        out.print("Next: ./candour publish --propose --by NAME, then --approve NUMBER --by ANOTHER NAME.")


def _current_id(session: Session, now: datetime) -> int | None:
    try:
        return publications.Library().current(session, now).id
    except NotPublished:
        return None


def _in_force(session: Session, now: datetime) -> Mapping[str, Any] | None:
    current = _current_id(session, now)
    return publications.Library().get(session, current).content if current else None


def _proposed(session: Session, settings: Settings, number: int | None) -> Mapping[str, Any]:
    if number is None:
        # Through the canonical text, so that both sides went the same way.
        content: dict[str, Any] = json.loads(proposal.canonical(proposal.read(settings.data)))
        return content
    if session.get(publications.Publication, number) is None:
        raise BadInput(f"There is no proposal {number}.")
    return publications.Library().get(session, number).content
