"""`campaign start`, `pause`, `resume`, `release`, `cancel`, `status`, and what the team did by hand."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from bot.campaigns import figures, hands, life
from bot.campaigns.office import Office
from bot.cli.commands.campaigns.desk import By, Json, Name, Why, office, printed, show_standing
from bot.cli.terminal import say, show

Follow = Annotated[bool, typer.Option("--follow", help="Show a progress bar until it rests.")]
Reason = Annotated[str, typer.Option("--why", help="The reason; kept in the sealed log.")]
Which = Annotated[str, typer.Argument(metavar="[NAME]", help="Empty: all campaigns.")]
AsSent = Annotated[bool, typer.Option("--as-sent/--send-again", help="What it is taken for.")]
Authority = Annotated[str, typer.Option("--authority", help="Who orders to wait.")]
LOOK_EVERY_S = 1.0
RESTS = frozenset({"draft", "submitted", "approved", "paused", "completed", "cancelled"})


def start(name: Name, by: By = "operator") -> None:
    """Let the first wave go."""
    with office() as at:
        life.start(at, name, by=by)
    say(f"{name} is running. How it stands: ./candour campaign status {name} --follow")


def pause(name: Name, why: Why = "paused by hand", by: By = "operator") -> None:
    """Let nothing new leave; what is being handed over is finished and recorded."""
    with office() as at, at.database.writing() as session:
        life.pause(session, at.vault, life.named(session, name, lock=True), by=by, why=why, at=at.clock())
    say(f"{name} is paused.")


def resume(name: Name, by: By = "operator") -> None:
    """Go on with whoever has not been written to."""
    with office() as at, at.database.writing() as session:
        life.resume(session, at.vault, life.named(session, name, lock=True), by=by, at=at.clock())
    say(f"{name} goes on.")


def release(name: Name, by: By = "operator") -> None:
    """Let the next wave go, as soon as the desk can cope."""
    with office() as at, at.database.writing() as session:
        wave = life.release(session, at.vault, life.named(session, name, lock=True), by=by, at=at.clock())
    say(f"Wave {wave} may go.")


def cancel(
    name: Name, why: Annotated[str, typer.Option("--why", help="The reason; kept in the log.")], by: By = "operator"
) -> None:
    """End it for good."""
    with office() as at, at.database.writing() as session:
        life.cancel(session, at.vault, life.named(session, name, lock=True), by=by, why=why, at=at.clock())
    say(f"{name} is cancelled; nobody else is told by it.")


def status(
    name: Annotated[str, typer.Argument(help="Empty: all campaigns.")] = "", as_json: Json = False, follow: Follow = False
) -> None:
    """How a campaign stands."""
    with office() as at:
        if not name:
            with at.database.reading() as session:
                for one in figures.everyone(session):
                    if as_json:
                        printed({"name": one.name, "status": one.status, "population": one.population})
                    else:
                        say(f"{one.name}: {one.status}, {one.population:,} people")
            return
        if follow:
            with show(name) as progress:
                while (now := _standing(at, name)).status not in RESTS:
                    done = now.population - now.people.get("planned", 0)
                    progress(done, now.population, now.waits_for or f"{now.per_minute:,} a minute")
                    time.sleep(LOOK_EVERY_S)
        show_standing(_standing(at, name), as_json=as_json)


def doubts(name: Name, as_json: Json = False) -> None:
    """List notices of which nobody knows whether they were sent; `settle` decides about one."""
    with office() as at, at.database.reading() as session:
        for one in hands.in_doubt(session, life.named(session, name)):
            row = {"notice": one.id, "person": one.person_id, "channel": one.channel, "reason": one.reason, "code": one.code}
            printed(row) if as_json else say(f"{one.id}: person {one.person_id}, {one.channel}, {one.reason} {one.code}")


def settle(
    name: Name,
    notice: Annotated[int, typer.Argument(help="The notice's number, as `doubts` shows it.")],
    as_sent: AsSent,
    by: By = "operator",
) -> None:
    """Decide about a notice in doubt: take it as sent, or send it again."""
    with office() as at, at.database.writing() as session:
        hands.settle(session, at.vault, life.named(session, name), notice, as_sent=as_sent, by=by, at=at.clock())
    say("Decided; it is in the sealed log.")


def hold(
    name: Name, authority: Annotated[str, typer.Option("--authority", help="Who orders to wait.")], by: By = "operator"
) -> None:
    """Stop it at an authority's order until `lift`."""
    with office() as at, at.database.writing() as session:
        campaign = life.named(session, name, lock=True)
        life.hold(session, at.vault, campaign, authority=authority, until=None, by=by, at=at.clock())
    say(f"{name} waits for {authority}.")


def lift(name: Name, by: By = "operator") -> None:
    """End the orders that stand; it stays paused until `resume`."""
    with office() as at, at.database.writing() as session:
        number = life.lift(session, at.vault, life.named(session, name, lock=True), by=by, at=at.clock())
    say(f"{number} orders are lifted.")


def _standing(at: Office, name: str) -> figures.Standing:
    with at.database.reading() as session:
        return figures.standing(session, life.named(session, name), at.clock())
