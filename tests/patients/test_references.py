"""References: hard to guess, easy to type, found while they are good, and kept as hashes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bot.base.errors import BadInput
from bot.base.vault import BlindIndex
from bot.patients import references
from bot.patients.finding import person_with_key
from bot.patients.models import PersonReference
from tests.make import START
from tests.patients.conftest import CHAN, HEADINGS, LEE, Clinic

numbers = st.integers(0, 10**9).map(lambda _: references.new_reference())


@given(reference=numbers, place=st.integers(0, 8), other=st.sampled_from(references.ALPHABET))
def test_every_single_slip_is_noticed(reference: str, place: int, other: str) -> None:
    signs = list(reference.replace("-", ""))
    if signs[place] == other:
        return
    signs[place] = other
    with pytest.raises(BadInput):
        references.normal("".join(signs))


@given(reference=numbers)
def test_it_may_be_typed_in_any_usual_way(reference: str) -> None:
    signs = reference.replace("-", "")
    full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in signs)
    for typed in (
        reference,
        reference.lower(),
        signs,
        reference.replace("-", " – "),
        " ".join(signs),
        signs.replace("0", "o").replace("1", "l"),
        signs.replace("0", "O").replace("1", "I"),
        full_width,
        f"my reference is {reference}. thanks",
        f"參考編號{reference}唔該",
    ):
        assert references.found_in(typed) == signs, typed
        assert references.TOKEN in references.hidden(typed)
        assert references.found_in(references.hidden(typed)) is None


@pytest.mark.parametrize(
    "text", ["what happened on 4 May 2023", "call 9123 4567 or 2345 6789", "ABSOLUTELY", "A123456(3)", "2023-05-04 10:00", ""]
)
def test_other_texts_hold_none(text: str) -> None:
    assert references.found_in(text) is None
    assert references.hidden(text) == text


def test_new_ones_are_different_and_have_letters_and_digits() -> None:
    made = {references.new_reference() for _ in range(2000)}
    assert len(made) == 2000
    assert all(len(one) == 11 and any(c.isalpha() for c in one) and any(c.isdigit() for c in one) for one in made)


def test_a_reference_finds_its_person_until_it_is_revoked(clinic: Clinic, index: BlindIndex) -> None:
    clinic.apply([HEADINGS, CHAN, LEE])
    with clinic.database.writing() as session:
        person = person_with_key(session, index, "P001")
        assert person is not None
        [(_, first)] = references.issue(session, index, [person.id], at=START)
        assert references.person_with(session, index, first.lower()) == person.id
        second = references.reissue(session, index, person.id, at=START)
        assert references.person_with(session, index, first) is None
        assert references.person_with(session, index, second) == person.id
        assert references.person_with(session, index, "no reference") is None
        entries = session.scalars(select(PersonReference.entry)).all()
        assert all(first.replace("-", "") not in entry for entry in entries)
