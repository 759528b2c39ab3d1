"""How Alembic reaches the database: through the one `Database`, in one transaction, with limits.

Called by `bot.base.schema`; there is no alembic.ini, because the address is a setting.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from bot.base.database import Database

LOCK_TIMEOUT = "5s"  # a migration that waits for a table must not make every patient wait behind it
STATEMENT_TIMEOUT = "10min"
ONE_AT_A_TIME = 0x0CA4D0  # advisory lock: any number of hosts may start at once


def prepare(connection: Connection) -> None:
    """Set the limits of this transaction, and wait for another migration that is running."""
    if connection.dialect.name == "sqlite":
        return  # BEGIN IMMEDIATE has already waited
    connection.execute(text("SELECT set_config('statement_timeout', :limit, true)"), {"limit": STATEMENT_TIMEOUT})
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
    connection.execute(text("SELECT set_config('lock_timeout', :limit, true)"), {"limit": LOCK_TIMEOUT})


def check(connection: Connection) -> None:
    """Refuse to commit rows that point at nothing: SQLite's keys are off while tables are rebuilt."""
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("a migration left rows whose foreign keys point at nothing; nothing was changed")


def run(database: Database) -> None:
    """Run the chosen migrations, all or nothing."""
    with database.engine.connect() as plain:
        connection = plain.execution_options(candour_immediate=True)
        driver = connection.connection.dbapi_connection
        if database.is_sqlite and driver is not None:
            # Rebuilding a table drops the old one, and a drop with keys on deletes the rows that point at it.
            # The setting cannot change within a transaction.
            driver.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                prepare(connection)
                context.configure(connection=connection, render_as_batch=database.is_sqlite, transactional_ddl=True)
                with context.begin_transaction():
                    context.run_migrations()
                check(connection)
        finally:
            connection.invalidate()  # so that no later user of the pool gets a connection with keys off


run(context.config.attributes["database"])
