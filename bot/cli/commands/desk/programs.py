"""`staff token` and `desk webhook`: what other programs may do, and where they are told, for an operator."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.base.clock import in_hong_kong, system_clock
from bot.base.errors import BadInput
from bot.base.settings import Settings
from bot.base.vault import BlindIndex, Vault
from bot.cli.commands.desk.staff import opened
from bot.cli.installation import with_secrets
from bot.cli.terminal import out, settings_now
from bot.desk.integrations import endpoints, tokens
from bot.desk.integrations.addresses import Reach, reach_of
from bot.desk.staff.roles import Scope

token = typer.Typer(no_args_is_help=True, help="Tokens with which other programs use the interface at /api/v1.")
webhook = typer.Typer(no_args_is_help=True, help="Addresses to which events of cases are posted.")

Name = Annotated[str, typer.Option("--name", help="What it is called.")]
Scopes = Annotated[list[Scope], typer.Option("--scope", help="What it may do; give it once for each.")]
Days = Annotated[int, typer.Option("--days", help="How many days it is good for.")]
Number = Annotated[int, typer.Argument(help="Its number in the list.")]


@token.command("make")
def make(name: Name, scope: Scopes, days: Days = 365) -> None:
    """Make a program's account and print its token, once."""
    settings = with_secrets(settings_now())
    with opened(settings) as database, database.writing() as session:
        vault, index = _vault(settings), BlindIndex(settings.secret("index_keys"))
        made = tokens.make(session, vault, index, name=name, scopes=scope, days=days, by=None, at=system_clock())
        out.out(made.secret)
        out.print(f"Token {made.row.id}, good until {in_hong_kong(made.row.ends_at):%d %b %Y}. It is shown only here.")


@token.command("list")
def listed() -> None:
    """List the tokens with their scopes, their end and when they were last used."""
    settings = with_secrets(settings_now())
    table = Table("number", "program", "ends with", "scopes", "good until", "last used", "state", box=None)
    with opened(settings) as database, database.reading() as session:
        at = system_clock()
        for one in tokens.listed(session, _vault(settings)):
            used = f"{in_hong_kong(one.row.used_at):%d %b %H:%M}" if one.row.used_at else "never"
            over = one.row.revoked_at or one.is_suspended or one.row.ends_at <= at
            until = f"{in_hong_kong(one.row.ends_at):%d %b %Y}"
            row = (str(one.row.id), escape(one.name), one.row.hint, ", ".join(one.scopes), until, used)
            table.add_row(*row, "over" if over else "good")
    out.print(table)


@token.command("revoke")
def revoke(number: Number) -> None:
    """End a token at once."""
    settings = with_secrets(settings_now())
    with opened(settings) as database, database.writing() as session:
        ended = tokens.revoke(session, _vault(settings), number, by=None, at=system_clock())
    if not ended:
        raise BadInput("There is no such token, or it is over already.")
    out.print(f"Token {number} is over.")


@webhook.command("register")
def register(
    name: Name,
    url: Annotated[str, typer.Option("--url", help="An https address.")],
    event: Annotated[list[str] | None, typer.Option("--event", help="A type of event; once for each, none for all.")] = None,
) -> None:
    """Register an address and print the secret that its signatures are checked with, once."""
    settings = with_secrets(settings_now())
    with opened(settings) as database, database.writing() as session:
        made = endpoints.register(
            session, _vault(settings), _reach(settings), name=name, url=url, events=event or (), by=None, at=system_clock()
        )
        out.out(made.secret)
        out.print(f"Endpoint {made.row.id}. The secret is shown only here.")


@webhook.command("list")
def endpoints_listed() -> None:
    """List the endpoints with their state and what waits for them; addresses are shown in the console only."""
    settings = with_secrets(settings_now())
    table = Table("number", "name", "state", "waiting", "given up", "at the last try", box=None)
    with opened(settings) as database, database.reading() as session:
        for one in endpoints.listed(session, _vault(settings)):
            row = one.row
            table.add_row(str(row.id), escape(row.name), row.status, str(one.waiting), str(one.failed), row.problem or "well")
    out.print(table)


@webhook.command("on")
def on(number: Number) -> None:
    """Post to an endpoint again; what waited is posted now."""
    settings = with_secrets(settings_now())
    with opened(settings) as database, database.writing() as session:
        endpoints.turn_on(session, _vault(settings), number, by=None, at=system_clock())
    out.print(f"Endpoint {number} is on.")


@webhook.command("remove")
def remove(number: Number) -> None:
    """Forget an endpoint and what waits for it."""
    settings = with_secrets(settings_now())
    with opened(settings) as database, database.writing() as session:
        endpoints.remove(session, _vault(settings), number, by=None, at=system_clock())
    out.print(f"Endpoint {number} is removed.")


def _vault(settings: Settings) -> Vault:
    return Vault(settings.secret("vault_keys"))


def _reach(settings: Settings) -> Reach:
    return reach_of(settings.public_url, settings.webhook_networks)
