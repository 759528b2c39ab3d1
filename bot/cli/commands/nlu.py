"""`nlu`: how well patients are understood, what was not, and a person's labels for it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.answering import Mind
from bot.assembly import official_numbers
from bot.base.database import Database
from bot.base.vault import Vault
from bot.cli import services
from bot.cli.measuring import messages as written
from bot.cli.measuring.asking import Asked, ask_all
from bot.cli.measuring.figures import figures
from bot.cli.measuring.misses import add_example, example_of, misses
from bot.cli.terminal import out, say, settings_now, show
from bot.conversations.engine import Engine
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking import proposal

nlu = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="How well patients are understood.")

Files = Annotated[list[Path], typer.Argument(help="Files of messages whose topic is known, one JSON object a line.")]
Json = Annotated[bool, typer.Option("--json", help="Print one object with every figure.")]
Missed = Annotated[Path | None, typer.Option("--missed", help="Write what was not answered right here, one JSON object a line.")]

Limit = Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")]
TurnId = Annotated[int, typer.Argument(help="The turn's number in the list of misses.")]
Topic = Annotated[str, typer.Argument(help="The topic that is right, or `harmless`.")]
Yes = Annotated[bool, typer.Option("--yes", help="The text was read: do not ask.")]

MAIN = (
    ("right first", "top1"),
    ("among the first three", "top3"),
    ("answered right", "answered_right"),
    ("answered wrong", "answered_wrong"),
    ("asked back", "asked"),
    ("handed over unanswered", "handed_over"),
    ("out of scope noticed", "oos_recall"),
    ("in scope refused", "oos_false"),
    ("danger: help or a person", "urgent_recall"),
    ("danger: help first", "urgent_certain"),
    ("look-alike: help first", "urgent_false"),
    ("look-alike: gentle sentence", "urgent_possible_false"),
)


@nlu.command()
def evaluate(files: Files, as_json: Json = False, missed: Missed = None) -> None:
    """Ask every message as a patient would and count: the same engine, guard, words of danger and policy."""
    settings = settings_now()
    messages = written.read(files, written.topics_of(settings.data))
    quiet = (lambda _text: None) if as_json else say
    with services.engine(settings, quiet, show) as served:
        content = proposal.read(served.data)
        engine = Engine(served.engine, served.secret("engine_token"), timeout_s=served.engine_timeout_s)
        mind = Mind(engine, Lexicon.load(served.data / "safety.yml"), official_numbers(content))
        with show("Asking") as progress:
            counted = iter(range(1, len(messages) + 1))
            asked = ask_all(messages, mind, content, lambda: _step(progress, next(counted), len(messages)))
        engine.close()
    if missed:
        missed.write_text("".join(json.dumps(_line(one), ensure_ascii=False) + "\n" for one in asked if _worth(one)))
    found = figures(asked)
    if as_json:
        out.out(json.dumps(found, ensure_ascii=False))
    else:
        _print(found)


def _step(progress: Any, number: int, of: int) -> None:
    if number % 100 == 0 or number == of:
        progress(number, of, "messages")


def _worth(one: Asked) -> bool:
    alarmed = (one.certain or one.possible) != one.message.urgent
    return one.outcome.value != "answered_right" or alarmed


def _line(one: Asked) -> dict[str, Any]:
    return {
        "text": one.message.text,
        "topic": one.message.topic,
        "kind": one.message.kind,
        "outcome": one.outcome.value,
        "topics": one.topics[:3],
        "certain": one.certain,
        "possible": one.possible,
    }


def _print(found: dict[str, Any]) -> None:
    table = Table("", "share", "95 % interval", box=None)
    for words, name in MAIN:
        if found[name] is not None:
            low, high = found[f"{name}_ci"]
            table.add_row(words, f"{found[name]:.1%}", f"{low:.1%} to {high:.1%}")
    out.print(f"{found['n']} messages, {found['p50_ms']} ms each (half are faster), {found['p95_ms']} ms at most for 95 %")
    out.print(table)
    for title, groups, columns in (
        ("language", found["by_lang"], ("top1", "top3", "answered_right", "answered_wrong", "asked")),
        ("kind", found["by_kind"], ("top1", "top3", "answered_right", "answered_wrong", "asked")),
        ("danger", {**found["urgent_by_kind"], **found["urgent_by_lang"]}, ("recall", "certain")),
    ):
        table = Table(title, "n", *(column.replace("_", " ") for column in columns), box=None)
        for name, group in groups.items():
            table.add_row(name, str(group["n"]), *(f"{group[column]:.1%}" for column in columns))
        out.print(table)
    table = Table("topic", "taken for", "times", box=None)
    for pair in found["confusions"][:15]:
        table.add_row(pair["topic"], pair["taken_for"], str(pair["n"]))
    out.print(table)


@nlu.command("misses")
def list_misses(limit: Limit = 50, as_json: Json = False) -> None:
    """List the latest turns that failed, were asked back or handed over unanswered, with private details hidden."""
    settings = settings_now()
    vault, official = Vault(settings.secret("vault_keys")), official_numbers(proposal.read(settings.data))
    database = Database(settings.database)
    try:
        with database.reading() as session:
            found = list(misses(session, vault, official, limit))
    finally:
        database.close()
    if as_json:
        out.out(json.dumps([{**asdict(one), "at": one.at.isoformat()} for one in found], ensure_ascii=False))
        return
    for one in found:
        considered = ", ".join(f"{topic} {confidence:.0%}" for topic, confidence in one.topics)
        out.print(f"[bold]{one.turn_id}[/bold]  {one.language}  {one.what}  ({escape(considered)})")
        out.print(f"    {escape(one.text)}")
    if not found:
        out.print("Nothing was missed.")


@nlu.command("label")
def label_turn(turn: TurnId, topic: Topic, yes: Yes = False) -> None:
    """Make a turn an example of a topic (or `harmless`): the text is shown, and goes nowhere before somebody has read it."""
    settings = settings_now()
    vault, official = Vault(settings.secret("vault_keys")), official_numbers(proposal.read(settings.data))
    database = Database(settings.database)
    try:
        with database.reading() as session:
            text = example_of(session, vault, official, turn)
    finally:
        database.close()
    out.print(escape(text))
    if not yes and not typer.confirm("Does it hold no name and nothing that tells who wrote it?", default=False):
        raise typer.Exit(1)
    path = add_example(settings.data, topic, text)
    out.print(f"Added to {path.parent.name}/{path.name}. It is learnt with the next training.")
