"""The invented persons as a CSV file, each row with its digest."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import IO

from bot.patients.roster.headings import Column
from bot.patients.roster.sheet import row_digest
from bot.patients.sample.people import People

COLUMNS = tuple(column for column in Column if column not in (Column.DIGEST, Column.HOUSEHOLD, Column.CLINIC))


def rows(count: int, seed: int) -> Iterator[list[str]]:
    """The cells of that many persons, in the order of `COLUMNS`."""
    for person in islice(People(seed).persons(), count):
        yield [person.cells.get(column, "") for column in COLUMNS]


def write(file: IO[str], count: int, seed: int, *, separator: str = ",", digest: bool = True) -> None:
    """Write a roster with headings; the file must not translate line ends."""
    out = csv.writer(file, delimiter=separator)
    out.writerow([*COLUMNS, *([Column.DIGEST.value] if digest else [])])
    for cells in rows(count, seed):
        out.writerow([*cells, *([row_digest(cells)] if digest else [])])
