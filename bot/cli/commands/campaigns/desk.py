"""What the commands of campaigns share: an open office, options, and how things are shown."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.assembly import office_of
from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.campaigns.figures import Standing
from bot.campaigns.office import Office
from bot.channels.registry import channels
from bot.cli.commands.patients import ready
from bot.cli.provider import with_simulator
from bot.cli.terminal import out, settings_now
from bot.conversations.speaking.publication import Library

Name = Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept in the sealed log.")]
Json = Annotated[bool, typer.Option("--json", help="Print an object for programs.")]
Why = Annotated[str, typer.Option("--why", help="The reason; kept in the sealed log.")]


@contextmanager
def office() -> Iterator[Office]:
    """Everything campaigns work with, under the settings of this installation; closed at the end."""
    settings = with_simulator(ready(settings_now()))
    database = Database(settings.database)
    try:
        yield office_of(
            settings,
            database=database,
            vault=Vault(settings.secret("vault_keys")),
            index=BlindIndex(settings.secret("index_keys")),
            channels=channels(settings, system_clock),
            library=Library(),
            clock=system_clock,
            holder=f"cli:{secrets.token_hex(4)}",
        )
    finally:
        database.close()


def printed(content: Any) -> None:
    """An object for programs, on one line."""
    out.out(json.dumps(content, ensure_ascii=False, default=str))


def show_standing(now: Standing, *, as_json: bool) -> None:
    """How a campaign stands, for people or for programs."""
    if as_json:
        printed({**asdict(now), "settled": now.settled, "adds_up": now.adds_up})
        return
    out.print(f"[bold]{escape(now.name)}[/bold] · {escape(now.notice)} {escape(now.version)} · {now.status}")
    if now.pause_reason:
        out.print(f"Paused: {escape(now.pause_reason)}")
    if now.waits_for:
        out.print(f"Waits: {escape(now.waits_for)}")
    share = 100 * now.settled / now.population if now.population else 0.0
    out.print(f"{now.settled:,} of {now.population:,} people settled ({share:.1f} %), wave {now.wave} of {now.waves}.")
    table = Table("people", "number", box=None)
    for state, number in sorted(now.people.items()):
        table.add_row(state, f"{number:,}")
    for because, number in sorted(now.left_because.items()):
        table.add_row(f"  manual: {because}", f"{number:,}")
    out.print(table)
    for channel, states in sorted(now.notices.items()):
        words = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
        out.print(f"{channel}: {words}")
    if now.codes:
        out.print("Did not arrive or is in doubt: " + ", ".join(f"{code} ({number:,})" for code, number in now.codes.items()))
    out.print(f"{now.messages:,} messages, {now.segments:,} SMS segments, about HK${now.cost:,.2f}.")
    if now.finish_at:
        out.print(f"At {now.per_minute:,} a minute the first rung ends about {in_hong_kong(now.finish_at):%d %b %H:%M}.")
    if not now.adds_up:
        out.print("[bold]The states do not add up to the population.[/bold]")
