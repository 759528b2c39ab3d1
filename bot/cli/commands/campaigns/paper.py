"""`campaign letters …` and `campaign public-notice`: what goes by post, what comes back, and what the public is told."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot import purge as emptying
from bot.base.clock import HONG_KONG, in_hong_kong
from bot.base.errors import BadInput
from bot.campaigns import life
from bot.campaigns.paper import batches, gathering, public, returns
from bot.campaigns.paper.models import LetterBatch, Medium
from bot.cli.commands.campaigns.desk import By, Json, Name, office, printed
from bot.cli.terminal import out, say, settings_now, show

letters = typer.Typer(no_args_is_help=True, help="Letters in batches: made, fetched for the printing house, posted, returned.")

Batch = Annotated[int, typer.Argument(metavar="BATCH", help="The number of the batch.")]
Size = Annotated[int, typer.Option("--size", help="Letters in it.")]
Registered = Annotated[bool, typer.Option("--registered/--ordinary", help="By registered post.")]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the two files are written.")]
Receipt = Annotated[str, typer.Option("--receipt", help="The number of the post's or printing house's receipt.")]
File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="In each row the number on the letter and the reason.")]


@letters.command()
def make(name: Name, size: Size = 500, registered: Registered = False, by: By = "operator") -> None:
    """Make the next batch of letters, sorted by language and clinic."""
    with office() as at, show("Setting letters"):
        batch = batches.make(at, settings_now().home, name, size=size, registered=registered, by=by)
    say(f"Batch {batch.id}: {batch.letters:,} letters, {batch.pages:,} pages{', registered' if batch.registered else ''}.")
    say(f"For the printing house: ./candour campaign letters download {name} {batch.id} --out FOLDER")


@letters.command("list")
def show_batches(name: Name, as_json: Json = False) -> None:
    """The batches of a campaign, and how many letters wait for one."""
    with office() as at, at.database.reading() as session:
        campaign = life.named(session, name)
        found, left = batches.all_of(session, campaign), gathering.count(session, campaign.id)
    for batch in found:
        row = {key: getattr(batch, key) for key in ("id", "letters", "pages", "registered", "posted_at", "receipt", "pdf_sha256")}
        printed(row) if as_json else out.print(_line(batch))
    printed({"waiting": left}) if as_json else out.print(f"{left:,} letters wait for a batch.")


def _line(batch: LetterBatch) -> str:
    post = f"posted {in_hong_kong(batch.posted_at):%d %b %H:%M} {batch.receipt}" if batch.posted_at else "not posted"
    kind = f"{batch.letters:,} registered" if batch.registered else "ordinary post"
    return f"batch {batch.id}: {batch.letters:,} letters, {batch.pages:,} pages, {kind}, {post}"


@letters.command()
def download(name: Name, batch: Batch, folder: Out, by: By = "operator") -> None:
    """Fetch a batch's PDF and list of addresses; the same files every time, and every time is in the log."""
    with office() as at, at.database.writing() as session:
        files = batches.fetch(session, at, settings_now().home, life.named(session, name), batch, by=by)
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        with open(folder / f"batch-{batch}-{file}", "xb", opener=_private) as written:
            written.write(content)
    say("Personal data: give it to nobody but the printing house, and delete it afterwards.")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@letters.command()
def posted(name: Name, batch: Batch, receipt: Receipt = "", by: By = "operator") -> None:
    """Say that a batch was handed to the post."""
    with office() as at, at.database.writing() as session:
        number = batches.posted(session, at, life.named(session, name, lock=True), batch, receipt=receipt, by=by)
    say(f"{number:,} letters are posted. Their files are removed {batches.KEPT.days} days from now.")


@letters.command()
def returned(name: Name, file: File, by: By = "operator", as_json: Json = False) -> None:
    """Import returned mail: the next rung begins, or the team takes over."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError):
        raise BadInput(f"{file.name} is not a CSV file in UTF-8.") from None
    with office() as at, at.database.writing() as session:
        campaign = life.named(session, name, lock=True)
        done = returns.bring_in(session, at.vault, campaign, text, by=by, at=at.clock())
    if as_json:
        printed(vars(done))
    else:
        say(f"{done.back:,} came back: for {done.again:,} the next rung begins, {done.left:,} are left to the team.")
        for one in done.refused[:20]:
            say(f"Not taken in, {one}.")
    if done.refused:
        raise typer.Exit(1)


def record(
    name: Name,
    where: Annotated[str, typer.Option("--where", help="The page's address, or the newspaper and its page.")],
    file: Annotated[Path, typer.Option("--file", help="A scan or copy of what was published; it is kept.")],
    medium: Annotated[Medium, typer.Option("--medium", help="What it was published in.")] = Medium.WEBSITE,
    since: Annotated[datetime | None, typer.Option("--since", help="From when, in Hong Kong; now without.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Until when it stands, if that is known.")] = None,
    by: By = "operator",
) -> None:
    """Record a notice to the public: it stands for everybody who is left to the team."""
    with office() as at, at.database.writing() as session:
        campaign = life.named(session, name, lock=True)
        begins = since.replace(tzinfo=HONG_KONG) if since else at.clock()
        ends = until.replace(tzinfo=HONG_KONG) if until else None
        row = public.publish(
            session, at, settings_now().home, campaign, medium=medium, place=where, since=begins, until=ends, file=file, by=by
        )
    say(f"Recorded for {row.people:,} people. SHA-256 of what was published: {row.sha256}")


def purge(name: Name, by: By = "operator") -> None:
    """Empty the addresses of a campaign that ended long ago; the proof of what was done stays."""
    settings = settings_now()
    kept = timedelta(days=settings.campaign_addresses_kept_days)
    with office() as at:
        done = emptying.purge(at, settings.home, name, kept, by=by)
    say(
        f"{done.addresses:,} addresses of {done.people:,} people are gone, with the files of {done.batches:,} batches of letters."
    )
    if done.kept:
        say(f"{done.kept:,} people were not told by it, have a later campaign or an open case: theirs stay.")
