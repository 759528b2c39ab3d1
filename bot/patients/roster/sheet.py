"""A CSV file as rows with the numbers a spreadsheet shows, one at a time."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from io import BufferedReader
from itertools import chain, islice

from bot.base.errors import BadInput
from bot.base.text import plain
from bot.patients.roster.decoding import Encoded, lines
from bot.patients.roster.headings import Column, Layout, read_headings

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MOST_CELLS = 200
MOST_HEADING_LINES = 20
DIGEST_LENGTH = 16
"""Characters of a row's digest that must at least be there."""

_SAYS_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class Sheet:
    """An open file after its first row: the layout, and the rows to come."""

    def __init__(self, file: BufferedReader, encoded: Encoded) -> None:
        """Read the headings; raises BadInput when they are not those of a roster."""
        source = lines(file, encoded)
        start = list(islice(source, MOST_HEADING_LINES))
        said = _SAYS_SEPARATOR.fullmatch(start[0]) if start else None
        if said:  # Excel's own first line, which it does not show
            start = start[1:]
        self.separator = said[1] if said else _separator(start)
        self._records = _records(chain(start, source), self.separator)
        self.layout = self._headings()

    def _headings(self) -> Layout:
        for _, cells in self._records:
            return read_headings([plain(cell) for cell in cells])
        raise BadInput("The file has no row.")

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Row numbers and cells, empty rows left out; raises BadInput where the file stops being CSV."""
        return self._records


def _separator(start: Sequence[str]) -> str:
    """The separator with which most headings are understood."""
    return max(SEPARATORS, key=lambda separator: _understood(start, separator))


def _understood(start: Sequence[str], separator: str) -> tuple[int, int]:
    try:
        cells = next(_records(iter(start), separator))[1]
        layout = read_headings(cells)
    except (StopIteration, BadInput):
        return 0, sum(line.count(separator) for line in start[:1])
    return sum(map(len, layout.places.values())), 0


def _records(source: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    reader = csv.reader(source, delimiter=separator, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if len(cells) > MOST_CELLS and any(map(str.strip, cells[MOST_CELLS:])):
                raise BadInput(f"Row {number} has more than {MOST_CELLS} cells: this is no roster.")
            if any(cell and not cell.isspace() for cell in cells):
                yield number, cells[:MOST_CELLS]
    except csv.Error as wrong:
        raise BadInput(f"Row {number + 1} is not CSV: {_in_words(str(wrong))}.") from None


def _in_words(reason: str) -> str:
    if "unexpected end" in reason or "larger than" in reason:
        return "a quotation mark that opens there is never closed"
    if "expected after" in reason:
        return "something follows a closing quotation mark"
    return "it cannot be read"


def row_digest(cells: Sequence[str]) -> str:
    """SHA-256 over the plain cells of a row without its digest, with the unit separator (U+001F) between them."""
    return hashlib.sha256("\x1f".join(cells).encode()).hexdigest()


def digest_fits(cells: Sequence[str], layout: Layout) -> bool:
    """Whether a row's own digest, whole or its first 16 characters, is that of its other cells."""
    (place,) = layout.places[Column.DIGEST]
    said = cells[place].casefold()
    return len(said) >= DIGEST_LENGTH and row_digest([*cells[:place], *cells[place + 1 :]]).startswith(said)
