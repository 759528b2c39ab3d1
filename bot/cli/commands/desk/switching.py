"""`desk`: how the desk stands, and its switches for an operator when nobody can sign in."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape

from bot.base.clock import system_clock
from bot.base.vault import Vault
from bot.cli.commands.desk.look import look
from bot.cli.commands.desk.staff import opened
from bot.cli.installation import with_secrets
from bot.cli.terminal import out, settings_now
from bot.desk.hours.switches import turn_off, turn_on
from bot.desk.records import Switch

desk = typer.Typer(no_args_is_help=True, help="The desk of the team that answers patients.")

Json = Annotated[bool, typer.Option("--json", help="Print a list of {what, well, words}.")]


class To(StrEnum):
    """Where a switch goes."""

    ON = "on"
    OFF = "off"


@desk.command("show")
def show(as_json: Json = False) -> None:
    """Say who waits, what is overdue or not handled, whether calls for help leave, and what is switched on."""
    settings = with_secrets(settings_now())
    with opened(settings) as database:
        found = list(look(settings, database))
    if as_json:
        out.out(json.dumps([{"what": what, "well": well, "words": words} for what, well, words in found], ensure_ascii=False))
        return
    for what, well, words in found:
        mark = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[yellow]·[/yellow]"}[well]
        out.print(f"{mark} [bold]{what}[/bold]  {escape(words)}")


@desk.command("switch")
def switch(
    name: Annotated[Switch, typer.Argument(help="typhoon, black_rain, surge or legal_hold.")],
    to: Annotated[To, typer.Argument(help="on or off.")],
) -> None:
    """Switch something for the whole desk; the sealed log says that an operator did."""
    settings = with_secrets(settings_now())
    with opened(settings) as database, database.writing() as session:
        vault, at = Vault(settings.secret("vault_keys")), system_clock()
        turn = turn_on if to is To.ON else turn_off
        done = turn(session, vault, name, by="operator", at=at)
    out.print(f"{name.value} is {to.value}." if done else f"{name.value} was {to.value} already.")
