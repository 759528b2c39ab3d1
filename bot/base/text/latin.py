"""English, Tagalog and Indonesian told apart by the letters of their words: a table of letters that stand together.

The table is `data/latin.json`, learnt from our own texts by `python -m bench.learning.letters`. It holds for runs of one to four
letters (`_` is where a word begins or ends) how much likelier than in the average of the three languages the run is in each, in
tenths of a natural logarithm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

LONGEST = 4
CODES = ("en", "tl", "id")
# Beside the code, wherever the folder of data that is published may be: the table belongs to the code.
TABLE = Path(__file__).parents[3] / "data" / "latin.json"

Weights = tuple[int, int, int]


def runs(word: str) -> Iterator[str]:
    """The runs of letters in a word, as the table names them; as many as four times its letters."""
    marked = f"_{word}_"
    for length in range(1, LONGEST + 1):
        for start in range(len(marked) - length + 1):
            yield marked[start : start + length]


@cache
def _table() -> dict[str, Weights]:
    grouped: dict[str, str] = json.loads(TABLE.read_text(encoding="utf-8"))
    table: dict[str, Weights] = {}
    for key, listed in grouped.items():
        english, tagalog, indonesian = map(int, key.split())
        table.update(dict.fromkeys(listed.split(), (english, tagalog, indonesian)))
    return table


def ranked(words: Iterable[str], table: Mapping[str, Weights] | None = None) -> list[tuple[int, str]]:
    """The three languages with what speaks for each (tenths of a logarithm), the likeliest first; [] when no letter is known.

    Words are in the spelling of `fold`; takes time in proportion to their letters.
    """
    table = table if table is not None else _table()
    english = tagalog = indonesian = known = 0
    for word in words:
        for run in runs(word):
            if weights := table.get(run):
                english, tagalog, indonesian = english + weights[0], tagalog + weights[1], indonesian + weights[2]
                known += 1
    return sorted(zip((english, tagalog, indonesian), CODES, strict=True), reverse=True) if known else []
