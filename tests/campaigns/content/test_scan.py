"""The last look at what goes out: finds what must not be there, and leaves ten thousand clean notices alone."""

from __future__ import annotations

import pytest

from bot.base.languages import Language
from bot.campaigns.content import scan, segment
from bot.patients import references
from bot.patients.models import Way
from tests.campaigns.content import notices

HKIDS = [
    "A123456(3)",
    "A123456 (3)",
    "a123456(3)",
    "A1234563",
    "A 123456 3",
    "Ａ１２３４５６（３）",
    "A123456（3）",
    "AB987654(3)",
    "A 123 456 (3)",
]


@pytest.mark.parametrize("number", HKIDS)
def test_an_identity_card_number_is_found_however_it_is_written(number: str) -> None:
    assert "an identity card number" in scan.found_in(f"Your card {number}, we think.", Language.EN)


@pytest.mark.parametrize(
    "number", ["A123456(4)", "A12345(3)", "7K3M9-QT4XV", "RN 00000000", "2577 1816", "XA1234563Y", "4812-0736-5"]
)
def test_what_is_none_is_left_alone(number: str) -> None:
    assert scan.found_in(f"Your reference {number}, we think.", Language.EN) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("born on 3 May 1980", "a date of birth"),
        ("DOB: 03/05/1980", "a date of birth"),
        ("Date of birth 1980-05-03", "a date of birth"),
        ("出生日期：1980年5月3日", "a date of birth"),
        ("生日是1980-5-3", "a date of birth"),
        ("MRN: 00123456", "the number of a medical record"),
        ("Patient No. HK-00123", "the number of a medical record"),
        ("病歷編號：A00123", "the number of a medical record"),
        ("病历号 00123", "the number of a medical record"),
        ("card 4111 1111 1111 1111", "a card number"),
        ("11010519491231002X", "a mainland identity number"),
        ("treated for Hepatitis B", "the name of an illness or a treatment"),
        ("HIV", "the name of an illness or a treatment"),
    ],
)
def test_what_must_never_be_there_is_found_by_kind(text: str, kind: str) -> None:
    assert kind in scan.found_in(text, Language.EN)


@pytest.mark.parametrize(
    ("text", "language"), [("確診糖尿病", Language.ZH_HANT), ("精神分裂", Language.ZH_HANS), ("艾滋病", Language.ZH_HANS)]
)
def test_an_illness_is_found_in_chinese(text: str, language: Language) -> None:
    assert scan.found_in(text, language) == ["the name of an illness or a treatment"]


def test_a_birth_date_that_is_only_spoken_of_is_no_birth_date() -> None:
    assert scan.found_in("Name, sex and birth date. By our file of 9 May 2023, the system held it.", Language.EN) == []


def test_ten_thousand_clean_notices_are_left_alone() -> None:
    # A reference is what differs; drawn ones would make the test a lottery, so they are counted up.
    told = {language: notices.shared("first_notice", language, Way.SMS) for language in (Language.EN, Language.ZH_HANT)}
    for number in range(5000):
        nine = "".join(references.ALPHABET[(number * 7919 + place * place * 31 + number // 32**place) % 32] for place in range(9))
        reference = nine + references.check_character(nine)
        for language, one in told.items():
            text = segment.filled(one, {"reference": f"{reference[:5]}-{reference[5:]}"}).text
            assert scan.found_in(text, language) == [], text
