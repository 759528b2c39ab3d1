"""Cases of somebody who has shown who they are concern that person on file."""

from __future__ import annotations

from bot.desk.records import Known
from bot.desk.work.persons import persons_of
from tests.identity.conftest import House


def linked(house: House) -> list[tuple[int, str, str]]:
    """The persons of every open case, how that is known, and who says so."""
    with house.database.reading() as session:
        return [(row.person_id, row.known, row.by) for case in house.cases() for row in persons_of(session, case.id)]


def test_a_case_that_is_opened_by_somebody_verified_concerns_them(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    assert linked(house) == []
    patient.hears("I want to kill myself")
    assert linked(house) == [(house.person_id("P001"), Known.VERIFIED, "assistant")]
    patient.hears("and again: I want to kill myself")
    assert len(house.audited("case.person_linked")) == 1


def test_the_case_of_a_stranger_concerns_nobody(house: House) -> None:
    stranger = house.patient()
    stranger.asks_for_code(house.references["P001"])
    stranger.hears("000000")
    stranger.hears("I want to kill myself")
    assert len(house.cases()) == 1
    assert linked(house) == []
