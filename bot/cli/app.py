"""The commands of `./candour`, and the one place where an error becomes a sentence."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError
from typer.core import TyperGroup

from bot.base.database import trouble
from bot.base.errors import CandourError
from bot.cli.commands.ask import ask
from bot.cli.commands.bench import bench
from bot.cli.commands.campaigns.group import campaign
from bot.cli.commands.cases import cases
from bot.cli.commands.chat import chat
from bot.cli.commands.checks import run_checks
from bot.cli.commands.content.notices import notices as texts
from bot.cli.commands.desk.programs import token, webhook
from bot.cli.commands.desk.staff import staff
from bot.cli.commands.desk.switching import desk
from bot.cli.commands.doctor import doctor
from bot.cli.commands.install import install
from bot.cli.commands.lock import lock
from bot.cli.commands.nlu import nlu
from bot.cli.commands.notices import notices
from bot.cli.commands.patients import patients
from bot.cli.commands.proof.evidence import proof
from bot.cli.commands.proof.regulators import regulators
from bot.cli.commands.publish import publish
from bot.cli.commands.references.issuing import given
from bot.cli.commands.say import say as preview
from bot.cli.commands.train import train
from bot.cli.commands.up import up
from bot.cli.commands.widget_snippet import widget_snippet
from bot.cli.terminal import say

INTERRUPTED = 130


class Commands(TyperGroup):
    """Turns what a command raises into one sentence and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a traceback is shown only with `--debug`."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if ctx.params.get("debug") or _is_usage(error):
                raise
            say(_sentence(error))
            raise typer.Exit(1) from None


def _sentence(error: Exception) -> str:
    if isinstance(error, CandourError):
        return str(error)
    if isinstance(error, SQLAlchemyError):
        return f"The database cannot be used: {trouble(error)}."
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"This cannot be done here: {where}{error.strerror}."
    # The text of an unknown error may quote what was being worked on: only its kind is said.
    return f"Something unforeseen happened ({type(error).__name__}). `./candour --debug …` shows where."


def _is_usage(error: Exception) -> bool:
    # typer keeps click's classes to itself; what marks a usage error is that it can show itself.
    return hasattr(error, "show") and hasattr(error, "exit_code")


app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown"
)


@app.callback()
def candour(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """Candour answers patients after a breach of their records. Begin with `./candour up`."""
    os.umask(0o077)  # whatever is written from here on is for its owner alone


for command in (up, ask, chat, cases, publish, train, doctor, install, lock):
    app.command()(command)
app.command("say")(preview)
app.command("test")(run_checks)
app.add_typer(campaign, name="campaign")
app.add_typer(patients, name="patients")
patients.add_typer(notices, name="notices")
patients.add_typer(given, name="references")
app.add_typer(proof, name="evidence")
app.add_typer(regulators, name="regulators")
app.add_typer(nlu, name="nlu")
app.add_typer(texts, name="notices")
app.add_typer(staff, name="staff")
app.add_typer(desk, name="desk")
staff.add_typer(token, name="token")
desk.add_typer(webhook, name="webhook")
app.command("widget-snippet")(widget_snippet)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)(bench)
