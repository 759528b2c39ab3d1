"""`staff`: the first administrator, and who is on the team."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table

from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.errors import Misconfigured
from bot.base.schema import at_head
from bot.base.settings import Settings
from bot.base.vault import BlindIndex, Vault
from bot.cli.installation import with_secrets
from bot.cli.terminal import out, settings_now
from bot.desk.staff import accounts
from bot.desk.staff.accounts import Profile

staff = typer.Typer(no_args_is_help=True, help="The team that answers patients.")

Name = Annotated[str, typer.Option("--name", prompt="Name shown to colleagues", help="Name shown to colleagues.")]
Login = Annotated[str, typer.Option("--login", prompt="Sign-in name", help="Sign-in name, such as an e-mail address.")]
Again = Annotated[bool, typer.Option("--again", help="Make the link anew when the first one was lost or ran out.")]


@staff.command("first-admin")
def first_admin(name: Name, login: Login, again: Again = False) -> None:
    """Make the first administrator and print, once, the link to choose a password and a second factor."""
    settings = with_secrets(settings_now())
    at = system_clock()
    with opened(settings) as database, database.writing() as session:
        vault, index = Vault(settings.secret("vault_keys")), BlindIndex(settings.secret("index_keys"))
        invitation = accounts.first_admin(session, vault, index, Profile(name, login), at=at, again=again)
        token = invitation.token
    base = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.web_port}"
    ends = in_hong_kong(at + accounts.LINK_LASTS)
    out.out(f"{base}{accounts.WELCOME}{token}")
    out.print(f"The link works once, until {ends:%d %b %H:%M}, and is shown only here. Open it and scan the second factor.")


@staff.command("list")
def listed() -> None:
    """List the accounts by number, with their roles and whether they are on duty; names are shown in the console only."""
    with opened(settings_now()) as database, database.reading() as session:
        if not accounts.count(session):
            out.print("Nobody is on the team yet: `./candour staff first-admin` makes the first account.")
            return
        table = Table("number", "roles", "status", "on duty", "last seen", box=None)
        for account in accounts.everybody(session):
            seen = in_hong_kong(account.seen_at).strftime("%d %b %H:%M") if account.seen_at else "never"
            table.add_row(str(account.id), ", ".join(account.roles), account.status, "yes" if account.on_duty else "no", seen)
        out.print(table)


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database, up to date; raises Misconfigured when it is not there yet."""
    database = Database(settings.database)
    try:
        if not at_head(database.engine):
            raise Misconfigured("The database is not there yet or not up to date: `./candour up` brings it to where it must be.")
        yield database
    finally:
        database.close()
