"""What has to be there before anything starts: secrets, tables, a publication, a model.

Each step does nothing when its result is there already, so every start may run all of them; a lock
keeps two starts from doing it at the same time.
"""

from __future__ import annotations

import os
import secrets as randomness
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import func, inspect, select

from bot.base import audit, schema
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.errors import Misconfigured, NotPublished
from bot.base.settings import SECRETS, Settings
from bot.base.vault import KeyRing, Vault, new_key
from bot.cli import state, training
from bot.conversations.models import Thread
from bot.conversations.speaking import proposal
from bot.conversations.speaking.publication import Library, approve, propose

Say = Callable[[str], None]
Show = Callable[[str], AbstractContextManager[Callable[[int, int, str], None]]]
"""Shows progress: called with a title, it gives a context manager of a function (step, of, words)."""

KEYS = tuple(name for name in SECRETS if name != "engine_token")
"""The secrets that are rings of keys."""

DEMO_AUTHOR, DEMO_APPROVER = "demo author", "demo approver"


@dataclass(frozen=True)
class Prepared:
    """An installation that can start: its settings with all secrets, and the model to serve if the engine is here."""

    settings: Settings
    model: Path | None


def prepare(settings: Settings, say: Say, show: Show, *, demo: bool | None = None) -> Prepared:
    """See that everything is in place; says what it did. Raises Misconfigured for keys that cannot be read."""
    state.private_folder(settings.home)
    lock = settings.home / "run" / "prepare.lock"
    with state.held(lock, wait=True, waiting=lambda: say("Another start is preparing this installation: waiting for it.")):
        make_secrets(settings, say)
        settings = with_secrets(settings)
        for name in KEYS:
            KeyRing(name, settings.secret(name))
        schema.migrate(settings.database)
        if settings.demo if demo is None else demo:
            publish_demo(settings, say)
    # An engine elsewhere is served and trained elsewhere.
    model = None if settings.engine_url else training.ensure_model(settings, say, show)
    return Prepared(settings, model)


def with_secrets(settings: Settings) -> Settings:
    """The same settings with the secrets that lie in their files now."""
    folder = settings.secrets_folder
    files = {name: folder / f"candour_{name}" for name in SECRETS if not _value(settings, name)}
    read = {name: SecretStr(path.read_text(encoding="ascii").strip()) for name, path in files.items() if path.exists()}
    return settings.model_copy(update=read)


def make_secrets(settings: Settings, say: Say) -> None:
    """Make the secrets that are missing, readable by their owner alone.

    Raises Misconfigured when a key is missing that existing data was sealed with: a new one would
    not open it.
    """
    missing = [name for name in SECRETS if not _value(settings, name)]
    keys = [name for name in missing if name in KEYS]
    if keys and _has_sealed_data(settings):
        raise Misconfigured(
            f"The database holds sealed data, but {', '.join(keys)} is missing: bring the key files back "
            f"to {settings.secrets_folder}. New keys could not open what is there."
        )
    folder = settings.secrets_folder
    for name in missing:
        state.private_folder(folder)
        value = randomness.token_urlsafe(32) if name == "engine_token" else new_key("k1")
        _write_private(folder / f"candour_{name}", value)
    if missing:
        say(f"Made the secrets {', '.join(missing)} in {folder}. Keep a copy elsewhere: without them the data cannot be read.")


def publish_demo(settings: Settings, say: Say) -> None:
    """Publish the files in `data/` with a demo approver when nothing is published; never replaces anything."""
    database, now = Database(settings.database), system_clock()
    try:
        with database.writing() as session:
            try:
                Library().current(session, now)
                return
            except NotPublished:
                pass
            publication = propose(session, proposal.read(settings.data), by=DEMO_AUTHOR, at=now)
            approve(session, publication.id, by=DEMO_APPROVER, at=now)
            record_publication(session, settings, "publication.approved", publication.id, DEMO_APPROVER)
            say(f"Published the shipped incident with a demo approver (publication {publication.id}).")
    finally:
        database.close()


def record_publication(session: Any, settings: Settings, kind: str, publication_id: int, by: str) -> None:
    """Put a step of a publication into the sealed log, in the caller's transaction."""
    audit.record(
        session,
        at=system_clock(),
        actor="operator",
        kind=kind,
        subject=f"publication:{publication_id}",
        content={"by": by},
        vault=Vault(settings.secret("vault_keys")),
    )


def _value(settings: Settings, name: str) -> str:
    value: str = getattr(settings, name).get_secret_value()
    return value


def _has_sealed_data(settings: Settings) -> bool:
    if not settings.database_url and not (settings.home / "candour.sqlite3").exists():
        return False
    database = Database(settings.database)
    try:
        there = set(inspect(database.engine).get_table_names())
        with database.reading() as session:
            tables = (table.__table__ for table in (Thread, audit.AuditEntry) if table.__tablename__ in there)
            return any(session.scalar(select(func.count()).select_from(table)) for table in tables)
    finally:
        database.close()


def _write_private(path: Path, value: str) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as out:
        out.write(value + "\n")
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
