"""`chat`: a conversation in the terminal, through the patient's door."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from bot.base.errors import CandourError
from bot.base.languages import Language
from bot.cli import services
from bot.cli.commands.ask import print_reply
from bot.cli.door import Door, Said
from bot.cli.terminal import out, say, settings_now, show

Lang = Annotated[Language | None, typer.Option("--lang", help="Begin in this language.")]
SWITCH = "lang "


def chat(lang: Lang = None) -> None:
    """Talk to Candour as a patient would; Ctrl-D ends.

    A number presses a button; `lang zh-Hant` (or zh-Hans, en, tl, id) changes the language.
    """
    settings = settings_now()
    with services.door(settings, say, show) as url:
        door = Door(url, lang.value if lang else None)
        out.print(escape(door.opening["collection_statement"]["text"]), style="dim")
        out.print(escape(door.opening["greeting"]))
        said: Said | None = None
        while (line := _line()) is not None:
            said = _turn(door, line, said) if line else said
        door.close()


def _line() -> str | None:
    try:
        return out.input("\n[bold]> [/bold]").strip()
    except (EOFError, KeyboardInterrupt):
        out.print()
        return None


def _turn(door: Door, line: str, last: Said | None) -> Said | None:
    choices = last.choices if last else []
    try:
        if line.startswith(SWITCH):
            language = line.removeprefix(SWITCH).strip()
            if language not in [one.value for one in Language]:
                say(f"The languages are {', '.join(one.value for one in Language)}.")
                return last
            door.choose_language(language)
            say(f"The language is now {language}.")
            return last
        if line.isascii() and line.isdigit() and 0 < int(line) <= len(choices):
            door.send(choice=choices[int(line) - 1]["id"])
        else:
            door.send(line)
        said = door.reply()
    except CandourError as wrong:
        say(str(wrong))
        return last
    print_reply(said)
    return said
