"""A list of notices sent before: stored as a whole or not at all, and never twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.base.errors import BadInput
from bot.patients.notices import importing
from bot.patients.notices.models import NoticeOnFile
from tests.make import START
from tests.patients.conftest import CHAN, HEADINGS, LEE, Clinic

TODAY = date(2023, 5, 9)
GOOD = """person key,notice name,version,channel,day
P001,First notice,1,email,2023-05-05
P002,First notice,1,E-mail,05/05/2023
P001,Letter,2,郵寄,2023年5月8日
"""


@pytest.fixture
def stocked(clinic: Clinic) -> Clinic:
    clinic.apply([HEADINGS, CHAN, LEE])
    return clinic


def judged(clinic: Clinic, tmp_path: Path, text: str, encoding: str = "utf-8") -> importing.Judged:
    file = tmp_path / "notices.csv"
    file.write_bytes(text.encode(encoding))
    return importing.judged(file, clinic.database, clinic.index, today=TODAY)


def stored(clinic: Clinic, found: importing.Judged) -> int:
    with clinic.database.writing() as session:
        return importing.store(session, clinic.vault, found, by="tester", at=START)[1]


def on_file(clinic: Clinic) -> list[tuple[str, str, date]]:
    with clinic.database.reading() as session:
        rows = session.scalars(select(NoticeOnFile).order_by(NoticeOnFile.sent_on, NoticeOnFile.id))
        return [(row.name, row.way, row.sent_on) for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "big5hkscs", "utf-16"])
def test_a_list_is_stored_whatever_spreadsheet_wrote_it(stocked: Clinic, tmp_path: Path, encoding: str) -> None:
    assert stored(stocked, judged(stocked, tmp_path, GOOD, encoding)) == 3
    assert on_file(stocked)[-1] == ("Letter", "letter", date(2023, 5, 8))


def test_the_same_list_again_adds_nothing(stocked: Clinic, tmp_path: Path) -> None:
    stored(stocked, judged(stocked, tmp_path, GOOD))
    again = judged(stocked, tmp_path, GOOD + "P001,First notice,1,email,2023-05-05\n")
    assert (stored(stocked, again), again.twice, len(on_file(stocked))) == (0, 1, 3)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("P999,First notice,1,email,2023-05-05", "key", "nobody"),
        (",First notice,1,email,2023-05-05", "key", "missing"),
        ("P001,,1,email,2023-05-05", "name", "not the name"),
        ("P001,to chan@example.com,1,email,2023-05-05", "name", "not the name"),
        ("P001,call 91234567,1,email,2023-05-05", "name", "not the name"),
        ("P001,=HYPERLINK(1),1,email,2023-05-05", "name", "formula"),
        ("P001,First notice,1,pigeon,2023-05-05", "channel", "not one of"),
        ("P001,First notice,1,email,2023-02-30", "day", "not a day"),
        ("P001,First notice,1,email,2023-05-10", "day", "not a day"),
        ("P001,First notice,1,email,", "day", "not a day"),
    ],
)
def test_one_bad_row_keeps_the_whole_list_out(stocked: Clinic, tmp_path: Path, row: str, column: str, reason: str) -> None:
    found = judged(stocked, tmp_path, GOOD + row + "\n")
    assert [(problem.row, problem.column) for problem in found.problems.first] == [(5, column)]
    assert reason in found.problems.first[0].reason
    with pytest.raises(BadInput):
        stored(stocked, found)
    assert on_file(stocked) == []


def test_a_problem_shows_the_shape_of_a_value_and_not_the_value(stocked: Clinic, tmp_path: Path) -> None:
    found = judged(stocked, tmp_path, GOOD + "Q7654,First notice,1,email,2023-05-05\n")
    assert [problem.shown for problem in found.problems.first] == ["Q####"]


@pytest.mark.parametrize(
    "text", ["", "a,b,c\n1,2,3\n", "person key,notice name,channel\nP001,x,email\n", GOOD.replace("day", "key", 1)]
)
def test_what_is_no_list_of_notices_is_refused_as_a_whole(stocked: Clinic, tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput):
        judged(stocked, tmp_path, text)
