"""What was counted of a day that is over, kept for the wallboard; whatever changes a row of that day afterwards marks it.

Triggers and not the application, because rows of a day that is over also change in bulk: they are purged, erased, corrected.
SQLite drops a table's triggers with the table: a later migration that copies one of these has to make them again.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key

revision = "0025"
down_revision = "0024"

LOCK = 7203
"""The class of the advisory locks, one for a day: shared by who changes rows of it, alone for who counts it."""
COUNTED = {
    "turns": ("received_at", ("received_at", "thread_id", "topic", "language", "status")),
    "replies": ("created_at", ("created_at", "author", "turn_id", "say")),
    "outbox": ("created_at", ("created_at", "channel", "status")),
    "case_reasons": ("at", ("at", "case_id", "reason")),
    "cases": ("resolved_at", ("resolved_at", "outcome")),
}
"""By table what tells the day of a row, and what else is counted of it."""
INDEXES = {
    "ix_outbox_created_at": ("outbox", ("created_at", "channel", "status")),
    "ix_case_reasons_at": ("case_reasons", ("at", "reason", "case_id")),
}


def upgrade() -> None:
    """Make the tables, what marks them, and the indexes from which a day is counted."""
    op.create_table(
        "figure_days",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_figure_days")),
    )
    op.create_table(
        "figure_marks",
        sa.Column("id", Key, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_marks")),
    )
    op.create_index(op.f("ix_figure_marks_day"), "figure_marks", ["day"])
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, list(columns))
    for statement in _in_sqlite() if _is_sqlite() else _in_postgres():
        op.execute(statement)


def downgrade() -> None:
    """Count everything anew each time."""
    for table in COUNTED:
        for event in ("insert", "update", "delete"):
            on = "" if _is_sqlite() else f" ON {table}"
            op.execute(f"DROP TRIGGER mark_figures_{table}_{event}{on}")
    if not _is_sqlite():
        for table in COUNTED:
            op.execute(f"DROP FUNCTION mark_figures_{table}()")
        op.execute("DROP FUNCTION mark_figures(timestamptz)")
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
    op.drop_table("figure_marks")
    op.drop_table("figure_days")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _changed(columns: tuple[str, ...]) -> str:
    cast = "" if _is_sqlite() else "::text"
    different = "IS NOT" if _is_sqlite() else "IS DISTINCT FROM"
    plain = [column for column in columns if column != "status"]
    found = [f"OLD.{column}{cast} {different} NEW.{column}{cast}" for column in plain]
    # Of all that a status says, only these are counted: a part that arrives a day later marks nothing.
    asked = ("queued", "failed") if "status" in columns else ()
    return " OR ".join([*found, *(f"(OLD.status = '{one}') <> (NEW.status = '{one}')" for one in asked)])


def _in_sqlite() -> Iterator[str]:
    for table, (moment, columns) in COUNTED.items():
        for event in ("insert", "update", "delete"):
            rows = {"insert": ("NEW",), "delete": ("OLD",), "update": ("OLD", "NEW")}[event]
            when = f" WHEN {_changed(columns)}" if event == "update" else ""
            marks = "".join(
                f" INSERT INTO figure_marks (day) SELECT day FROM figure_days WHERE day = date({row}.{moment}, '+8 hours')"  # noqa: S608
                " AND NOT EXISTS (SELECT 1 FROM figure_marks AS held WHERE held.day = figure_days.day);"
                for row in rows
            )
            yield f"CREATE TRIGGER mark_figures_{table}_{event} AFTER {event.upper()} ON {table}{when} BEGIN{marks} END"


def _in_postgres() -> Iterator[str]:
    yield f"""
        CREATE FUNCTION mark_figures(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE changed date := (moment AT TIME ZONE 'Asia/Hong_Kong')::date;
        BEGIN
            IF changed IS NULL THEN RETURN; END IF;
            PERFORM pg_advisory_xact_lock_shared({LOCK}, changed - DATE '2000-01-01');
            INSERT INTO figure_marks (day) SELECT day FROM figure_days WHERE day = changed
                AND NOT EXISTS (SELECT 1 FROM figure_marks AS held WHERE held.day = changed);
        END $$"""  # noqa: S608 - our own words
    for table, (moment, columns) in COUNTED.items():
        yield f"""
            CREATE FUNCTION mark_figures_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP <> 'INSERT' THEN PERFORM mark_figures(OLD.{moment}); END IF;
                IF TG_OP <> 'DELETE' THEN PERFORM mark_figures(NEW.{moment}); END IF;
                RETURN NULL;
            END $$"""
        for event in ("insert", "update", "delete"):
            when = f" WHEN ({_changed(columns)})" if event == "update" else ""
            yield (
                f"CREATE TRIGGER mark_figures_{table}_{event} AFTER {event.upper()} ON {table}"
                f" FOR EACH ROW{when} EXECUTE FUNCTION mark_figures_{table}()"
            )
