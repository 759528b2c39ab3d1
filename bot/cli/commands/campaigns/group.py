"""The commands of `campaign`, under their names."""

from __future__ import annotations

from collections.abc import Callable

import typer

from bot.cli.commands.campaigns import paper, planning, steering
from bot.cli.commands.campaigns.phones import phones

campaign = typer.Typer(no_args_is_help=True, help="Notices to many people: plan, dry run, approval, sending, letters.")

COMMANDS: dict[str, Callable[..., None]] = {
    "new": planning.new,
    "change": planning.change,
    "dry-run": planning.dry,
    "test": planning.send_test,
    "submit": planning.submit,
    "approve": planning.approve,
    "start": steering.start,
    "pause": steering.pause,
    "resume": steering.resume,
    "release": steering.release,
    "cancel": steering.cancel,
    "status": steering.status,
    "doubts": steering.doubts,
    "settle": steering.settle,
    "hold": steering.hold,
    "lift": steering.lift,
    "public-notice": paper.record,
    "purge": paper.purge,
}
for name, command in COMMANDS.items():
    campaign.command(name)(command)
campaign.add_typer(paper.letters, name="letters")
campaign.add_typer(phones, name="phones")
