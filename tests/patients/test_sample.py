"""Invented people: the same for the same seed, of every kind, and nobody's."""

from __future__ import annotations

import io

import phonenumbers
import pytest

from bot.base.settings import REPOSITORY
from bot.patients.models import ContactKind
from bot.patients.roster.headings import Column
from bot.patients.sample import writing
from tests.patients.conftest import Clinic, read

ROSTER = REPOSITORY / "data" / "samples" / "roster.csv"


def written(count: int, seed: int) -> str:
    out = io.StringIO(newline="")
    writing.write(out, count, seed)
    return out.getvalue()


def test_the_same_seed_makes_the_same_people() -> None:
    assert written(300, 4) == written(300, 4)
    assert written(300, 4) != written(300, 5)
    assert written(300, 4).startswith(written(100, 4))


def test_the_shipped_roster_is_what_the_command_makes() -> None:
    assert ROSTER.read_bytes().decode() == written(200, 6)


def test_the_shipped_roster_has_every_kind_of_person(clinic: Clinic) -> None:
    rows, problems = read(ROSTER)
    assert len(rows) == 200
    assert problems
    assert {row.language.value for row in rows} == {"en", "zh-Hant", "zh-Hans", "tl", "id"}
    for kind in ("minor", "guardian", "deceased", "protected", "staff", "employer", "not_by", "name_zh"):
        assert any(getattr(row, kind) for row in rows), kind
    assert {contact.kind for row in rows for contact in row.contacts} >= {
        ContactKind.EMAIL, ContactKind.MOBILE, ContactKind.LANDLINE, ContactKind.POST,
    }  # fmt: skip
    assert any(contact.safe for row in rows for contact in row.contacts)
    assert len({row.home for row in rows}) < 150
    assert clinic.apply(ROSTER).added == 200


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_sample_may_be_imported(clinic: Clinic, seed: int, tmp_path: object) -> None:
    table = [list(writing.COLUMNS), *writing.rows(400, seed)]
    seen = clinic.judge(table)
    assert seen.well, seen.problems.first
    assert seen.added == 400


def test_e_mail_addresses_are_of_domains_that_belong_to_nobody() -> None:
    column = writing.COLUMNS.index(Column.EMAIL)
    cells = [row[column] for row in writing.rows(500, 1) if "@" in row[column]]
    assert cells
    assert all("@example." in cell.replace(",", ".") or "@mail.example" in cell.replace(",", ".") for cell in cells)


def test_numbers_have_the_form_of_real_ones() -> None:
    column = writing.COLUMNS.index(Column.PHONE)
    numbers = [number for row in writing.rows(500, 1) for number in row[column].split("; ") if len(number) > 7]
    valid = [phonenumbers.is_valid_number(phonenumbers.parse(number, "HK")) for number in numbers if number[0] in "+23456789"]
    assert sum(valid) > 0.99 * len(valid)
