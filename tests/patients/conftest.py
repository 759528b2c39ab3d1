"""Rosters for tests: made by hand with a few rows, or of invented people."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.patients.roster import decoding
from bot.patients.roster.judging import Judgement, Judging, judged
from bot.patients.roster.problems import Problem
from bot.patients.roster.rows import Reader, Row
from bot.patients.roster.sheet import Sheet
from tests.make import START

HEADINGS = ("Patient Key", "Name", "Chinese Name", "E-mail", "Phone", "Address", "Affected Categories")
CHAN = ("P001", "CHAN Tai Man", "陳大文", "chan@example.com", "9123 4567", "Flat A, 1/F, 2 Sample Street", "identity; contact")
LEE = ("P002", "LEE Siu Ming", "李小明", "lee@example.com", "2345 6789", "九龍示範街3號", "identity; medical")


def as_csv(rows: Sequence[Sequence[str]], separator: str = ",", line_end: str = "\r\n") -> str:
    """Rows as a spreadsheet writes them."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=line_end).writerows(rows)
    return out.getvalue()


def read(path: Path) -> tuple[list[Row], list[Problem]]:
    """The rows and problems of a file, without a database."""
    encoded = decoding.examine(path)
    found: list[Row] = []
    problems: list[Problem] = []
    with path.open("rb") as file:
        sheet = Sheet(file, encoded)
        reader = Reader(sheet.layout)
        for number, cells in sheet.rows():
            plain, wrong = reader.cleaned(number, cells)
            row, more = reader.read(number, plain) if not wrong else (None, [])
            found += [row] if row else []
            problems += [*wrong, *more]
    return found, problems


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a roster file and says where."""

    def writer(content: str | bytes | Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
        path = tmp_path / "roster.csv"
        text = content if isinstance(content, str | bytes) else as_csv(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return writer


class Clinic:
    """A database into which rosters come."""

    def __init__(self, database: Database, vault: Vault, index: BlindIndex, path: Path) -> None:
        self.database, self.vault, self.index, self._path = database, vault, index, path

    @contextmanager
    def judging(self, content: Sequence[Sequence[str]] | Path, report: Path | None = None) -> Iterator[Judging]:
        """A file judged and not applied."""
        if isinstance(content, Path):
            path = content
        else:
            path = self._path
            path.write_text(as_csv(content), encoding="utf-8", newline="")
        with judged(path, self.database, self.vault, self.index, report=report) as judging:
            yield judging

    def judge(self, content: Sequence[Sequence[str]] | Path, report: Path | None = None) -> Judgement:
        """What is thought of a file."""
        with self.judging(content, report) as judging:
            return judging.judgement

    def apply(self, content: Sequence[Sequence[str]] | Path) -> Judgement:
        """Judge and apply."""
        with self.judging(content) as judging:
            judging.apply(by="test operator", at=START)
            return judging.judgement


@pytest.fixture
def clinic(database: Database, vault: Vault, index: BlindIndex, tmp_path: Path) -> Clinic:
    """A clinic without a patient, once per kind of database."""
    return Clinic(database, vault, index, tmp_path / "roster.csv")
