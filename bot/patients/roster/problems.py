"""What is wrong with a file, said so that it can be mended without the report giving anybody away.

A value is shown by its shape: the first character of each word, and what kind the others are. Two grades: what is *refused* keeps
the whole file out; what is *left out* is an address that cannot be used, without which its person is still on the roster.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bot.base.errors import BadInput

_ROW = re.compile(r"row \d+")
SHOWN = 40
KEPT = 200
"""Problems kept for the terminal; the report file has all of them."""


class Grade(StrEnum):
    """What a problem means for the file."""

    REFUSED = "refused"  # nothing is stored until it is mended
    LEFT_OUT = "left out"  # this address is not stored, its person is
    NOTICE = "notice"  # stored as it stands; somebody should look


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `row` counts as a spreadsheet does, 0 is the whole file."""

    row: int
    column: str
    shown: str
    reason: str
    grade: Grade = Grade.REFUSED


_DIGIT, _INNER_LETTER = re.compile(r"\d"), re.compile(r"(?<=\w)[^\W\d_]")


def mask(value: str) -> str:
    """The shape of a value: each word's first letter, • for other letters, # for digits, punctuation as it is."""
    shown = _DIGIT.sub("#", _INNER_LETTER.sub("•", value[:SHOWN]))
    if not shown.isprintable():
        shown = "".join(char if char.isprintable() else "�" for char in shown)
    return shown + ("…" if len(value) > SHOWN else "")


@dataclass
class Problems:
    """All problems of a file: counted by reason, the first kept, each written to the report as it is found."""

    counts: Counter[tuple[Grade, str]] = field(default_factory=Counter)
    first: list[Problem] = field(default_factory=list)
    report: Path | None = None
    _rows: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin the report anew, so that an old one is not taken for this file's."""
        if self.report:
            try:
                with self.report.open("w", encoding="utf-8-sig", newline="") as file:
                    csv.writer(file).writerow(["row", "column", "value", "reason", "outcome"])
            except OSError as wrong:
                raise BadInput(f"The report cannot be written there ({type(wrong).__name__}).") from None

    def add(self, found: Iterable[Problem]) -> None:
        """Take note of problems."""
        for problem in found:
            self.counts[problem.grade, _ROW.sub("row …", problem.reason)] += 1
            if len(self.first) < KEPT:
                self.first.append(problem)
            if self.report:
                self._rows.append(problem)
        if len(self._rows) >= KEPT:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting into the report."""
        if self.report and self._rows:
            with self.report.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(
                    (_inert(one.row or ""), _inert(one.column), _inert(one.shown), one.reason, one.grade) for one in self._rows
                )
        self._rows.clear()

    @property
    def refused(self) -> int:
        """How many keep the file out."""
        return self.of(Grade.REFUSED)

    def of(self, grade: Grade) -> int:
        """How many have this grade."""
        return sum(number for (its, _), number in self.counts.items() if its is grade)


def _inert(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
