"""A roster in the database: judged whole, applied piece by piece, sealed, compared before it is changed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.base import audit, leases, schema
from bot.base.database import Base, Database
from bot.base.errors import BadInput
from bot.base.leases import Lease
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault, new_key
from bot.patients.models import (
    CONTACT,
    RECORD,
    ContactPoint,
    ContactSource,
    LinkKind,
    NameToken,
    Person,
    PersonLink,
    Retirement,
    RosterImport,
)
from bot.patients.roster import applying
from bot.patients.roster.applying import Applying, Order
from bot.patients.roster.imports import unfinished
from bot.patients.roster.judging import Judging
from bot.patients.roster.problems import Grade
from bot.patients.sample import writing
from tests.conftest import Keys
from tests.make import START
from tests.patients.conftest import CHAN, HEADINGS, LEE, Clinic

ALL = [*HEADINGS, "Minor", "Guardian Key", "Employer Key", "Household", "Protected Person"]
CHILD = ["P003", "CHAN Siu Bo", "陳小寶", "chan@example.com", "9123 4567", CHAN[5], "identity", "yes", "P001", "", "", ""]
HELPER = ["P004", "Maria Santos", "", "", "6123 4567", CHAN[5], "identity", "", "", "P001", "", ""]


def wide(row: Sequence[str]) -> list[str]:
    return [*row, *[""] * (len(ALL) - len(row))]


FAMILY = [ALL, wide(CHAN), wide(LEE), CHILD, HELPER]


def persons(clinic: Clinic) -> dict[str, Person]:
    with clinic.database.reading() as session:
        return {json.loads(clinic.vault.open(p.sealed_record, RECORD))["key"]: p for p in session.scalars(sa.select(Person))}


def points(clinic: Clinic, key: str) -> list[tuple[str, str, Retirement | None]]:
    person = persons(clinic)[key]
    with clinic.database.reading() as session:
        found = session.scalars(sa.select(ContactPoint).where(ContactPoint.person_id == person.id).order_by(ContactPoint.id))
        return [(p.kind, clinic.vault.open(p.sealed_value, CONTACT), p.retired_because) for p in found]


def test_a_family_is_stored_with_its_links_and_can_be_found(clinic: Clinic, index: BlindIndex) -> None:
    clinic.apply(FAMILY)
    stored = persons(clinic)
    assert set(stored) == {"P001", "P002", "P003", "P004"}
    assert stored["P003"].minor
    assert stored["P001"].household_entry == stored["P003"].household_entry == stored["P004"].household_entry
    with clinic.database.reading() as session:
        links = {(link.person_id, link.kind, link.other_id) for link in session.scalars(sa.select(PersonLink))}
        shared = session.scalars(sa.select(ContactPoint).where(ContactPoint.entry.in_(index.every("phone", "91234567")))).all()
        named = sa.select(NameToken.person_id).where(NameToken.entry.in_(index.every("name", "CHAN")))
        assert set(session.scalars(named)) == {stored["P001"].id, stored["P003"].id}
        assert session.scalar(sa.select(Person.id).where(Person.key_entry.in_(index.every("key", "p004")))) == stored["P004"].id
    assert links == {
        (stored["P003"].id, LinkKind.GUARDIAN, stored["P001"].id),
        (stored["P004"].id, LinkKind.EMPLOYER, stored["P001"].id),
    }
    assert {point.person_id for point in shared} == {stored["P001"].id, stored["P003"].id}


def test_nothing_personal_stands_readable_in_the_database_or_the_log(clinic: Clinic, logged: Callable[[], str]) -> None:
    clinic.apply(FAMILY)
    with clinic.database.reading() as session:
        everything = "\n".join(
            repr(tuple(row)) for table in Base.metadata.sorted_tables for row in session.execute(sa.select(table))
        )
        entry = session.scalars(sa.select(audit.AuditEntry).where(audit.AuditEntry.kind == applying.IMPORTED)).one()
        content = audit.content_of(entry, clinic.vault)
    for personal in ("CHAN", "Chan", "陳", "chan@", "91234567", "9123 4567", "P001", "Sample Street", "medical"):
        assert personal not in everything
        assert personal not in logged()
        assert personal not in json.dumps(content, ensure_ascii=False)
    assert content is not None
    assert (content["added"], content["rows"]) == (4, 4)
    assert len(str(content["digest"])) == 64


def test_one_refused_cell_keeps_the_whole_file_out(clinic: Clinic) -> None:
    bad = [*LEE[:1], "=1+1", *LEE[2:]]
    with clinic.judging([HEADINGS, CHAN, bad]) as judging:
        assert not judging.judgement.well
        with pytest.raises(BadInput, match="mended"):
            judging.apply(by="test", at=START)
    assert persons(clinic) == {}


def test_judging_alone_stores_nothing(clinic: Clinic) -> None:
    assert clinic.judge(FAMILY).added == 4
    assert persons(clinic) == {}


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([CHAN, [CHAN[0].lower(), *LEE[1:]]], "same patient key as in row 2"),
        ([CHAN, [*CHILD[:8], "P999", *CHILD[9:]]], "nobody with this key"),
        ([CHAN, CHILD, ["P005", *CHILD[1:8], "P003", "", "", ""]], "the guardian is a minor"),
        ([CHAN, [*CHILD[:8], "P003", *CHILD[9:]]], "themselves"),
        ([["00123", *CHAN[1:]], ["456", *LEE[1:]]], "taken their zeros away"),
        ([["A1234563", *CHAN[1:]], ["100", *LEE[1:]]], "identity card numbers"),
    ],
)
def test_what_is_wrong_between_rows_is_found(clinic: Clinic, rows: list[list[str]], word: str) -> None:
    seen = clinic.judge([ALL, *map(wide, rows)])
    assert not seen.well
    assert any(word in problem.reason for problem in seen.problems.first if problem.grade is Grade.REFUSED)


def test_a_guardian_may_be_on_file_already(clinic: Clinic) -> None:
    clinic.apply(FAMILY)
    assert clinic.judge([ALL, CHILD]).well


def test_one_person_under_two_keys_is_noticed(clinic: Clinic) -> None:
    seen = clinic.judge([HEADINGS, CHAN, ["P009", *CHAN[1:]]])
    assert seen.well
    assert any("perhaps one person" in problem.reason for problem in seen.problems.first)


def test_the_same_file_again_changes_nothing(clinic: Clinic) -> None:
    clinic.apply(FAMILY)
    seen = clinic.apply(FAMILY)
    assert (seen.added, seen.changed, seen.same, seen.missing) == (0, 0, 4, 0)
    with clinic.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(PersonLink.person_id))) == 2
        assert session.scalar(sa.select(sa.func.count(RosterImport.id))) == 2


def test_a_later_file_is_a_diff_by_kind(clinic: Clinic) -> None:
    clinic.apply(FAMILY)
    before = persons(clinic)
    moved = wide([*CHAN[:3], "new@example.com", CHAN[4], "Flat B, 9 Other Road", CHAN[6]])
    new = wide(["P007", "WONG Ka", "黃嘉", "wong@example.com", "", "", "identity"])
    seen = clinic.judge([ALL, moved, CHILD, HELPER, new])
    assert (seen.added, seen.changed, seen.same, seen.missing) == (1, 1, 2, 1)
    assert seen.kinds == {"e-mail": 1, "address": 1}
    clinic.apply([ALL, moved, CHILD, HELPER, new])
    after = persons(clinic)
    assert {key: person.id for key, person in after.items() if key != "P007"} == {
        key: person.id for key, person in before.items()
    }
    assert after["P002"].missing_since == START
    assert ("email", "chan@example.com", "roster") in points(clinic, "P001")
    assert ("email", "new@example.com", None) in points(clinic, "P001")
    assert ("mobile", "+85291234567", None) in points(clinic, "P001")
    back = clinic.apply([ALL, moved, CHILD, HELPER, new, wide(LEE)])
    assert back.kinds == {"back again": 1}
    assert persons(clinic)["P002"].missing_since is None


def test_a_number_that_was_somebody_elses_does_not_come_back_with_a_file(clinic: Clinic) -> None:
    clinic.apply(FAMILY)
    wrong = sa.update(ContactPoint).where(ContactPoint.kind == "mobile")
    with clinic.database.writing() as session:
        session.execute(wrong.values(retired_at=START, retired_because=Retirement.WRONG_PERSON))
    seen = clinic.apply(FAMILY)
    assert (seen.changed, seen.same) == (0, 4)
    assert [because for kind, _, because in points(clinic, "P001") if kind == "mobile"] == ["wrong_person"]


def test_what_the_team_has_added_is_left_alone(clinic: Clinic) -> None:
    clinic.apply(FAMILY)
    with clinic.database.writing() as session:
        session.execute(sa.update(ContactPoint).where(ContactPoint.kind == "email").values(source=ContactSource.DESK))
    seen = clinic.apply([ALL, wide([*CHAN[:3], "", *CHAN[4:]]), wide(LEE), CHILD, HELPER])
    assert seen.changed == 0
    assert ("email", "chan@example.com", None) in points(clinic, "P001")


def test_two_files_judged_at_the_same_time_are_not_both_applied(clinic: Clinic, tmp_path: Path) -> None:
    with clinic.judging(FAMILY) as first:
        clinic.apply([HEADINGS, CHAN])
        with pytest.raises(BadInput, match="check it again"):
            first.apply(by="test", at=START)
    assert set(persons(clinic)) == {"P001"}


def test_after_a_new_index_key_the_same_persons_are_found(clinic: Clinic, keys: Keys, database: Database, tmp_path: Path) -> None:
    clinic.apply(FAMILY)
    turned = BlindIndex(f"{new_key('i2')},{keys.index}")
    seen = Clinic(database, clinic.vault, turned, tmp_path / "roster.csv").apply(FAMILY)
    assert (seen.added, seen.changed, seen.missing) == (0, 4, 0)
    assert seen.kinds == {"index key": 4}
    assert all(person.key_entry.startswith("i2.") for person in persons(clinic).values())


def test_the_temporary_tables_are_gone_afterwards(clinic: Clinic) -> None:
    clinic.judge(FAMILY)
    assert clinic.judge(FAMILY).well
    with clinic.database.reading() as session:
        assert "staged_rows" not in sa.inspect(session.connection()).get_table_names()


# ---------------------------------------------------------------- the pairing


def sampled(count: int, seed: int = 6, *, digest: bool = True) -> list[list[str]]:
    rows = list(writing.rows(count, seed))
    return [
        [*writing.COLUMNS, *(["row digest"] if digest else [])],
        *[[*row, *([writing.row_digest(row)] if digest else [])] for row in rows],
    ]


def test_a_column_that_was_shifted_against_the_others_does_not_fit_its_digests(clinic: Clinic) -> None:
    table = sampled(30)
    assert clinic.judge(table).paired_by_digest
    phones = [row[5] for row in table[1:]]
    for row, phone in zip(table[1:], [*phones[1:], phones[0]], strict=True):
        row[5] = phone
    seen = clinic.judge(table)
    assert not seen.well
    assert any("a column is shifted" in problem.reason for problem in seen.problems.first)


def test_without_digests_a_sample_is_chosen_that_stays_the_same_for_the_file(clinic: Clinic) -> None:
    table = sampled(60, digest=False)
    first, again = clinic.judge(table), clinic.judge(table)
    assert not first.paired_by_digest
    assert [row.number for row in first.sample] == [row.number for row in again.sample]
    assert len(first.sample) == 8
    assert first.code == again.code
    table[5][1] = "CHAN Another"
    assert clinic.judge(table).code != first.code


# ---------------------------------------------------------------- the report


def test_the_report_names_rows_and_columns_and_shows_no_value(clinic: Clinic, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    hostile = ["P008", "=cmd|' /C calc'!A0", "", "secret at example.com", "A123456(3)", "Flat (diabetes)", "identity"]
    seen = clinic.judge([HEADINGS, CHAN, hostile], report)
    with report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["row"] for row in rows] == ["3"] * len(rows)
    assert {row["column"] for row in rows} == {"Name", "Phone", "Address"}
    assert len(rows) == seen.problems.counts.total()
    text = report.read_text(encoding="utf-8")
    for value in ("calc", "123456", "diabetes", "secret"):
        assert value not in text
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_a_report_of_many_problems_has_all_of_them(clinic: Clinic, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    bad = [[f"P{n:04}", "A B", "", "no email", "", "1 Some Street", "identity"] for n in range(700)]
    seen = clinic.judge([HEADINGS, *bad], report)
    with report.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == seen.problems.counts.total() >= 700
    assert len(seen.problems.first) == 200


# ---------------------------------------------------------------- a process that dies

DYING = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.patients.roster import applying
from bot.patients.roster.judging import judged
from tests.make import START
url, path, vault, index, when = sys.argv[1:]
applying.PIECE, applying.PIECE_OF_LINKS = 200, 300
number, _, when = when.partition(" ")
seen = 0
database = Database(url)
@sa.event.listens_for(database.engine, "after_cursor_execute")
def die(connection, cursor, statement, *rest):
    global seen
    seen += statement.startswith(when)
    if seen == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
with judged(Path(path), database, Vault(vault), BlindIndex(index)) as judging:
    judging.apply(by="test", at=START)
"""


def dies(database_url: str, keys: Keys, path: Path, when: str) -> None:
    """A process that applies the file and is killed at the last statement that begins so."""
    arguments = [sys.executable, "-c", DYING, database_url, str(path), keys.vault, keys.index, when]
    done = subprocess.run(arguments, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False)
    assert done.returncode == -signal.SIGKILL


def left(database: Database) -> dict[str, int]:
    with database.reading() as session:
        models = (Person, ContactPoint, NameToken, PersonLink)
        return {model.__tablename__: session.scalar(sa.select(sa.func.count()).select_from(model)) or 0 for model in models}


@pytest.mark.parametrize(
    ("when", "persons_left"),
    [
        ("1 INSERT INTO roster_imports", 0),  # before anything is on file
        ("1 INSERT INTO persons", 0),  # a piece goes in as a whole or not at all
        ("2 INSERT INTO persons", 200),
        ("3 INSERT INTO name_tokens", 400),
        ("2 INSERT INTO person_links", 600),
        ("1 UPDATE roster_imports", 600),
    ],
)
def test_a_process_killed_while_applying_leaves_whole_persons_and_an_import_that_everybody_sees_is_unfinished(
    clinic: Clinic, database_url: str, keys: Keys, tmp_path: Path, when: str, persons_left: int
) -> None:
    path = tmp_path / "sample.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writing.write(file, 600, 6)
    dies(database_url, keys, path, when)
    after = left(clinic.database)
    assert after["persons"] == persons_left
    assert bool(after["contact_points"]) == bool(after["name_tokens"]) == bool(persons_left)
    with clinic.database.reading() as session:
        assert (unfinished(session) is not None) == (when != "1 INSERT INTO roster_imports")
    with clinic.database.writing() as session:  # as long as its lease lasts it may only be slow
        session.execute(sa.delete(Lease))
    seen = clinic.apply(path)
    assert (seen.added, seen.same, seen.changed) == (600 - persons_left, persons_left, 0)
    whole = left(clinic.database)
    with clinic.database.reading() as session:
        assert unfinished(session) is None
        for table in (ContactPoint, NameToken, PersonLink):  # nobody has anything twice, everybody has all
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == whole[table.__tablename__]
        kinds = [entry.kind for entry in session.scalars(sa.select(audit.AuditEntry).order_by(audit.AuditEntry.id))]
    assert kinds[-2:] == ["roster.begun", "roster.imported"]
    other = tmp_path / "other.sqlite3"
    schema.migrate(f"sqlite:///{other}")
    undisturbed = Database(f"sqlite:///{other}")
    Clinic(undisturbed, clinic.vault, clinic.index, path).apply(path)
    assert left(undisturbed) == whole
    undisturbed.close()


def test_a_second_file_waits_for_the_first_and_a_stopped_one_does_not_go_on_beside_another(clinic: Clinic) -> None:
    with clinic.judging(FAMILY) as first:
        slow = Applying(first._stage.connection, clinic.database, order_of(first), clinic.vault)
        slow._connection.execution_options(candour_immediate=True)
        number = slow._begin()
        with pytest.raises(BadInput, match="try again in a minute"):
            clinic.apply([HEADINGS, CHAN])
        with clinic.database.writing() as session:  # it stood still for longer than its lease
            session.execute(sa.delete(Lease))
        clinic.apply([HEADINGS, CHAN])
        with pytest.raises(BadInput, match="stopped on its way"), slow._piece(number):
            pass
    assert set(persons(clinic)) == {"P001"}


def order_of(judging: Judging) -> Order:
    seen = judging.judgement
    return Order(digest="0" * 64, by="test", at=START, counts=seen.counts, judged_on=seen.judged_on)


def test_others_write_while_a_roster_comes_in(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "PIECE", 50)
    path = tmp_path / "sample.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writing.write(file, 600, 6)
    written: list[int] = []

    def between() -> None:
        with clinic.database.writing() as session:
            leases.take(session, name=f"turn {len(written)}", holder="web", at=START, seconds=1)
        written.append(1)

    monkeypatch.setattr(clinic.database, "give_way", between)
    assert clinic.apply(path).added == 600
    assert len(written) > 12


def test_rows_may_not_be_what_their_columns_do_not_allow(clinic: Clinic, vault: Vault) -> None:
    clinic.apply(FAMILY)
    for statement in (
        "UPDATE contact_points SET kind = 'fax'",
        "UPDATE contact_points SET retired_because = 'roster'",
        "UPDATE persons SET language = 'fr'",
        "UPDATE person_links SET other_id = person_id",
    ):
        with pytest.raises(sa.exc.IntegrityError), clinic.database.writing() as session:
            session.execute(sa.text(statement))
