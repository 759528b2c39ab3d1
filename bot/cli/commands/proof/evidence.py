"""`evidence verify`, `evidence export`: the sealed log checked, and given out for an authority."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot.base import evidence
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.settings import Settings
from bot.base.vault import Vault
from bot.campaigns.proof import bundle, checking
from bot.cli.commands.campaigns.desk import By, Json, office, printed
from bot.cli.terminal import out, say, settings_now, show

proof = typer.Typer(no_args_is_help=True, help="Prove what was done: check the sealed log, give it out for an authority.")

Copy = Annotated[
    str, typer.Option("--database", metavar="FILE|URL", help="Check this copy instead: a SQLite file or an address.")
]
Folder = Annotated[Path | None, typer.Option("--export", metavar="FOLDER", help="Check a folder that `evidence export` made.")]
Heads = Annotated[
    Path | None, typer.Option("--heads", metavar="FOLDER", help="Heads exported daily; without it those in `home`.")
]
Deep = Annotated[bool, typer.Option("--contents/--seals-only", help="Open each entry's content too; needs the vault keys.")]
Offline = Annotated[bool, typer.Option("--offline", help="With --export: without our keys and our log, as a stranger does.")]
Which = Annotated[str, typer.Option("--campaign", help="The campaign's name.")]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A folder that does not exist yet.")]


@proof.command()
def verify(
    database: Copy = "", export: Folder = None, heads: Heads = None, contents: Deep = True, offline: Offline = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Check the sealed log, a copy of it, or a folder of evidence; exit status 1 when anything is wrong."""
    settings = settings_now()
    if export is not None:
        _verify_folder(settings, export, offline=offline, as_json=as_json)
        return
    folder = heads or settings.home / "evidence"
    vault = Vault(settings.secret("vault_keys")) if contents else None
    with _opened(settings, database) as opened, show("Checking"):
        verdict = evidence.verify(opened, settings.secret("audit_keys"), folder if folder.is_dir() else None, vault)
    if as_json:
        said = {name: value for name, value in vars(verdict).items() if not name.startswith("_")}
        printed({**said, "words": verdict.in_words()})
    else:
        out.print(verdict.in_words())
        if not folder.is_dir():
            say("There are no exported heads: an end that was cut off would not show.")
    if not verdict.ok:
        raise typer.Exit(1)


def _verify_folder(settings: Settings, folder: Path, *, offline: bool, as_json: bool) -> None:
    if offline:
        found = checking.check(folder)
    else:
        with _opened(settings, "") as opened:
            vault = Vault(settings.secret("vault_keys"))
            found = checking.check(folder, keys=settings.secret("audit_keys"), database=opened, vault=vault)
    if as_json:
        printed({"ok": found.ok, **vars(found)})
    else:
        out.print(f"{found.files:,} files, {found.entries:,} entries of the log, {found.sealed:,} seals checked.")
        for note in found.notes:
            say(note)
        for one in found.wrong:
            out.print(f"Wrong: {one}.")
        if found.ok:
            out.print("Nothing was changed.")
    if not found.ok:
        raise typer.Exit(1)


@contextmanager
def _opened(settings: Settings, copy: str) -> Iterator[Database]:
    """Our database, or a copy that is left as it is: a file is copied once more, since opening one writes beside it."""
    if copy and "://" not in copy:
        path = Path(copy)
        if not path.is_file():
            raise BadInput(f"{path.name} is no file.")
        with tempfile.TemporaryDirectory() as folder:
            for ending in ("", "-wal"):
                if Path(f"{path}{ending}").is_file():
                    shutil.copyfile(f"{path}{ending}", Path(folder) / f"copy.sqlite3{ending}")
            yield from _open(f"sqlite:///{folder}/copy.sqlite3")
    else:
        if not copy and not settings.database_url and not (settings.home / "candour.sqlite3").is_file():
            raise BadInput("There is no database yet: `./candour up` makes it.")
        yield from _open(copy or settings.database)


def _open(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@proof.command("export")
def give_out(campaign: Which, folder: Out, by: By = "operator", as_json: Json = False) -> None:
    """Write the evidence of a campaign into a folder: PDF summary, tables without addresses, texts as sent, digests."""
    settings = settings_now()
    heads = settings.home / "evidence"
    keys = settings.secret("audit_keys")
    with office() as at, show("Exporting") as progress:
        place = heads if heads.is_dir() else None
        made = bundle.export(at, campaign, folder, keys=keys, heads=place, by=by, progress=lambda what: progress(0, 0, what))
    if as_json:
        out.out(json.dumps({**vars(made), "folder": str(made.folder)}))
    else:
        out.print(f"{made.files} files, {made.entries:,} entries of the log. Digest of all: [bold]{made.digest}[/bold]")
        say("Give this digest by another way than the folder. The folder is checked with: sha256sum -c SHA256SUMS")
    if not made.agrees:
        say("The log is broken, or log, tables and texts differ: summary.pdf and manifest.json say how.")
        raise typer.Exit(1)
