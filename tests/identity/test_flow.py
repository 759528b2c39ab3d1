"""The identity check as patients and strangers meet it."""

from __future__ import annotations

from bot.conversations.models import Owner
from tests.identity.conftest import House


def test_a_reference_and_a_code_to_the_mobile_on_file_prove_who_is_asking(house: House) -> None:
    patient = house.patient()
    assert patient.hears("am i affected") == "<data_types en>\n\n<verify_start>"
    assert patient.owner() is Owner.BOT
    assert patient.chooses("verify_start") == "<verify_intro>"
    assert patient.owner() is Owner.VERIFYING
    assert patient.hears(f"it is {house.references['P001'].lower().replace('-', ' ')}, thanks") == "<verify_where>"
    assert patient.chooses("verify_by_mobile") == "<verify_code_sent>"
    assert patient.hears(house.code()).startswith("<verify_done>\n\n<my_data>")
    verified = patient.verified()
    assert verified is not None
    assert (verified.person_id, patient.owner()) == (house.person_id("P001"), Owner.BOT)
