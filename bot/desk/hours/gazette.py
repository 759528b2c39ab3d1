"""The general holidays of Hong Kong: a library's list, corrected by `data/holidays.yml` where the Government's differs."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays
import yaml

from bot.base.errors import Misconfigured
from bot.base.settings import REPOSITORY

FILE = REPOSITORY / "data" / "holidays.yml"
A_YEAR = 17
"""General holidays of every year besides Sundays (General Holidays Ordinance, Cap. 149)."""


@lru_cache(maxsize=16)
def general_holidays(year: int) -> frozenset[date]:
    """The general holidays of a year: the statutory ones and those of banks, schools and offices.

    Raises Misconfigured when the corrections cannot be read.
    """
    listed = holidays.country_holidays("HK", years=year, categories=("public", "optional"), language="en_US")
    also, never = _corrections()
    return frozenset(day for day in {*listed, *(day for day in also if day.year == year)} if day not in never)


@lru_cache(maxsize=1)
def _corrections() -> tuple[frozenset[date], frozenset[date]]:
    try:
        document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
        also, never = frozenset(document["also"] or ()), frozenset(document["not"] or ())
    except (OSError, yaml.YAMLError, KeyError, TypeError) as wrong:
        raise Misconfigured(f"{FILE.name} cannot be read: {type(wrong).__name__}.") from None
    if not all(type(day) is date for day in also | never):
        raise Misconfigured(f"{FILE.name} holds something that is not a date.")
    return also, never
