"""A file comes out as the same persons however a spreadsheet wrote it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.patients.models import Category, ContactKind, Way
from bot.patients.roster import decoding
from bot.patients.roster.problems import Grade
from bot.patients.roster.rows import Row
from bot.patients.sample import writing
from tests.patients.conftest import CHAN, HEADINGS, LEE, as_csv, read

Write = Callable[..., Path]

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "big5hkscs"]


def bare(rows: list[Row]) -> list[Row]:
    return [replace(row, number=0) for row in rows]


def in_big5(cells: list[str]) -> bool:
    try:
        "".join(cells).encode("big5hkscs")
    except UnicodeEncodeError:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    encoding=st.sampled_from(ENCODINGS),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    line_end=st.sampled_from(["\r\n", "\n", "\r"]),
    blank_columns=st.integers(0, 3),
    blank_rows=st.integers(0, 2),
)
def test_invented_people_are_the_same_in_every_encoding_and_separator(
    seed: int, encoding: str, separator: str, line_end: str, blank_columns: int, blank_rows: int
) -> None:
    cells = [row for row in writing.rows(12, seed) if in_big5(row)]
    table = [list(writing.COLUMNS), *cells]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.csv"
        path.write_text(as_csv(table), encoding="utf-8", newline="")
        expected, problems = read(path)
        padded = [[*row, *[""] * blank_columns] for row in table] + [[""] * len(table[0])] * blank_rows
        path.write_bytes(as_csv(padded, separator, line_end).encode(encoding))
        again, same_problems = read(path)
    assert bare(again) == bare(expected)
    assert same_problems == problems
    assert len(expected) == len(cells)


def test_one_row_is_read_as_it_is_meant(write: Write) -> None:
    path = write(
        [
            [*HEADINGS, "Language", "Minor", "Guardian Key", "Do not contact by", "Safe contact", "電郵 2", "Household"],
            [*CHAN, "中文", "Y", "P009", "SMS; 電話", "chan@example.com", "tai.man@example.org", "H1"],
        ]
    )
    (row,), problems = read(path)
    assert not problems
    assert (row.number, row.key, row.name, row.name_zh, row.language) == (2, "P001", "CHAN Tai Man", "陳大文", Language.ZH_HANT)
    assert [(c.kind, c.value, c.safe) for c in row.contacts] == [
        (ContactKind.EMAIL, "chan@example.com", True),
        (ContactKind.EMAIL, "tai.man@example.org", False),
        (ContactKind.MOBILE, "+85291234567", False),
        (ContactKind.POST, "Flat A, 1/F, 2 Sample Street", False),
    ]
    assert row.categories == (Category.IDENTITY, Category.CONTACT)
    assert (row.minor, row.guardian, row.not_by, row.home) == (True, "P009", (Way.SMS, Way.PHONE), "key H1")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("９１２３　４５６７", "+85291234567"),
        ("'91234567", "+85291234567"),
        ("91234567.0", "+85291234567"),
        ("9123\u00a04567", "+85291234567"),
        ("9123\u20114567", "+85291234567"),
        ("+852-9123-4567", "+85291234567"),
        ("8613812345678", "+8613812345678"),
        ("+44 20 7946 0018", "+442079460018"),
        ('="91234567"', None),
    ],
)
def test_what_excel_does_to_numbers_is_put_right(write: Write, written: str, number: str | None) -> None:
    rows, problems = read(write([HEADINGS, [*CHAN[:4], written, *CHAN[5:]]]))
    if number is None:
        assert problems[0].grade is Grade.REFUSED
    else:
        assert number in [contact.value for contact in rows[0].contacts]


@pytest.mark.parametrize(
    ("column", "written", "word"),
    [
        (0, "8.5E+07", "8.5E+07"),
        (4, "9.12E+07", "8.5E+07"),
        (0, "#N/A", "error of the spreadsheet"),
        (1, '=HYPERLINK("http://x","y")', "formula"),
        (1, "+cmd|' /C calc'!A0", "formula"),
        (1, "@SUM(A1)", "formula"),
        (5, "-2+3+cmd|' /C calc'!A0", "formula"),
        (1, "＝1+1", "formula"),
        (1, "CHAN\x07 Tai", "control"),
        (1, "CHAN \u202eiaT", "control"),
        (1, "CHAN \ue000", "damaged"),
        (1, "CHAN A123456(3)", "identity card"),
        (5, "Flat A, HKID a123456(3)", "identity card"),
        (4, "A123456(3)", "identity card"),
        (5, "Flat B, A 123 456 (3)", "identity card"),
        (1, "CHAN Tai Man A1234563", "identity card"),
        (5, "Flat A, A123456（3）", "identity card"),
        (3, "A123456(3)", "identity card"),
        (0, "A123456(3)", "identity card"),
        (5, "Passport K01234567", "passport"),
        (5, "110101199003072316", "mainland"),
        (5, "4111 1111 1111 1111", "card"),
        (5, "Flat A (diabetes type 2)", "clinical"),
        (2, "陳大文 糖尿病", "clinical"),
        (3, "HIV positive", "clinical"),
        (6, "E11.9 hypertension", "clinical"),
        (1, "<script>alert()</script>", "not a name"),
        (1, "Robert'); DROP TABLE persons;--", "not a name"),
        (1, "9123 4567", "no digits"),
        (5, "<img src=x onerror=alert(1)> Street", "markup"),
        (5, "chan@example.com", "e-mail address in the postal address"),
        (6, "everything", "not understood"),
        (6, "", "must be said"),
        (1, "x" * 2000, "more than 1000 characters"),
    ],
)
def test_what_may_not_be_imported_is_refused_with_a_word_and_no_value(write: Write, column: int, written: str, word: str) -> None:
    cells = list(CHAN)
    cells[column] = written
    rows, problems = read(write([HEADINGS, LEE, cells]))
    assert [row.key for row in rows] == ["P002"]
    refused = [problem for problem in problems if problem.grade is Grade.REFUSED]
    assert word in refused[0].reason
    assert refused[0].row == 3
    for digits in ("123456", "1234567", "diabetes", "糖尿病", "4111", "script", "DROP"):
        assert digits not in refused[0].shown


@pytest.mark.parametrize(
    "written",
    ["chan at example.com", "no email", "chan@", "a,b@example.com", "chan@example..com", "chan@localhost"],
)
def test_an_address_that_cannot_be_used_is_left_out_and_its_person_kept(write: Write, written: str) -> None:
    (row,), problems = read(write([HEADINGS, [*CHAN[:3], written, *CHAN[4:]]]))
    assert ContactKind.EMAIL not in [contact.kind for contact in row.contacts]
    assert {problem.grade for problem in problems} == {Grade.LEFT_OUT}


@pytest.mark.parametrize("written", ["1234", "unknown", "0000 0000", "2345 6789 ext 12", "999"])
def test_a_number_that_is_none_is_left_out(write: Write, written: str) -> None:
    (row,), problems = read(write([HEADINGS, [*CHAN[:4], written, *CHAN[5:]]]))
    assert {contact.kind for contact in row.contacts} == {ContactKind.EMAIL, ContactKind.POST}
    assert [problem.grade for problem in problems] == [Grade.LEFT_OUT]


def test_people_called_null_or_na_keep_their_names(write: Write) -> None:
    rows, _ = read(write([HEADINGS, ["P1", "Null", "", *CHAN[3:]], ["P2", "NA", "", *CHAN[3:]]]))
    assert [row.name for row in rows] == ["Null", "NA"]


def test_one_name_column_may_hold_both_scripts(write: Write) -> None:
    headings = ["病人編號", "姓名", "電話", "資料類別"]
    (row,), _ = read(write([headings, ["1", "CHAN Tai Man 陳大文", "91234567", "病歷"]], "big5hkscs"))
    assert (row.name, row.name_zh, row.language) == ("CHAN Tai Man", "陳大文", Language.ZH_HANT)
    assert row.categories == (Category.MEDICAL,)


def test_a_quoted_address_over_two_lines_is_one_row(write: Write) -> None:
    rows, _ = read(write([HEADINGS, [*CHAN[:5], "Flat A\n2 Sample Street", CHAN[6]], LEE]))
    assert rows[0].home == "Flat A, 2 Sample Street"
    assert [row.number for row in rows] == [2, 3]


def test_rows_are_counted_as_the_spreadsheet_counts_them(write: Write) -> None:
    text = as_csv([HEADINGS, CHAN]) + ",,,,,,\r\n\r\n" + as_csv([LEE])
    assert [row.number for row in read(write(text))[0]] == [2, 5]


def test_excels_own_first_line_names_the_separator(write: Write) -> None:
    assert len(read(write("sep=;\r\n" + as_csv([HEADINGS, CHAN], ";")))[0]) == 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"Patient key,Name\nP1" + b"\x00" + b",x\n", "missing|NUL"),
        (as_csv([HEADINGS, CHAN]).encode() + "陳,".encode("big5") * 3, "neither"),
        (as_csv([HEADINGS, CHAN]).encode("big5hkscs") + "李小明".encode(), "neither"),
        (("姓名,電話\r\n" + "张伟,讠\r\n" * 50).encode("gb18030"), "neither"),
        (as_csv([HEADINGS]) + 'P1,"never closed\n' * 3, "row 2|Row 2"),
        (as_csv([HEADINGS]) + 'P1,"a"b,c\n', "Row 2"),
        (as_csv([HEADINGS]) + "x" * 200_000, "64|65,536|characters"),
        (as_csv([HEADINGS]) + "P1," + '"' + "x" * 10_000_000 + '"\n', "65,536 characters"),
        (as_csv([HEADINGS]) + '"' + "x\n" * 200_000 + '"\n', "never closed"),
        (as_csv([HEADINGS]) + "," * 5000 + "x\n", "cells"),
        (as_csv([["Name", "Phone"], ["CHAN", "9"]]), "missing: patient key"),
        (as_csv([CHAN, LEE]), "looks like data"),
        (as_csv([[*HEADINGS, "HKID No."], [*CHAN, "x"]]), "may not be in a roster"),
        (as_csv([[*HEADINGS, "診斷"], [*CHAN, "x"]]), "may not be in a roster"),
        (as_csv([[*HEADINGS, "name"], [*CHAN, "x"]]), "twice"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_as_a_whole(write: Write, content: str | bytes, word: str) -> None:
    with pytest.raises(BadInput, match=word) as caught:
        read(write(content))
    assert "chan@example.com" not in str(caught.value)


def test_a_stray_comma_shifts_a_row_and_is_noticed(write: Write) -> None:
    _, problems = read(write([HEADINGS, ["P001", "CHAN", *CHAN[1:]]]))
    assert "more cells than headings" in problems[0].reason


def test_the_encoding_is_named(write: Write) -> None:
    for encoding, name in (("utf-8-sig", "UTF-8 with a byte order mark"), ("big5hkscs", "Big5"), ("utf-16", "UTF-16")):
        assert name in decoding.examine(write([HEADINGS, CHAN, LEE], encoding)).name


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from([b"", as_csv([HEADINGS]).encode()]), rest=st.binary(max_size=400) | st.text(max_size=300))
def test_no_bytes_break_the_reader(start: bytes, rest: bytes | str) -> None:
    content = start + (rest if isinstance(rest, bytes) else rest.encode("utf-8", "replace"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        path.write_bytes(content)
        with contextlib.suppress(BadInput):
            read(path)
