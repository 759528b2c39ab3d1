"""The general holidays of Hong Kong: a library's list, corrected by `data/holidays.yml` where the Government's differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache, lru_cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

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
    listed = _library()(years=year, categories=("public", "optional"), language="en_US")
    also, never = _corrections()
    return frozenset(day for day in {*listed, *(day for day in also if day.year == year)} if day not in never)


@cache
def _library() -> Callable[..., Iterable[date]]:
    """The library's list for Hong Kong alone: asked the usual way it reads those of 250 countries, ten megabytes."""
    countries = find_spec("holidays.countries")
    folder = next(iter(countries.submodule_search_locations or ()), "") if countries else ""
    spec = spec_from_file_location(f"{__name__}.hongkong", Path(folder) / "hongkong.py")
    if spec is None or spec.loader is None:
        raise Misconfigured("The library of holidays has no list for Hong Kong.")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    listed: Callable[..., Iterable[date]] = module.HongKong
    return listed


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
