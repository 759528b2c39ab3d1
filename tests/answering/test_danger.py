"""A reference is made of random letters: what they happen to spell is never read as a patient's words."""

from __future__ import annotations

import pytest

from bot.answering.danger import emergencies
from bot.base.errors import BadInput
from bot.base.settings import REPOSITORY
from bot.conversations.reading.safety import Lexicon
from bot.patients import references

DANGEROUS = ("KYS5S", "KMS52", "CTB8B")
"""Groups of a reference whose letters stand for wanting to die, once digits are read as letters."""


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    """The shipped words of danger."""
    return Lexicon.load(REPOSITORY / "data" / "safety.yml")


def _reference(second: str) -> str:
    """A reference with this second group: the first is chosen so that its check character fits."""
    for number in range(10_000):
        first = f"K{number:04d}"
        try:
            references.normal(first + second)
        except BadInput:
            continue
        return f"{first}-{second}"
    raise AssertionError(second)


@pytest.mark.parametrize("group", DANGEROUS)
def test_a_reference_alarms_nobody(lexicon: Lexicon, group: str) -> None:
    reference = _reference(group)
    for typed in (reference, reference.lower(), f"my reference is {reference.replace('-', ' ')}"):
        assert emergencies(lexicon, typed) == (), typed


def test_the_danger_beside_a_reference_is_heard(lexicon: Lexicon) -> None:
    typed = f"{_reference('KYS5S')} I want to die"
    assert [hit.category for hit in emergencies(lexicon, typed)] == ["self_harm"]


@pytest.mark.parametrize("address", ["kms.lee@example.com", "K_M_S@example.com.hk", "suicide.prevention@example.org"])
def test_the_name_in_an_address_alarms_nobody(lexicon: Lexicon, address: str) -> None:
    for typed in (address, f"my e-mail is {address}", f"我嘅電郵係{address}呀"):
        assert emergencies(lexicon, typed) == (), typed
    assert emergencies(lexicon, f"{address} I want to die")
    assert emergencies(lexicon, f"he at {address} says he will kill me")


def test_the_same_letters_without_a_reference_are_heard(lexicon: Lexicon) -> None:
    assert emergencies(lexicon, "kys5s")
    assert emergencies(lexicon, "i will kms")
