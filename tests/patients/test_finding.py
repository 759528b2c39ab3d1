"""Persons are found by what is known of them, and only those contacts are given that may be used."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.base.vault import BlindIndex, Vault
from bot.patients import finding
from bot.patients.finding import Found
from bot.patients.models import Category, Person
from tests.patients.conftest import CHAN, HEADINGS, LEE, Clinic

ALL = [*HEADINGS, "Minor", "Guardian Key", "Safe contact"]
CHILD = ["P003", "CHAN Siu Bo", "陳小寶", "chan@example.com", "91234567", CHAN[5], "identity", "y", "P001", ""]
HIDING = [
    "P004",
    "HO Mei",
    "",
    "ho@example.com",
    "6123 4567",
    "1 Other Road",
    "identity",
    "",
    "",
    "6123 4567",
]


@pytest.fixture
def stocked(clinic: Clinic) -> Clinic:
    """A clinic with a family and a person who hides."""
    clinic.apply([ALL, [*CHAN, "", "", ""], [*LEE, "", "", ""], CHILD, HIDING])
    return clinic


def keys_of(persons: Sequence[Person], vault: Vault) -> list[str]:
    return [finding.particulars(person, vault).key for person in persons]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chan", ["P001", "P003"]),
        ("Tai Man Chan", ["P001"]),
        ("陳小寶", ["P003"]),
        ("Chan 陳大文", ["P001"]),
        ("wong", []),
        ("  ", []),
    ],
)
def test_a_name_finds_who_has_all_of_its_words(stocked: Clinic, name: str, expected: list[str]) -> None:
    with stocked.database.reading() as session:
        assert sorted(keys_of(finding.persons_named(session, stocked.index, name), stocked.vault)) == expected


def test_a_shared_address_finds_everybody_on_it(stocked: Clinic) -> None:
    with stocked.database.reading() as session:
        found = finding.contacts_at(session, stocked.index, Found.PHONE, "+852 9123-4567")
        assert len({point.person_id for point in found}) == 2
        assert finding.sharing(session, found[0]) == 2
        assert finding.address_of(found[0], stocked.vault) == "+85291234567"
        assert finding.contacts_at(session, stocked.index, Found.EMAIL, "nobody") == []
        assert finding.contacts_at(session, stocked.index, Found.EMAIL, "x@example.com") == []
        assert len(finding.contacts_at(session, stocked.index, Found.EMAIL, "LEE@example.com")) == 1


def test_a_key_finds_its_person_in_any_case(stocked: Clinic, index: BlindIndex) -> None:
    with stocked.database.reading() as session:
        person = finding.person_with_key(session, index, " p001 ")
        assert person is not None
        known = finding.particulars(person, stocked.vault)
        assert (known.name, known.name_zh) == ("CHAN Tai Man", "陳大文")
        assert known.categories == (Category.IDENTITY, Category.CONTACT)
        assert "CHAN" not in repr(known)
        assert keys_of(finding.wards_of(session, person.id), stocked.vault) == ["P003"]
        assert keys_of(finding.household_of(session, person), stocked.vault) == ["P003"]
        assert finding.person_with_key(session, index, "P999") is None


def test_of_a_person_with_a_safe_contact_no_other_may_be_used(stocked: Clinic, index: BlindIndex) -> None:
    with stocked.database.reading() as session:
        hiding, chan = (finding.person_with_key(session, index, key) for key in ("P004", "P001"))
        assert hiding is not None
        assert chan is not None
        usable = [finding.address_of(point, stocked.vault) for point in finding.usable_contacts(session, hiding.id)]
        assert usable == ["+85261234567"]
        assert len(finding.usable_contacts(session, chan.id)) == 3
