"""`patients references issue` and `revoke`: given out once, into a file for the mailing tool that only its owner can read."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.vault import BlindIndex, Vault
from bot.cli import state
from bot.cli.commands.patients import ready
from bot.cli.terminal import out, say, settings_now
from bot.patients import references
from bot.patients.finding import particulars, person_with_key

given = typer.Typer(no_args_is_help=True, help="The references on notices: they find a person's file and prove nothing.")

Key = Annotated[str, typer.Option("--person", metavar="KEY", help="Only this person: a new one, the old revoked.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept in the sealed log.")]
Json = Annotated[bool, typer.Option("--json", help="Print an object for programs.")]
COLUMNS = ("person key", "language", "reference")
BATCH = 2000


@given.command("issue")
def issue(person: Key = "", by: By = "operator", as_json: Json = False) -> None:
    """Give everybody without a good reference one, and write them into a file for the mailing tool.

    Only keyed hashes are stored: what is in the file cannot be shown again. Whoever has died or is protected is left out.
    """
    settings, now = ready(settings_now()), system_clock()
    vault, index = Vault(settings.secret("vault_keys")), BlindIndex(settings.secret("index_keys"))
    folder = settings.home / "references"
    state.private_folder(folder)
    path = folder / f"references-{in_hong_kong(now):%Y%m%d-%H%M%S}.csv"
    database, number = Database(settings.database), 0
    try:
        with _private(path) as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            with database.writing() as session:
                for row in _rows(session, vault, index, person.strip(), now):
                    table.writerow(row)
                    number += 1
                content = {"number": number, "by": by.strip() or "operator", "anew": bool(person)}
                audit.record(
                    session, at=now, actor="operator", kind="references.issued", subject="roster", content=content, vault=vault
                )
                file.flush()
                os.fsync(file.fileno())  # a reference that is stored and in no file would be lost
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        database.close()
    if as_json:
        out.out(json.dumps({"issued": number, "file": str(path)}))
    else:
        say(f"Issued {number} references into {path}: give the file to the mailing tool, then delete it.")


@given.command("revoke")
def revoke(person: Annotated[str, typer.Argument(metavar="KEY", help="The clinic's key.")], by: By = "operator") -> None:
    """Let no reference of a person find the file any more, because a notice fell into other hands."""
    settings, now = ready(settings_now()), system_clock()
    vault, index = Vault(settings.secret("vault_keys")), BlindIndex(settings.secret("index_keys"))
    database = Database(settings.database)
    try:
        with database.writing() as session:
            found = person_with_key(session, index, person)
            if found is None:
                raise BadInput("Nobody is on file with this key.")
            number = references.revoke(session, [found.id], at=now)
            subject, content = f"person:{found.id}", {"number": number, "by": by.strip() or "operator"}
            audit.record(
                session, at=now, actor="operator", kind="references.revoked", subject=subject, content=content, vault=vault
            )
    finally:
        database.close()
    say(f"Revoked {number}.")


def _rows(session: Session, vault: Vault, index: BlindIndex, key: str, now: datetime) -> Iterator[Sequence[str]]:
    if key:
        found = person_with_key(session, index, key)
        if found is None:
            raise BadInput("Nobody is on file with this key.")
        yield key, found.language, references.reissue(session, index, found.id, at=now)
        return
    after = 0
    while persons := references.without_one(session, after=after, limit=BATCH):
        for (_, reference), each in zip(
            references.issue(session, index, [one.id for one in persons], at=now), persons, strict=True
        ):
            yield particulars(each, vault).key, each.language, reference
        after = persons[-1].id
        session.flush()
        session.expunge_all()


def _private(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return open(descriptor, "w", encoding="utf-8", newline="")
