"""CSV for spreadsheets: no cell is taken for a formula, whoever wrote it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """The text as a spreadsheet shows it and never computes it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def line(cells: Sequence[object]) -> str:
    """One line of CSV (RFC 4180); None is an empty cell."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell("" if one is None else str(one)) for one in cells])
    return out.getvalue()
