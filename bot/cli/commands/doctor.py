"""`doctor`: what is configured, what is missing, what is well, in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from bot.base import schema
from bot.base.clock import system_clock
from bot.base.database import Database, trouble
from bot.base.errors import CandourError, NotPublished
from bot.base.evidence import verify
from bot.base.settings import SECRETS, Settings
from bot.cli import reach, services, state, training
from bot.cli.commands.checks import postgres_binaries
from bot.cli.commands.desk.look import look as look_at_desk
from bot.cli.commands.proof import look as proven
from bot.cli.terminal import out, settings_now
from bot.conversations.speaking import proposal
from bot.conversations.speaking.publication import Library
from bot.patients.roster.imports import unfinished

FACT = "fact "
Json = Annotated[bool, typer.Option("--json", help="Print a list of {what, well, words}.")]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `well` is None for a remark that needs nothing done."""

    what: str
    well: bool | None
    words: str


Live = Annotated[bool, typer.Option("--live", help="Ask the providers too whether they know our accounts; sends nothing.")]
Facts = Annotated[bool, typer.Option("--facts", help="List every fact that has no value, and what to give.")]


def doctor(as_json: Json = False, live: Live = False, facts: Facts = False) -> None:
    """Say what is configured, what is missing and what does not work; exit status 1 when something must be done."""
    settings = settings_now()
    found = list(findings(settings))
    found += [Finding(*said) for said in reach.live(settings)] if live else []
    if as_json:
        out.out(json.dumps([{"what": one.what, "well": one.well, "words": one.words} for one in found], ensure_ascii=False))
    else:
        for one in found if facts else _folded(found):
            mark = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[yellow]·[/yellow]"}[one.well]
            out.print(f"{mark} [bold]{one.what}[/bold]  {escape(one.words)}")
    if any(one.well is False for one in found):
        raise typer.Exit(1)


def _folded(found: list[Finding]) -> list[Finding]:
    """The same with the empty facts as one line: there are many before an incident is looked into, and they hide the rest."""
    empty = [one for one in found if one.what.startswith(FACT)]
    words = f"{len(empty)} have no value yet, and answers say so; `./candour doctor --facts` lists what to find out"
    folded = Finding("facts", None, words)
    return [folded if one is empty[0] else one for one in found if one not in empty[1:]] if empty else found


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at everything; a look that fails is a finding and never ends the others."""
    looks: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
        ("settings", _settings),
        ("secrets", _secrets),
        ("files", _files),
        ("database", _database),
        ("model", _model),
        ("channels", _channels),
        ("letters", _paper),
        ("processes", _processes),
        ("tests", _tests),
    )
    for what, look in looks:
        try:
            yield from look(settings)
        except CandourError as wrong:
            yield Finding(what, False, str(wrong))
        except SQLAlchemyError as wrong:
            yield Finding(what, False, trouble(wrong))
        except OSError as wrong:
            yield Finding(what, False, f"cannot be looked at ({type(wrong).__name__})")


def _settings(settings: Settings) -> Iterator[Finding]:
    kind = "SQLite in the home folder" if not settings.database_url else settings.database_url.split(":", 1)[0]
    yield Finding("settings", True, f"home {settings.home}, database: {kind}, web port {settings.web_port}")
    if not settings.public_url:
        yield Finding("public address", None, "CANDOUR_PUBLIC_URL is empty: right for development, not for patients")


def _secrets(settings: Settings) -> Iterator[Finding]:
    missing = [name for name in SECRETS if not getattr(settings, name).get_secret_value()]
    if missing:
        yield Finding("secrets", False, f"missing: {', '.join(missing)}; `./candour up` makes them")
        return
    yield Finding("secrets", True, "all set")
    loose = [path.name for path in _secret_files(settings.secrets_folder) if path.stat().st_mode & 0o077]
    if loose:
        yield Finding("secret files", False, f"others may read {', '.join(loose)}: chmod 600 them")


def _secret_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("candour_*")) if folder.is_dir() else []


def _files(settings: Settings) -> Iterator[Finding]:
    content = proposal.read(settings.data)
    yield Finding("files", True, f"{len(content['wordings'])} wordings, {len(content['facts'])} facts, no mistakes")
    for name, fact in content["facts"].items():
        if fact["value"] is None:
            asks = fact.get("asks")
            why = f"please give {asks}" if asks else "not known yet; answers say so"
            yield Finding(f"{FACT}{name}", None, f"empty: {why}")


def _database(settings: Settings) -> Iterator[Finding]:
    if not settings.database_url and not (settings.home / "candour.sqlite3").exists():
        yield Finding("database", False, "not there yet; `./candour up` makes it")
        return
    database = Database(settings.database)
    try:
        if not schema.at_head(database.engine):
            yield Finding("database", False, f"not at migration {schema.head()}; `./candour up` brings it there")
            return
        yield Finding("database", True, f"at migration {schema.head()}")
        yield _publication(database, settings)
        yield _audit(database, settings)
        with database.reading() as session:
            yield from (Finding(*said) for said in reach.waiting(session, system_clock()))
            if part := unfinished(session):
                words = f"import {part.id} has begun and not ended: a part of its file is on file; import the file again"
                yield Finding("roster", False, words)
            yield from (Finding(*said) for said in proven.authorities(session, system_clock()))
            yield from (Finding(*said) for said in proven.emptying(session, settings, system_clock()))
        yield from (Finding(*said) for said in look_at_desk(settings, database))
    finally:
        database.close()


def _publication(database: Database, settings: Settings) -> Finding:
    try:
        with database.reading() as session:
            current = Library().current(session, system_clock())
    except NotPublished as nothing:
        return Finding("publication", False, str(nothing))
    same = proposal.canonical(current.content) == proposal.canonical(proposal.read(settings.data))
    words = f"{current.id} is in force" + ("" if same else "; the files in the data folder differ (`./candour publish --diff`)")
    return Finding("publication", True if same else None, words)


def _audit(database: Database, settings: Settings) -> Finding:
    if not settings.audit_keys.get_secret_value():
        return Finding("sealed log", False, "cannot be checked without the secret audit_keys")
    evidence = settings.home / "evidence"
    verdict = verify(database, settings.secret("audit_keys"), evidence if evidence.is_dir() else None)
    if not verdict.ok:
        return Finding("sealed log", False, verdict.problem)
    return Finding("sealed log", True, f"{verdict.entries} entries sealed and unbroken, {verdict.unsealed} not sealed yet")


def _channels(settings: Settings) -> Iterator[Finding]:
    yield from (Finding(*said) for said in reach.configured(settings))


def _paper(settings: Settings) -> Iterator[Finding]:
    yield from (Finding(*said) for said in proven.paper(settings))


def _model(settings: Settings) -> Iterator[Finding]:
    if not services.ENGINE_PYTHON.exists():
        yield Finding("engine environment", False, "missing; `./candour install` makes it")
    wanted = training.material(settings.data)
    there = training.model_path(settings, wanted.digest).exists()
    yield Finding("model", there, "of the present data" if there else "none for the present data; `./candour train` makes it")


def _processes(settings: Settings) -> Iterator[Finding]:
    running = state.running(settings.home)
    if running is None:
        services.expect_ports(settings, patience=0)
        yield Finding("processes", None, "not running (`./candour up`)")
        return
    if not running.get("ready"):
        yield Finding("processes", None, "starting, or one of them is being started again")
        return
    web = services.answers(running["web"] + services.WEB_HEALTH)()
    engine = services.answers(running.get("engine", settings.engine) + services.ENGINE_HEALTH)()
    yield Finding("web", web, "answers" if web else "does not answer")
    yield Finding("engine", engine, "answers" if engine else "does not answer; patients get an apology and a case")


def _tests(_settings: Settings) -> Iterator[Finding]:
    for what, there in (("Chromium", shutil.which("chromium")), ("PostgreSQL server", postgres_binaries())):
        yield Finding(f"{what} (for tests)", True if there else None, str(there or "not installed; `./candour test` installs it"))
