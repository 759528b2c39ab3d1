"""Merging: of one proven person alone, under lock, and to be undone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from bot.base.errors import BadInput
from bot.desk.cases import unresolved_case
from bot.desk.models import Case, CaseStatus
from bot.desk.records import Known
from bot.desk.staff.roles import Role
from bot.desk.work import claims, persons
from bot.patients.models import Person, RosterImport
from tests.desk.conftest import Desk


def a_person(desk: Desk, key: str = "p1") -> int:
    with desk.database.writing() as session:
        batch = RosterImport(digest="0" * 64, by="test", at=desk.clock(), counts={})
        session.add(batch)
        session.flush()
        person = Person(key_entry=f"i.1.{key}", sealed_record="x", language="en", import_id=batch.id)
        session.add(person)
        session.flush()
        return person.id


def link(desk: Desk, case_id: int, person_id: int, known: Known) -> None:
    with desk.database.writing() as session:
        persons.link(session, desk.vault, case_id, person_id, known, staff_id=None, at=desk.clock())


def merge(desk: Desk, case_id: int, into_id: int, staff_id: int) -> str:
    try:
        with desk.database.writing() as session:
            return persons.merge(session, desk.vault, case_id, into_id, staff_id=staff_id, at=desk.clock()).number
    except BadInput as refused:
        return str(refused)


@pytest.mark.parametrize("known", [None, Known.MENTIONED])
def test_without_proof_that_it_is_one_person_nothing_is_merged(lite: Desk, known: Known | None) -> None:
    lead, person = lite.colleague(Role.LEAD), a_person(lite)
    one, other = lite.case(channel="sms"), lite.case(channel="whatsapp")  # from the same number
    link(lite, one, person, Known.VERIFIED)
    if known:
        link(lite, other, person, known)
    assert "not proven" in merge(lite, one, other, lead)


def test_merged_in_opposite_directions_at_once_one_case_stays_live(desk: Desk) -> None:
    lead, person = desk.colleague(Role.LEAD), a_person(desk)
    one, other = desk.case(), desk.case()
    link(desk, one, person, Known.VERIFIED)
    link(desk, other, person, Known.CONFIRMED)
    pairs = [(one, other), (other, one)] * 4
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda pair: merge(desk, *pair, lead), pairs))
    numbers = {desk.look(one).number, desk.look(other).number}
    assert len([text for text in said if text in numbers]) == 1
    assert {desk.look(one).status, desk.look(other).status} == {CaseStatus.OPEN, CaseStatus.MERGED}


def test_what_comes_on_either_thread_waits_in_one_case_until_it_is_undone(desk: Desk) -> None:
    lead, person = desk.colleague(Role.LEAD), a_person(desk)
    urgent, plain = desk.case("self_harm"), desk.case("patient_wish")
    for case_id in (urgent, plain):
        link(desk, case_id, person, Known.VERIFIED)
    with desk.database.reading() as session:
        assert [case.id for case in persons.others_of(session, urgent)] == [plain]
    assert merge(desk, urgent, plain, lead) == desk.look(plain).number
    merged = desk.look(plain)
    assert (merged.priority, merged.reason) == (0, "self_harm")
    before = merged.version
    desk.turn(desk.look(urgent).thread_id, "on the first thread")
    assert desk.look(plain).version > before
    with desk.database.reading() as session:
        found = unresolved_case(session, desk.look(urgent).thread_id)
        assert found is not None
        assert found.id == plain
        threads = {thread.id for thread in persons.threads_of(session, merged)}
        assert threads == {desk.look(urgent).thread_id, merged.thread_id}
    with desk.database.writing() as session:
        persons.undo_merge(session, desk.vault, urgent, staff_id=lead, at=desk.clock())
        with pytest.raises(BadInput, match="not merged"):
            persons.undo_merge(session, desk.vault, urgent, staff_id=lead, at=desk.clock())
    assert (desk.look(urgent).status, desk.look(urgent).priority) == (CaseStatus.OPEN, 0)
    assert (desk.look(plain).priority, desk.look(plain).reason) == (3, "patient_wish")


def test_a_chain_of_merges_leads_to_the_last(lite: Desk) -> None:
    lead, person = lite.colleague(Role.LEAD), a_person(lite)
    first, second, third = lite.case(), lite.case(), lite.case()
    for case_id in (first, second, third):
        link(lite, case_id, person, Known.VERIFIED)
    merge(lite, first, second, lead)
    merge(lite, second, third, lead)
    with lite.database.reading() as session:
        found = unresolved_case(session, lite.look(first).thread_id)
        assert found is not None
        assert found.id == third
        assert len(persons.threads_of(session, lite.look(third))) == 3
    with lite.database.reading() as session:
        assert session.scalars(select(Case.merged_into).where(Case.id == first)).one() == third


def test_a_colleagues_case_is_not_merged_away(lite: Desk) -> None:
    lead, agent, person = lite.colleague(Role.LEAD), lite.colleague(), a_person(lite)
    one, other = lite.case(), lite.case()
    for case_id in (one, other):
        link(lite, case_id, person, Known.VERIFIED)
    with lite.database.writing() as session:
        claims.claim(session, lite.vault, one, agent, lite.clock())
    assert "colleague" in merge(lite, one, other, lead)
    assert "itself" in merge(lite, one, one, lead)


def test_knowing_better_is_never_forgotten(lite: Desk) -> None:
    case_id, person = lite.case(), a_person(lite)
    for known in (Known.MENTIONED, Known.VERIFIED, Known.CONFIRMED, Known.MENTIONED):
        link(lite, case_id, person, known)
    with lite.database.reading() as session:
        assert [row.known for row in persons.persons_of(session, case_id)] == [Known.VERIFIED]
