"""Patients: persons, contact points, names to find them by, links, references, imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.base.database import Key, UtcDateTime

revision = "0008"
down_revision = "0007"

ONE_OF = {
    "language": "language IN ('en', 'zh-Hant', 'zh-Hans', 'tl', 'id')",
    "kind": "kind IN ('email', 'mobile', 'landline', 'phone', 'post')",
    "source": "source IN ('roster', 'desk')",
    "retired_because": "retired_because IN ('roster', 'replaced', 'wrong_person', 'deceased')",
    "link": "kind IN ('guardian', 'employer')",
}


def upgrade() -> None:
    """Make the tables."""
    _imports_and_persons()
    _contact_points()
    op.create_table(
        "name_tokens",
        sa.Column("entry", sa.String(80), nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.PrimaryKeyConstraint("entry", "person_id", name="pk_name_tokens"),
        _of_person("name_tokens"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_name_tokens_person_id", "name_tokens", ["person_id"])
    op.create_table(
        "person_links",
        sa.Column("person_id", Key, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("other_id", Key, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "kind", "other_id", name="pk_person_links"),
        _of_person("person_links"),
        _of_person("person_links", "other_id"),
        sa.CheckConstraint(ONE_OF["link"], name=op.f("ck_person_links_kind")),
        sa.CheckConstraint("person_id <> other_id", name=op.f("ck_person_links_another")),
    )
    op.create_index("ix_person_links_other_id", "person_links", ["other_id"])
    op.create_table(
        "person_references",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("entry", sa.String(80), nullable=False),
        sa.Column("issued_at", UtcDateTime, nullable=False),
        sa.Column("revoked_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_person_references"),
        _of_person("person_references"),
        sa.UniqueConstraint("entry", name="uq_person_references_entry"),
    )
    op.create_index("ix_person_references_person_id", "person_references", ["person_id"])


def _imports_and_persons() -> None:
    op.create_table(
        "roster_imports",
        sa.Column("id", Key, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("by", sa.String(60), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_roster_imports"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "persons",
        sa.Column("id", Key, nullable=False),
        sa.Column("key_entry", sa.String(80), nullable=False),
        sa.Column("sealed_record", sa.Text, nullable=False),
        sa.Column("household_entry", sa.String(80)),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("minor", sa.Boolean, nullable=False),
        sa.Column("deceased", sa.Boolean, nullable=False),
        sa.Column("staff", sa.Boolean, nullable=False),
        sa.Column("protected", sa.Boolean, nullable=False),
        sa.Column("not_by", sa.String(40), nullable=False),
        sa.Column("import_id", Key, nullable=False),
        sa.Column("missing_since", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
        sa.ForeignKeyConstraint(["import_id"], ["roster_imports.id"], name="fk_persons_import_id_roster_imports"),
        sa.UniqueConstraint("key_entry", name="uq_persons_key_entry"),
        sa.CheckConstraint(ONE_OF["language"], name=op.f("ck_persons_language")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_persons_household_entry", "persons", ["household_entry"])


def _contact_points() -> None:
    op.create_table(
        "contact_points",
        sa.Column("id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("entry", sa.String(80), nullable=False),
        sa.Column("sealed_value", sa.Text, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("safe", sa.Boolean, nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("added_at", UtcDateTime, nullable=False),
        sa.Column("retired_at", UtcDateTime),
        sa.Column("retired_because", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_contact_points"),
        _of_person("contact_points"),
        sa.CheckConstraint(ONE_OF["kind"], name=op.f("ck_contact_points_kind")),
        sa.CheckConstraint(ONE_OF["source"], name=op.f("ck_contact_points_source")),
        sa.CheckConstraint(ONE_OF["retired_because"], name=op.f("ck_contact_points_retired_because")),
        sa.CheckConstraint("(retired_at IS NULL) = (retired_because IS NULL)", name=op.f("ck_contact_points_retired")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_points_person_id", "contact_points", ["person_id"])
    op.create_index("ix_contact_points_entry", "contact_points", ["entry"])


def _of_person(table: str, column: str = "person_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["persons.id"], name=f"fk_{table}_{column}_persons", ondelete="CASCADE")


def downgrade() -> None:
    """Drop them."""
    for table in ("person_references", "person_links", "name_tokens", "contact_points", "persons", "roster_imports"):
        op.drop_table(table)
