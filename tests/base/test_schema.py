"""Migrations and models tell the same story, on both databases."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import bot.campaigns.models
import bot.campaigns.pace
import bot.campaigns.paper.models
import bot.campaigns.phones.models
import bot.campaigns.planning.errands
import bot.campaigns.sending.suppressed
import bot.conversations.post.models
import bot.conversations.speaking.publication
import bot.desk.integrations.models
import bot.desk.models
import bot.desk.persons.models
import bot.desk.records
import bot.desk.sight.days
import bot.desk.staff.models
import bot.identity.models
import bot.patients.disclosure
import bot.patients.models
import bot.patients.notices.models
import bot.regulators.models
from bot.base import audit, leases, schema
from bot.base.database import Base, Database
from bot.base.errors import Misconfigured
from bot.conversations.models import PatientSession, Thread

assert bot.campaigns.models
assert bot.campaigns.pace
assert bot.campaigns.paper.models
assert bot.campaigns.phones.models
assert bot.regulators.models
assert bot.campaigns.planning.errands
assert bot.campaigns.sending.suppressed
assert bot.desk.models  # imported so that all tables are known
assert bot.desk.integrations.models
assert bot.desk.persons.models
assert bot.desk.records
assert bot.desk.sight.days
assert bot.desk.staff.models
assert bot.patients.models
assert bot.patients.disclosure
assert bot.patients.notices.models
assert bot.identity.models
assert audit
assert leases

VERSIONS = schema.MIGRATIONS / "versions"


def modules_with_tables() -> set[str]:
    """Every module of `bot` that declares a table."""
    root = schema.REPOSITORY
    found = {path for path in (root / "bot").rglob("*.py") if "\n    __tablename__ = " in path.read_text(encoding="utf-8")}
    return {".".join(path.relative_to(root).with_suffix("").parts) for path in found}


def test_this_test_knows_every_module_with_tables() -> None:
    known = {table.__module__ for table in Base.__subclasses__()}
    assert modules_with_tables() <= known


def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_checks_in_the_database_equal_the_checks_of_the_models(database: Database) -> None:
    inspector = sa.inspect(database.engine)
    for table in Base.metadata.sorted_tables:
        wanted = {str(c.name): words(str(c.sqltext)) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        there = {str(c["name"]): words(c["sqltext"]) for c in inspector.get_check_constraints(table.name)}
        assert there == wanted


def words(condition: str) -> set[str]:
    """The quoted values of a CHECK; PostgreSQL writes IN as = ANY (ARRAY[…])."""
    return set(re.findall(r"'([^']+)'", condition))


def test_every_status_is_checked_by_the_database() -> None:
    for table in Base.metadata.sorted_tables:
        for column in {"status", "owner", "author"} & set(table.columns.keys()):
            checked = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            assert f"ck_{table.name}_{column}" in checked


def test_a_status_that_is_none_is_refused(database: Database) -> None:
    statement = sa.text(
        "INSERT INTO publications (digest, content, status, proposed_by, proposed_at) VALUES ('', '', 'x', '', :at)"
    )
    with pytest.raises(sa.exc.IntegrityError), database.writing() as session:
        session.execute(statement, {"at": "2023-05-09 01:00:00"})


def test_up_and_down_and_up_again_leaves_the_same_tables(empty_database_url: str) -> None:
    schema.migrate(empty_database_url)
    first = shape(empty_database_url)
    schema.migrate(empty_database_url, "base")
    assert set(shape(empty_database_url)) == {"alembic_version"}
    schema.migrate(empty_database_url)
    assert shape(empty_database_url) == first
    assert set(first) == {*Base.metadata.tables, "alembic_version"}


def test_each_step_can_be_taken_alone_and_taken_back(empty_database_url: str) -> None:
    for step in numbers():
        schema.migrate(empty_database_url, step)
        before = shape(empty_database_url)
        schema.migrate(empty_database_url, f"{int(step) - 1:04}" if step != "0001" else "base")
        schema.migrate(empty_database_url, step)
        assert shape(empty_database_url) == before


def shape(url: str) -> dict[str, list[str]]:
    """Tables with their columns."""
    database = Database(url)
    try:
        inspector = sa.inspect(database.engine)
        return {name: sorted(c["name"] for c in inspector.get_columns(name)) for name in inspector.get_table_names()}
    finally:
        database.close()


def numbers() -> list[str]:
    """The numbers of the migration files, in order."""
    return sorted(path.name[:4] for path in VERSIONS.glob("*.py"))


def test_files_are_numbered_without_gaps_and_the_head_file_names_the_last() -> None:
    assert numbers() == [f"{n:04}" for n in range(1, len(numbers()) + 1)]
    assert schema.head() == numbers()[-1]


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("*.py")), ids=lambda path: path.stem)
def test_a_migration_says_its_own_number_and_the_one_before(path: Path) -> None:
    number = int(path.name[:4])
    text = path.read_text(encoding="utf-8")
    assert f'revision = "{number:04}"' in text
    assert (f'down_revision = "{number - 1:04}"' if number > 1 else "down_revision = None") in text


def test_a_database_knows_whether_it_is_at_the_head(empty_database_url: str) -> None:
    for to, expected in (("0001", False), ("head", True)):
        schema.migrate(empty_database_url, to)
        database = Database(empty_database_url)
        assert schema.at_head(database.engine) is expected
        database.close()


def test_a_database_from_the_future_is_refused_in_words(database: Database, database_url: str) -> None:
    with database.writing() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="9999"):
        schema.migrate(database_url)


def test_a_migration_that_fails_half_way_changes_nothing(empty_database_url: str) -> None:
    # A table in the way of the second migration.
    database = Database(empty_database_url)
    with database.writing() as session:
        session.execute(sa.text("CREATE TABLE turns (id INTEGER)"))
    database.close()
    with pytest.raises(sa.exc.DBAPIError):
        schema.migrate(empty_database_url)
    assert set(shape(empty_database_url)) == {"turns"}


def test_two_hosts_may_migrate_at_the_same_time(empty_database_url: str) -> None:
    program = f"from bot.base.schema import migrate; migrate({empty_database_url!r})"
    hosts = [subprocess.Popen([sys.executable, "-c", program], cwd=schema.REPOSITORY, stderr=subprocess.PIPE) for _ in range(3)]
    problems = [host.communicate()[1].decode() for host in hosts]
    assert [host.returncode for host in hosts] == [0, 0, 0], problems
    assert set(shape(empty_database_url)) == {*Base.metadata.tables, "alembic_version"}


def test_a_migration_gives_up_on_a_table_that_somebody_holds(postgres_url: str) -> None:
    # Waiting longer would make every patient wait behind the migration.
    database = Database(postgres_url)
    began = time.monotonic()
    with database.writing() as session:
        session.execute(sa.text("LOCK TABLE leases IN ACCESS SHARE MODE"))
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            schema.migrate(postgres_url, "0004")
    assert 4 < time.monotonic() - began < 15
    assert schema.at_head(database.engine)
    database.close()


def test_the_application_has_limits_on_postgresql(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.reading() as session:
        assert session.scalar(sa.text("SHOW lock_timeout")) == "5s"
        assert session.scalar(sa.text("SHOW statement_timeout")) == "30s"
        assert session.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "30s"
    database.close()


REBUILD = """
from alembic import op
import sqlalchemy as sa
revision = "9999"
down_revision = "{head}"

def upgrade():
    with op.batch_alter_table("threads", recreate="always") as batch:
        batch.add_column(sa.Column("extra", sa.Integer))
    op.execute("{afterwards}")
"""


@pytest.fixture
def with_a_session(sqlite_url: str) -> Iterator[Database]:
    """A database with one thread and a session in it."""
    database = Database(sqlite_url)
    now = datetime(2023, 5, 9, tzinfo=UTC)
    with database.writing() as session:
        session.add(Thread(id=1, channel="web", address_index="x", language="en", created_at=now))
        session.flush()
        session.add(PatientSession(thread_id=1, engine_key="k", started_at=now, active_at=now))
    yield database
    database.close()


def rebuild(database: Database, folder: Path, afterwards: str) -> None:
    """Run one more migration that replaces the table of threads."""
    scripts = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "9999_rebuild.py").write_text(REBUILD.format(head=schema.head(), afterwards=afterwards))
    schema.run(database, "head", scripts)


def test_rebuilding_a_table_in_sqlite_keeps_the_rows_that_point_at_it(with_a_session: Database, tmp_path: Path) -> None:
    # With foreign keys on, dropping the old table would delete the sessions by cascade.
    rebuild(with_a_session, tmp_path, "SELECT 1")
    with with_a_session.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM sessions")) == 1
        assert session.scalar(sa.text("PRAGMA foreign_keys")) == 1


def test_a_migration_that_leaves_dangling_rows_is_undone(with_a_session: Database, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="nothing was changed"):
        rebuild(with_a_session, tmp_path, "DELETE FROM threads")
    with with_a_session.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM threads")) == 1
        assert session.scalar(sa.text("SELECT version_num FROM alembic_version")) == schema.head()
