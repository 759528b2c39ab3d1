"""A contact is changed by two people, keeps what was before, and is not undone by a roster."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.base.errors import BadInput
from bot.patients.changing import Changed, Deciders, change_contact
from bot.patients.finding import Found, address_of, contacts_at, person_with_key
from bot.patients.models import ContactPoint
from tests.make import START
from tests.patients.conftest import CHAN, HEADINGS, LEE, Clinic

TWO = Deciders("privacy officer", "lead")


@pytest.fixture
def stocked(clinic: Clinic) -> Clinic:
    clinic.apply([HEADINGS, CHAN, LEE])
    return clinic


def number_of(clinic: Clinic, key: str = "P001") -> int:
    with clinic.database.reading() as session:
        person = person_with_key(session, clinic.index, key)
        assert person is not None
        return person.id


def changed(clinic: Clinic, value: str, deciders: Deciders = TWO, replaces: int | None = None) -> Changed:
    person_id = number_of(clinic)
    with clinic.database.writing() as session:
        session.expire_on_commit = False
        return change_contact(session, clinic.vault, clinic.index, person_id, value, deciders, START, replaces=replaces)


def points(clinic: Clinic) -> list[tuple[int, str, str | None]]:
    person_id = number_of(clinic)
    with clinic.database.reading() as session:
        rows = session.scalars(select(ContactPoint).where(ContactPoint.person_id == person_id).order_by(ContactPoint.id))
        return [(row.id, address_of(row, clinic.vault), row.retired_because) for row in rows]


def test_a_new_number_takes_the_place_of_the_old_one_which_is_given_back_to_be_told(stocked: Clinic) -> None:
    old = next(number for number, value, _ in points(stocked) if value.startswith("+852"))
    done = changed(stocked, "6999 8888", replaces=old)
    assert old in [point.id for point in done.to_tell]
    assert (old, "replaced") in [(number, because) for number, _, because in points(stocked)]
    with stocked.database.reading() as session:
        assert [point.person_id for point in contacts_at(session, stocked.index, Found.PHONE, "+85269998888")] == [
            number_of(stocked)
        ]


def test_a_roster_that_still_has_the_old_one_does_not_revive_it(stocked: Clinic) -> None:
    old = next(number for number, value, _ in points(stocked) if "@" in value)
    changed(stocked, "new@example.com", replaces=old)
    stocked.apply([HEADINGS, CHAN, LEE])
    kept = {value: because for _, value, because in points(stocked)}
    assert kept["chan@example.com"] == "replaced"
    assert kept["new@example.com"] is None


@pytest.mark.parametrize(
    "deciders", [Deciders("lead", "lead"), Deciders("Lead", " lead "), Deciders("", "lead"), Deciders(" ", "lead")]
)
def test_one_person_alone_changes_nothing(stocked: Clinic, deciders: Deciders) -> None:
    before = points(stocked)
    with pytest.raises(BadInput):
        changed(stocked, "6999 8888", deciders)
    assert points(stocked) == before


@pytest.mark.parametrize("value", ["", "see letter", "a@b.com, c@d.com", "12", "chan@example.com", "1 Sample Road"])
def test_what_is_no_new_address_is_refused(stocked: Clinic, value: str) -> None:
    with pytest.raises(BadInput):
        changed(stocked, value)


def test_the_contact_of_somebody_else_is_not_replaced(stocked: Clinic) -> None:
    person_id = number_of(stocked, "P002")
    with stocked.database.reading() as session:
        other = session.scalars(select(ContactPoint.id).where(ContactPoint.person_id == person_id)).first()
    with pytest.raises(BadInput):
        changed(stocked, "6999 8888", replaces=other)
