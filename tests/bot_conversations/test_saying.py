"""Dates, numbers and lists against CLDR, as Babel carries it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal

from bot.base.languages import Language
from bot.conversations.speaking import saying

LOCALES = {
    Language.EN: Locale("en", "HK"),
    Language.ZH_HANT: Locale("zh", "HK", script="Hant"),
    Language.ZH_HANS: Locale("zh", "CN", script="Hans"),
    Language.TL: Locale("fil", "PH"),
    Language.ID: Locale("id", "ID"),
}
DAYS = [date(2023, 12, 25) + timedelta(days=number) for number in range(380)]

each_language = pytest.mark.parametrize("language", Language)


@each_language
def test_every_day_of_a_leap_year_is_written_as_the_language_writes_it(language: Language) -> None:
    said = [(saying.long_date(day, language), saying.day_of_week(day, language)) for day in DAYS]
    locale = LOCALES[language]
    assert said == [(format_date(day, "long", locale=locale), format_skeleton("MMMEd", day, locale=locale)) for day in DAYS]


@each_language
@pytest.mark.parametrize("value", [0, 7, 999, 1000, 12_345, 517_000, 1_234_567, -1, -1000])
def test_numbers_have_their_thousands_apart(language: Language, value: int) -> None:
    assert saying.whole_number(value, language) == format_decimal(value, locale=LOCALES[language])


@each_language
@pytest.mark.parametrize("count", range(6))
def test_lists_are_joined_as_the_language_joins_them(language: Language, count: int) -> None:
    items = [f"thing {number}" for number in range(count)]
    assert saying.listing(items, language) == format_list(items, locale=LOCALES[language])
