"""Dates, numbers and lists as our five languages write them.

The words and patterns are those of CLDR; the tests compare them with Babel, which has them all. It would keep every calendar,
currency and country of each language it was ever asked for: seven megabytes in each process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.base.languages import Language


@dataclass(frozen=True)
class _Style:
    """How one language writes; `{d}`, `{m}`, `{y}` are day, month and year, `{w}` the day of the week."""

    long: str
    short: str
    months: tuple[str, ...]
    abbreviated: tuple[str, ...]
    week: tuple[str, ...]  # from Monday
    comma: str
    last: str  # between the last two of three or more
    pair: str
    thousands: str = ","


_EN_LONG = "January February March April May June July August September October November December"
_TL_LONG = "Enero Pebrero Marso Abril Mayo Hunyo Hulyo Agosto Setyembre Oktubre Nobyembre Disyembre"
_ID_LONG = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
_EN_SHORT = "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec"
_EN_WEEK = "Mon Tue Wed Thu Fri Sat Sun"
_TL_SHORT = "Ene Peb Mar Abr May Hun Hul Ago Set Okt Nob Dis"
_TL_WEEK = "Lun Mar Miy Huw Biy Sab Lin"
_ID_SHORT = "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des"
_ID_WEEK = "Sen Sel Rab Kam Jum Sab Min"
_NUMBERED = tuple(f"{month}月" for month in range(1, 13))

_STYLES = {
    Language.EN: _Style(
        "{d} {m} {y}",
        "{w}, {d} {m}",
        tuple(_EN_LONG.split()),
        tuple(_EN_SHORT.split()),
        tuple(_EN_WEEK.split()),
        ", ",
        " and ",
        " and ",
    ),
    Language.ZH_HANT: _Style(
        "{y}年{m}{d}日", "{m}{d}日{w}", _NUMBERED, _NUMBERED, tuple(f"週{day}" for day in "一二三四五六日"), "、", "及", "及"
    ),
    Language.ZH_HANS: _Style(
        "{y}年{m}{d}日", "{m}{d}日{w}", _NUMBERED, _NUMBERED, tuple(f"周{day}" for day in "一二三四五六日"), "、", "和", "和"
    ),
    Language.TL: _Style(
        "{m} {d}, {y}",
        "{w}, {m} {d}",
        tuple(_TL_LONG.split()),
        tuple(_TL_SHORT.split()),
        tuple(_TL_WEEK.split()),
        ", ",
        ", at ",
        " at ",
    ),
    Language.ID: _Style(
        "{d} {m} {y}",
        "{w}, {d} {m}",
        tuple(_ID_LONG.split()),
        tuple(_ID_SHORT.split()),
        tuple(_ID_WEEK.split()),
        ", ",
        ", dan ",
        " dan ",
        thousands=".",
    ),
}


def long_date(day: date, language: Language) -> str:
    """A day with its month in full and its year: `1 May 2023`."""
    style = _STYLES[language]
    return style.long.format(d=day.day, m=style.months[day.month - 1], y=day.year)


def day_of_week(day: date, language: Language) -> str:
    """A day of this year with its day of the week, short: `Tue, 12 Sept`."""
    style = _STYLES[language]
    return style.short.format(d=day.day, m=style.abbreviated[day.month - 1], w=style.week[day.weekday()])


def whole_number(value: int, language: Language) -> str:
    """A number with its thousands apart: `12,000`."""
    return f"{value:,}".replace(",", _STYLES[language].thousands)


def listing(items: Sequence[str], language: Language) -> str:
    """Things one after the other, the last two joined by a word: `a, b and c`; nothing for none."""
    style = _STYLES[language]
    if len(items) < 3:
        return style.pair.join(items)
    return style.comma.join(items[:-1]) + style.last + items[-1]
