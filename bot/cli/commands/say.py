"""`say`: a preview of one wording, as a patient would read it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.channels.segments import segments
from bot.cli.terminal import out, settings_now
from bot.conversations.speaking import proposal, publication, wording
from bot.conversations.speaking.levels import Level

CHANNELS = ("web", "whatsapp", "email", "sms")

Name = Annotated[str, typer.Argument(help="The wording's name, such as what_happened.")]
Lang = Annotated[Language, typer.Option("--lang", help="The reader's language.")]
Channel = Annotated[str, typer.Option("--channel", help=f"One of {', '.join(CHANNELS)}.")]
Published = Annotated[bool, typer.Option("--published", help="What is said now, instead of what the files propose.")]
Empty = Annotated[bool, typer.Option("--no-facts", help="As it reads while no fact is known.")]
Json = Annotated[bool, typer.Option("--json", help="Print one object for programs.")]


def say(
    name: Name,
    language: Lang = Language.EN,
    channel: Channel = "web",
    published: Published = False,
    no_facts: Empty = False,
    as_json: Json = False,
) -> None:
    """Show a wording in a language and channel, with its buttons, and for SMS what it costs."""
    if channel not in CHANNELS:
        raise BadInput(f"There is no channel {channel!r}: it is one of {', '.join(CHANNELS)}.")
    content = _published() if published else json.loads(proposal.canonical(proposal.read(settings_now().data)))
    if name not in content["wordings"]:
        raise BadInput(f"There is no wording {name!r}." + _meant(name, content))
    if no_facts:
        content = wording.without_facts(content)
    text = wording.render(content, name, language, channel, wording.GIVEN, Level.VERIFIED).text
    buttons = [wording.label(content, topic, language) for topic in content["wordings"][name]["next"]]
    counted = segments(text)
    if as_json:
        cost = {"segments": counted.count, "encoding": counted.encoding} if channel == "sms" else {}
        out.out(
            json.dumps(
                {"text": text, "buttons": buttons, "level": content["wordings"][name]["level"], **cost}, ensure_ascii=False
            )
        )
        return
    out.out(text)
    for place, button in enumerate(buttons, start=1):
        out.out(f"  {place}. {button}")
    if channel == "sms":
        out.out(f"(SMS segments: {counted.count}, {counted.encoding}, {counted.units} units)")


def _published() -> dict[str, Any]:
    database = Database(settings_now().database)
    try:
        with database.reading() as session:
            return dict(publication.Library().current(session, system_clock()).content)
    finally:
        database.close()


def _meant(name: str, content: dict[str, Any]) -> str:
    near = [
        known for known in sorted(content["wordings"]) if name.replace("-", "_").casefold() in known or known in name.casefold()
    ]
    return f" Did you mean {', '.join(near[:5])}?" if near else " The names are those in data/faq and data/flows."
