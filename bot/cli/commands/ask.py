"""`ask`: one question through the patient's door, answered as a patient is answered."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from sqlalchemy import select

from bot.base.database import Database
from bot.base.languages import Language
from bot.base.settings import Settings
from bot.cli import services
from bot.cli.door import Door, Said
from bot.cli.terminal import out, say, settings_now, show
from bot.conversations.models import Reply, Turn
from bot.desk.cases import unresolved_case

Question = Annotated[str, typer.Argument(help="What the patient asks.")]
Lang = Annotated[Language | None, typer.Option("--lang", help="Fix the language of the answer; else it is recognised.")]
Json = Annotated[bool, typer.Option("--json", help="Print {say, text, lang, choices, case, confidence}.")]


def ask(question: Question, lang: Lang = None, as_json: Json = False) -> None:
    """Ask one question as a patient would, through the web door; starts what it needs for as long as it needs it."""
    settings = settings_now()
    with services.door(settings, say if not as_json else _silent, show) as url:
        door = Door(url, lang.value if lang else None)
        client_id = door.send(question)
        said = door.reply()
        door.close()
    known = what_is_known(settings, client_id)
    if as_json:
        answer = {"say": known["say"], "text": said.text, "lang": said.language, "choices": said.choices}
        out.out(json.dumps({**answer, "case": known["case"], "confidence": known["confidence"]}, ensure_ascii=False))
    else:
        print_reply(said)
        if known["case"]:
            say(f"(case {known['case']})")


def print_reply(said: Said) -> None:
    """A reply and its buttons, numbered."""
    out.print(escape(said.text))
    for number, choice in enumerate(said.choices, start=1):
        out.print(f"  [bold]{number}[/bold]  {escape(choice['label'])}")


def what_is_known(settings: Settings, client_id: str) -> dict[str, Any]:
    """What the database knows of a turn and a browser does not: wordings by name, open case, confidence."""
    database = Database(settings.database)
    try:
        with database.reading() as session:
            turn = session.scalars(select(Turn).where(Turn.external_id == client_id)).one()
            reply = session.scalars(select(Reply).where(Reply.turn_id == turn.id)).first()
            case = unresolved_case(session, turn.thread_id)
            return {
                "say": reply.say if reply else [],
                "case": case.number if case else None,
                "confidence": turn.confidence,
            }
    finally:
        database.close()


def _silent(_text: str) -> None:
    return
