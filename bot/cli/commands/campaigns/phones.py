"""`campaign phones list`, `done`: the calls of the team."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.orm import Session

from bot.base.clock import HONG_KONG, in_hong_kong
from bot.campaigns import life
from bot.campaigns.phones import calls
from bot.campaigns.phones.models import Outcome
from bot.campaigns.phones.script import script
from bot.cli.commands.campaigns.desk import Json, Name, office, printed
from bot.cli.terminal import out, say

phones = typer.Typer(no_args_is_help=True, help="The phone list: whom to ring, what to say, what came of it.")

Caller = Annotated[str, typer.Option("--by", help="Who rings; kept in the sealed log.")]
Most = Annotated[int, typer.Option("--most", min=1, max=50, help="How many people.")]
Which = Annotated[int, typer.Argument(metavar="NOTICE", help="The number in the list.")]
Came = Annotated[Outcome, typer.Option("--outcome", help="What came of the call.")]
Again = Annotated[datetime | None, typer.Option("--again", help="When to ring again, in Hong Kong, if that was agreed.")]


@phones.command("list")
def whom(name: Name, by: Caller, most: Most = 5, as_json: Json = False) -> None:
    """Show whom to ring now, with what to say; the numbers are personal data, and that they were shown is in the log."""
    with office() as at, at.database.writing() as session:
        campaign = life.named(session, name)
        found = calls.next_ones(session, at, campaign, most=most, by=by)
        texts = [_said(session, campaign.version, one, by) for one in found]
        left = calls.waiting(session, campaign)
    for one, text in zip(found, texts, strict=True):
        if as_json:
            printed({**vars(one), "script": text})
            continue
        again = f", asked for {in_hong_kong(one.again_at):%d %b %H:%M}" if one.again_at else ""
        tried = f", call {one.attempts + 1}, last: {one.last}{again}" if one.last else ""
        out.print(f"[bold]{one.notice_id}[/bold]  {escape(one.number)}  {escape(one.name)}  {one.language.value}{tried}")
        for note in one.notes:
            out.print(f"  {escape(note)}")
        if one.reference:
            out.print(f"  reference {escape(one.reference)}")
        for step, words in text.items():
            out.print(f"  {step.replace('_', ' ')}: {escape(words)}")
    say(f"{left:,} people are on the list. Afterwards: ./candour campaign phones done {name} NOTICE --outcome … --by …")


def _said(session: Session, version: str, one: calls.ToRing, by: str) -> dict[str, str]:
    return script(session, version, one.language, one.variant, name=one.name, caller=by)


@phones.command()
def done(name: Name, notice: Which, outcome: Came, by: Caller, again: Again = None) -> None:
    """Write down what came of a call."""
    with office() as at, at.database.writing() as session:
        campaign = life.named(session, name, lock=True)
        agreed = again.replace(tzinfo=HONG_KONG) if again else None
        words = calls.done(session, at.vault, campaign, notice, outcome, again_at=agreed, by=by, at=at.clock())
    say(words)
