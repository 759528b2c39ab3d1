"""Deeds in conversation: what a verified patient hears and gets done, and what everybody else does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.conversations.models import Owner
from bot.conversations.speaking import proposal, wording
from bot.conversations.speaking.levels import Level, Verified
from bot.conversations.speaking.publication import Library
from bot.deeds.carrying import NOT_BY_ASSISTANT, Deeds
from bot.deeds.shapes import Asked, Done, choice_for, chosen_deed
from bot.patients import disclosure
from bot.patients.disclosure import HoldReason
from bot.patients.models import ContactPoint, LinkKind, Person, PersonLink
from bot.patients.notices.models import NoticeImport, NoticeOnFile
from tests.identity.conftest import House

CONTENT = proposal.read(REPOSITORY / "data")


class Desk:
    """Asks for deeds on a thread of its own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.deeds = Deeds(house.vault, house.index, Library())
        self.thread_id = house.patient().thread_id

    def asks(self, name: str, key: str | None = None, details: dict[str, str] | None = None, **more: Any) -> Done:
        """Ask for a deed as the person with this key, or as somebody who has shown nothing."""
        now = self.house.clock()
        proof = Verified(1, self.house.person_id(key), now + timedelta(minutes=30)) if key else None
        asked = Asked(name, self.thread_id, "web", Language.EN, CONTENT, now, proof, details or {}, **more)
        with self.house.database.writing() as session:
            return self.deeds.carry_out(session, asked)

    def change(self, do: Callable[[Any], None]) -> None:
        with self.house.database.writing() as session:
            do(session)


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


DEEDS = ("am_i_affected", "my_notices", "my_case", "resend_notice", "change_contact", "ask_contact_change", "stop_messages",
         "stop_all_messages", "resume_messages")  # fmt: skip


@pytest.mark.parametrize("name", DEEDS)
def test_who_has_shown_nothing_gets_the_way_to_do_so_and_nothing_else(desk: Desk, name: str) -> None:
    assert desk.asks(name) == Done(offer=("verify_start",))
    assert desk.asks(name, None, {"for": "1", "place": "1"}) == Done(offer=("verify_start",))


def test_a_verified_patient_learns_which_kinds_of_data_were_held(desk: Desk) -> None:
    done = desk.asks("am_i_affected", "P001")
    assert done.say[0] == "my_data"
    assert done.values["categories"]
    assert "verify_log_out" in done.offer


def test_nobody_is_told_that_they_are_not_affected(desk: Desk) -> None:
    import json

    from bot.patients.finding import particulars
    from bot.patients.models import RECORD

    def forget(session: Any) -> None:
        person = session.get_one(Person, desk.house.person_id("P001"))
        record = json.loads(desk.house.vault.open(person.sealed_record, RECORD))
        person.sealed_record = desk.house.vault.seal(json.dumps({**record, "categories": []}), RECORD)
        assert particulars(person, desk.house.vault).categories == ()

    desk.change(forget)
    done = desk.asks("am_i_affected", "P001")
    assert done.say[0] == "my_data_none"


def test_notices_are_listed_with_day_name_and_way(desk: Desk) -> None:
    person_id = desk.house.person_id("P001")

    def send(session: Any) -> None:
        session.add(NoticeImport(id=1, digest="0" * 64, by="tester", at=desk.house.clock(), added=1))
        session.flush()
        session.add(
            NoticeOnFile(
                person_id=person_id, name="First notice", version="1", way="email", sent_on=date(2023, 5, 5), import_id=1
            )
        )

    assert desk.asks("my_notices", "P001").say[0] == "my_notices_none"
    desk.change(send)
    assert desk.asks("my_notices", "P001").values["notices"] == "5 May 2023: First notice (1), by e-mail"
    assert desk.asks("my_notices", "P002").say[0] == "my_notices_none"


def test_resending_and_changing_open_cases_and_change_nothing_themselves(desk: Desk) -> None:
    def points() -> list[Any]:
        with desk.house.database.reading() as session:
            return [
                (row.id, row.entry, row.retired_at) for row in session.scalars(select(ContactPoint).order_by(ContactPoint.id))
            ]

    before = points()
    assert desk.asks("resend_notice", "P001").reason == "notice_resend"
    assert desk.asks("change_contact", "P001").reason is None
    assert desk.asks("ask_contact_change", "P001").reason == "contact_change"
    assert points() == before


def test_a_stop_is_a_choice_of_its_own_and_can_be_taken_back(desk: Desk) -> None:
    person_id = desk.house.person_id("P001")

    def stopped() -> bool:
        with desk.house.database.reading() as session:
            return disclosure.has_stopped(session, person_id)

    assert "stop_all_messages" in desk.asks("stop_messages", "P001").offer
    assert not stopped()
    desk.asks("stop_all_messages", "P001")
    assert stopped()
    desk.asks("resume_messages", "P001")
    assert not stopped()


@pytest.mark.parametrize("flag", ["protected", "deceased", "held"])
def test_of_some_people_only_the_team_speaks(desk: Desk, flag: str) -> None:
    def mark(session: Any) -> None:
        person = session.get_one(Person, desk.house.person_id("P001"))
        if flag == "held":
            disclosure.hold(session, person.id, HoldReason.IDENTITY_DOUBTED, desk.house.clock())
        else:
            setattr(person, flag, True)

    desk.change(mark)
    for name in DEEDS:
        assert desk.asks(name, "P001") == NOT_BY_ASSISTANT


# ------------------------------------------------------------ wards


@pytest.fixture
def family(desk: Desk) -> Desk:
    """P001 is the guardian of P002 on file, P003 only the employer."""

    guardian, child, employer = (desk.house.person_id(key) for key in ("P001", "P002", "P003"))

    def link(session: Any) -> None:
        session.query(PersonLink).delete()
        session.add(PersonLink(person_id=child, kind=LinkKind.GUARDIAN.value, other_id=guardian))
        session.add(PersonLink(person_id=child, kind=LinkKind.EMPLOYER.value, other_id=employer))

    desk.change(link)
    return desk


def ward(desk: Desk, key: str = "P002") -> dict[str, str]:
    return {"for": str(desk.house.person_id(key)), "place": "1"}


def test_a_guardian_on_file_may_choose_a_ward(family: Desk) -> None:
    done = family.asks("am_i_affected", "P001")
    assert done.say[-1] == "my_wards"
    (choice,) = [offer for offer in done.offer if "@" in offer]
    assert chosen_deed(choice) == ("am_i_affected", ward(family))
    assert family.asks("am_i_affected", "P001", ward(family)).values["whom"] == "person 1"


def test_nobody_is_told_about_a_ward_without_the_link(family: Desk) -> None:
    for key, about in (("P003", "P002"), ("P001", "P003"), ("P002", "P001")):
        assert family.asks("am_i_affected", key, ward(family, about)) == NOT_BY_ASSISTANT


def test_a_ward_who_must_be_safe_from_somebody_is_not_shown_to_the_guardian(family: Desk) -> None:
    def protect(session: Any) -> None:
        point = session.scalars(select(ContactPoint).where(ContactPoint.person_id == family.house.person_id("P002"))).first()
        point.safe = True

    family.change(protect)
    assert family.asks("am_i_affected", "P001").say == ("my_data",)
    assert family.asks("am_i_affected", "P001", ward(family)).reason == "personal_answer"


def test_a_guardian_of_whom_only_the_team_speaks_learns_nothing_about_a_ward(family: Desk) -> None:
    person_id, now = family.house.person_id("P001"), family.house.clock()
    family.change(lambda session: disclosure.hold(session, person_id, HoldReason.IDENTITY_DOUBTED, now))
    assert family.asks("am_i_affected", "P001", ward(family)).reason == "personal_answer"


NEVER_OFFERED = ("my_case@1#1", "change_contact@1#1", "my_notices@x#1", "my_notices@1#0", "my_notices@1", "a@1#1", "data_types")


@pytest.mark.parametrize("topic", NEVER_OFFERED)
def test_a_choice_that_was_never_offered_is_no_deed(topic: str) -> None:
    assert chosen_deed(topic) is None


def test_a_choice_is_read_as_it_was_written() -> None:
    assert chosen_deed(choice_for("my_notices", 123456789012345, 6)) == ("my_notices", {"for": "123456789012345", "place": "6"})


# ------------------------------------------------------------ whoever reads at a contact


def used(house: House, key: str) -> list[str]:
    with house.database.reading() as session:
        mine = select(ContactPoint).where(ContactPoint.person_id == house.person_id(key), ContactPoint.retired_at.is_(None))
        return [point.kind for point in session.scalars(mine)]


def number_of(house: House, key: str) -> str:
    from bot.patients.finding import address_of

    with house.database.reading() as session:
        mine = select(ContactPoint).where(ContactPoint.person_id == house.person_id(key), ContactPoint.kind == "mobile")
        return address_of(session.scalars(mine).first(), house.vault)  # type: ignore[arg-type]


def test_a_wrong_number_is_not_used_any_more_and_a_person_looks(house: House) -> None:
    owner = house.patient("sms", number_of(house, "P002"))
    assert owner.hears("Wrong number, sorry").startswith("<not_this_person")
    assert "mobile" not in used(house, "P002")
    assert [case.reason for case in house.cases()] == ["wrong_contact"]


def test_somebody_who_is_not_on_file_hears_the_same_and_gets_a_case_too(house: House) -> None:
    known = house.patient("sms", number_of(house, "P002")).hears("wrong number")
    unknown = house.patient("sms", "+85259999999").hears("wrong number")
    assert known.split("-")[0][:20] == unknown.split("-")[0][:20]
    assert [case.reason for case in house.cases()] == ["wrong_contact", "wrong_contact"]


def test_a_death_holds_what_is_told_and_the_contact_is_not_used(house: House) -> None:
    house.patient("sms", number_of(house, "P002")).hears("He has passed away")
    with house.database.reading() as session:
        assert disclosure.is_held(session, house.person_id("P002"))
    assert "mobile" not in used(house, "P002")


def test_the_same_words_on_the_web_change_nothing(house: House) -> None:
    house.patient().hears("wrong number")
    assert "mobile" in used(house, "P002")
    assert house.cases() == []


def test_of_several_who_share_a_number_nobody_is_taken_for_dead(house: House) -> None:
    house.patient("sms", number_of(house, "P003")).hears("He has passed away")
    with house.database.reading() as session:
        assert not disclosure.is_held(session, house.person_id("P003"))
    assert "mobile" in used(house, "P003")
    assert [case.reason for case in house.cases()] == ["deceased_patient"]


def test_not_me_after_a_note_stops_what_is_told_and_keeps_the_contact_that_warned(house: House) -> None:
    thief = house.patient()
    thief.asks_for_code(house.references["P001"])
    thief.hears(house.code())
    assert thief.verified() is not None
    owner = house.patient("email", "chan@example.com")
    assert owner.hears("not me").startswith("<not_this_person")
    assert thief.verified() is None
    assert "email" in used(house, "P001")
    assert [case.reason for case in house.cases()] == ["identity_doubted"]
    with house.database.reading() as session:
        assert disclosure.is_held(session, house.person_id("P001"))


def test_a_verified_patient_who_asks_gets_the_personal_answer_in_place_of_the_general_one(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    answered = patient.hears("am i affected")
    assert answered.startswith("<my_data>")
    assert patient.owner() is Owner.BOT
    patient.hears("log out")
    assert "<my_data" not in patient.hears("am i affected")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("channel", ["web", "sms"])
def test_whatever_a_deed_says_can_be_said_in_every_language(family: Desk, language: Language, channel: str) -> None:
    for name in DEEDS:
        for details in ({}, ward(family)):
            done = family.asks(name, "P001", details)
            for said in done.say:
                values = {"case_number": "4812-0736-5", **done.values}
                assert wording.render(CONTENT, said, language, channel, values, Level.VERIFIED).text
            for offer in done.offer:
                assert wording.label(CONTENT, offer, language)


def test_what_is_personal_is_marked_so() -> None:
    personal = {name for name in CONTENT["wordings"] if name.startswith(("my_", "messages_"))}
    assert len(personal) >= 11
    assert {name for name in personal if CONTENT["wordings"][name]["level"] != "verified"} == set()
