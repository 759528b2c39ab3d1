"""The database's shape: brought to the newest numbered migration, or told that it is not there yet.

The migrations lie in `migrations/versions`, numbered without gaps; `migrations/head` names the
newest, so that two branches that both add one conflict where everybody sees it.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Engine

from bot.base.database import Database
from bot.base.errors import Misconfigured
from bot.base.settings import REPOSITORY

MIGRATIONS = REPOSITORY / "migrations"


def head() -> str:
    """The number of the newest migration, such as `0005`."""
    return (MIGRATIONS / "head").read_text(encoding="ascii").strip()


def at_head(engine: Engine) -> bool:
    """Whether the database is at the newest migration; raises what the engine raises when nobody answers."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head()


def migrate(url: str, to: str = "head") -> None:
    """Bring the database to a migration, all or nothing; a second one at the same time waits for the first.

    Raises Misconfigured when the database is newer than this program.
    """
    database = Database(url)
    try:
        run(database, to)
    except CommandError as wrong:
        raise Misconfigured(f"The database and the migrations of this program do not fit together: {wrong}") from None
    finally:
        database.close()


def run(database: Database, to: str, scripts: Path = MIGRATIONS) -> None:
    """The same on an open database; `to` is a number, `head` or `base`. Not for two threads of one process: Alembic is global."""
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["database"] = database
    with database.engine.connect() as connection:
        now = MigrationContext.configure(connection).get_current_revision() or ""
    back = to == "base" or (to != "head" and to < now)
    (command.downgrade if back else command.upgrade)(config, to)
