"""The identity check as patients and strangers meet it."""

from __future__ import annotations

from bot.conversations.models import Owner
from tests.identity.conftest import House


def test_a_reference_and_a_code_to_the_mobile_on_file_prove_who_is_asking(house: House) -> None:
    patient = house.patient()
    assert patient.starts() == "<data_types en>\n\n<verify_intro>"
    assert patient.owner() is Owner.VERIFYING
    assert patient.hears(f"it is {house.references['P001'].lower().replace('-', ' ')}, thanks") == "<verify_where>"
    assert patient.chooses("verify_by_mobile") == "<verify_code_sent>"
    assert patient.hears(house.code()) == "<verify_done>\n\n<data_types en>"
    verified = patient.verified()
    assert verified is not None
    assert verified.person_id == house.person_id("P001")
    assert (house.told, patient.owner()) == ([("am_i_affected", verified.person_id)], Owner.BOT)
