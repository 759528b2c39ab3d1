"""`notices`: the templates of notices listed, checked, and shown as somebody would get them; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.content import letter, segment, template
from bot.campaigns.content import lint as checking
from bot.campaigns.content.template import STANDARD, Template
from bot.campaigns.content.writing import Edition
from bot.cli.terminal import out, say, settings_now
from bot.conversations.speaking import proposal, publication, wording
from bot.patients.models import Category, Way

ADDRESS = ("Chan Tai Man 陳大文", "Flat 12B, Tower 3", "18 Example Road", "Hong Kong")
"""What stands in the window of a letter that is shown."""

notices = typer.Typer(no_args_is_help=True, help="The texts of notices: listed, checked, shown. Nothing is sent.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The notice, such as first_notice.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Only these; otherwise all.")]
Lang = Annotated[Language, typer.Option("--lang", help="The reader's language.")]
Channel = Annotated[Way, typer.Option("--channel", help="The way it goes: email, sms, whatsapp or letter.")]
Categories = Annotated[
    str, typer.Option("--categories", help="Kinds of data held about the reader, with commas; or all, or none.")
]
Variant = Annotated[str, typer.Option("--variant", help="Another form of it, such as shared.")]
Published = Annotated[bool, typer.Option("--published", help="With the facts said now, instead of those the files propose.")]
Empty = Annotated[bool, typer.Option("--no-facts", help="As it reads while no fact is known.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write an e-mail's HTML or a letter's PDF here.")]
Ready = Annotated[bool, typer.Option("--ready", help="Facts that are missing count too: could it be sent now?")]
Json = Annotated[bool, typer.Option("--json", help="Print one object for programs.")]


@notices.command("list")
def list_notices() -> None:
    """Every notice, the ways it goes and what it is for."""
    table = Table("notice", "ways", "version", "purpose", box=None)
    for one in template.read_all().values():
        table.add_row(one.name, " ".join(one.channels), one.digest[:12], escape(one.purpose))
    out.print(table)


@notices.command("lint")
def lint(names: Names = None, published: Published = False, ready: Ready = False, as_json: Json = False) -> None:
    """Read every text as the checklist, the never-say list and the reader's screen would; a mistake ends with 1."""
    content = _content(published)
    chosen = [template.read(name) for name in names or template.names()]
    found = [finding for one in chosen for finding in checking.lint(one, content)]
    wrong = [one for one in found if ready or not one.is_open]
    if as_json:
        listed = [{"notice": f.template, "where": f.where, "rule": f.rule, "said": f.said, "open": f.is_open} for f in found]
        out.out(json.dumps({"notices": len(chosen), "well": not wrong, "findings": listed}, ensure_ascii=False))
    else:
        _told(len(chosen), found, wrong)
    if wrong:
        raise typer.Exit(1)


def _told(number: int, found: list[checking.Finding], wrong: list[checking.Finding]) -> None:
    table = Table("notice", "where", "rule", "what", box=None)
    for one in wrong:
        table.add_row(*map(escape, (one.template, one.where, one.rule, one.said)))
    if wrong:
        out.print(table)
    out.print(f"{number} notices in {len(template.LANGUAGES)} languages: {len(wrong) or 'no'} mistakes.")
    if missing := sorted({one.said.partition(" ")[0] for one in found if one.is_open and one not in wrong}):
        out.print(f"Before anything is sent, these facts must be known: {', '.join(missing)}.")


@notices.command("show")
def show(
    name: Name,
    language: Lang = Language.EN,
    channel: Channel = Way.EMAIL,
    categories: Categories = "all",
    variant: Variant = STANDARD,
    published: Published = False,
    no_facts: Empty = False,
    to: Out = None,
) -> None:
    """Show a notice with sample values as one person would get it, and what it costs as an SMS."""
    chosen, content = template.read(name), _content(published)
    if no_facts:
        content = wording.without_facts(content)
    edition = Edition(1, in_hong_kong(system_clock()).date())
    shared = segment.render_segment(chosen, content, language, channel, edition=edition, held=_held(categories), variant=variant)
    read = segment.filled(shared, chosen.places)
    if to:
        made = _written(chosen, shared, read, to)
        say(f"{made} in {to}.")
        return
    if read.subject:
        out.out(f"{read.subject}\n")
    out.out(segment.as_read(read.text, read.variables) if channel is Way.WHATSAPP else read.text)
    if channel is Way.SMS:
        out.out(f"(SMS segments: {read.segments.count}, {read.segments.encoding}, {read.segments.units} units)")


def _written(chosen: Template, shared: segment.Shared, read: segment.Filled, to: Path) -> str:
    if shared.way is Way.LETTER:
        to.write_bytes(letter.pdf(chosen, shared, chosen.places, ADDRESS))
        return "A letter (PDF)"
    to.write_text(read.html or read.text, encoding="utf-8")
    return "An e-mail (HTML)" if read.html else "A text"


def _held(listed: str) -> list[Category]:
    if listed.strip().lower() in ("", "none", "all"):
        return list(Category) if listed.strip().lower() == "all" else []
    try:
        return [Category(one.strip()) for one in listed.split(",")]
    except ValueError:
        raise BadInput(f"The kinds of data are {', '.join(Category)}.") from None


def _content(published: bool) -> Mapping[str, Any]:
    if not published:
        read: dict[str, Any] = json.loads(proposal.canonical(proposal.read(settings_now().data)))
        return read
    database = Database(settings_now().database)
    try:
        with database.reading() as session:
            return publication.Library().current(session, system_clock()).content
    finally:
        database.close()
