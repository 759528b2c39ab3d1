"""Erasing a person: nothing of them is left in any table, in clear or under seal, and the proof still holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

import bot.assembly
from bot import erase
from bot.base import audit, evidence
from bot.base.database import Base
from bot.base.errors import BadInput, Tampered
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import HookKind
from bot.conversations.models import Thread
from bot.conversations.post.arrivals import ADDRESS
from bot.conversations.post.hooks import CONTENT
from bot.conversations.post.models import HookDelivery, HookStatus
from bot.desk.hours import switches
from bot.desk.models import Case, Outcome
from bot.desk.persons import contacts, requests
from bot.desk.records import Known, Switch
from bot.desk.staff import approvals
from bot.desk.staff.models import StaffAccount
from bot.desk.staff.roles import Role
from bot.desk.work import claims, ending, notebook, persons
from bot.patients.finding import Found, contacts_at, persons_named
from bot.patients.models import Person
from tests.conftest import Keys
from tests.desk.conftest import Desk, desk_content
from tests.desk.onfile import NEW, OLD, OTHER, WHY, person_on_file
from tests.make import FakeClock
from tests.people import publish

SECRETS = ("chan tai", "陳大文", "91234567", OTHER, "69998888", "my liver", "private remark", "rang about")
assert bot.assembly  # so that every table is known


@pytest.fixture
def desk(database, vault: Vault, index: BlindIndex, clock: FakeClock) -> Desk:  # type: ignore[no-untyped-def]
    """A desk over each kind of database."""
    publish(database, desk_content(), clock())
    return Desk(database, vault, index, clock)


def a_life(desk: Desk) -> tuple[int, int, int]:
    """A person with a finished case full of what could be read: person, case and officer."""
    person_id, agent, officer = person_on_file(desk), desk.colleague(Role.LEAD), desk.colleague(Role.PRIVACY_OFFICER)
    case_id = desk.case(channel="sms")
    at = desk.clock()
    with desk.database.writing() as session:
        case = session.get_one(Case, case_id)
        thread = session.get_one(Thread, case.thread_id)
        thread.sealed_address = desk.vault.seal(OLD, ADDRESS)
        thread.address_index = desk.index.index("line", OLD)
        hook = HookDelivery(
            kind=HookKind.TWILIO_MESSAGES.value,
            provider_id="SM1",
            sealed_content=desk.vault.seal('{"From": "+85291234567", "Body": "it is about my liver"}', CONTENT),
            status=HookStatus.APPLIED.value,
            received_at=at,
        )
        session.add(hook)
        thread_id = case.thread_id
    desk.turn(thread_id, "it is about my liver")
    with desk.database.writing() as session:
        persons.link(session, desk.vault, case_id, person_id, Known.CONFIRMED, staff_id=None, at=at)
        claims.claim(session, desk.vault, case_id, agent, at=at)
        notebook.add_note(session, desk.vault, case_id, agent, at, text="a private remark")
        contacts.ask_change(session, desk.vault, person_id, NEW, replaces=None, reason="Chan Tai rang about it", by=agent, at=at)
    with desk.database.writing() as session:
        ending.resolve(session, desk.vault, desk.published, case_id, agent, at, outcome=Outcome.ANSWERED)
    return person_id, case_id, officer


def everything(desk: Desk) -> Iterator[tuple[str, str]]:
    """Every text in every table, opened where it is sealed."""
    contexts = contexts_of()
    with desk.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name.startswith("staff_"):
                continue
            for row in session.execute(select(table)):
                for column, value in row._mapping.items():
                    where = f"{table.name}.{column}"
                    yield where, str(value).casefold()
                    if isinstance(value, str) and str(column).startswith("sealed_") and value:
                        yield where, opened(desk.vault, value, contexts).casefold()


def contexts_of() -> list[str]:
    """Every context under which something is sealed."""
    import re

    from bot.base.settings import REPOSITORY

    texts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "bot").rglob("*.py")]
    return sorted({found for text in texts for found in re.findall(r'^[A-Z_]+ = "([a-z_]+\.[a-z_]+)"', text, re.MULTILINE)})


def opened(vault: Vault, value: str, contexts: list[str]) -> str:
    for context in contexts:
        try:
            return vault.open(value, context)
        except Tampered:
            continue
    raise AssertionError("something is sealed under a context that this test does not know")


def erased(desk: Desk, person_id: int, officer: int) -> erase.Erased:
    with desk.database.writing() as session:
        return erase.erase(session, desk.vault, person_id, by=f"staff:{officer}", at=desk.clock())


def test_before_it_everything_can_be_read_and_after_it_nothing(desk: Desk) -> None:
    person_id, _, officer = a_life(desk)
    before = {secret for secret in SECRETS for _, text in everything(desk) if secret in text}
    assert before == set(SECRETS)
    done = erased(desk, person_id, officer)
    assert (done.threads, done.contacts) == (1, 2)
    assert done.entries > 3
    left = [(where, secret) for where, text in everything(desk) for secret in SECRETS if secret in text]
    assert left == []


def test_nobody_finds_the_person_any_more_and_the_case_is_still_counted(desk: Desk) -> None:
    person_id, case_id, officer = a_life(desk)
    erased(desk, person_id, officer)
    with desk.database.reading() as session:
        assert contacts_at(session, desk.index, Found.PHONE, OLD) == []
        assert persons_named(session, desk.index, "chan") == []
        assert session.get(Person, person_id) is not None
    assert desk.look(case_id).outcome == Outcome.ANSWERED


def test_the_seal_still_holds_before_and_after_the_sealer_has_passed(desk: Desk, keys: Keys) -> None:
    person_id, _, officer = a_life(desk)
    audit.seal(desk.database, keys.audit, desk.clock())
    erased(desk, person_id, officer)
    for _ in range(2):
        verdict = evidence.verify(desk.database, keys.audit, vault=desk.vault)
        assert verdict.ok, verdict.problem
        audit.seal(desk.database, keys.audit, desk.clock())
    assert verdict.erased > 0


def test_an_open_case_is_closed_first(desk: Desk) -> None:
    person_id, officer = person_on_file(desk), desk.colleague(Role.PRIVACY_OFFICER)
    case_id = desk.case()
    with desk.database.writing() as session:
        persons.link(session, desk.vault, case_id, person_id, Known.MENTIONED, staff_id=officer, at=desk.clock())
    with pytest.raises(BadInput, match="close it first"):
        erased(desk, person_id, officer)


def test_a_legal_hold_keeps_what_was_to_be_erased(desk: Desk) -> None:
    person_id, _, officer = a_life(desk)
    with desk.database.writing() as session:
        switches.turn_on(
            session, desk.vault, Switch.LEGAL_HOLD, by=f"staff:{officer}", at=desk.clock(), why="the regulator asked"
        )
    with pytest.raises(BadInput, match="legal hold"):
        erased(desk, person_id, officer)
    with desk.database.writing() as session:
        switches.turn_off(
            session, desk.vault, Switch.LEGAL_HOLD, by=f"staff:{officer}", at=desk.clock(), why="the regulator asked"
        )
    assert erased(desk, person_id, officer).threads == 1


def test_an_address_that_two_people_share_takes_nobodys_words_away(desk: Desk) -> None:
    person_id, officer = person_on_file(desk), desk.colleague(Role.PRIVACY_OFFICER)
    person_on_file(desk)
    thread_id = desk.thread("sms")
    with desk.database.writing() as session:
        session.get_one(Thread, thread_id).sealed_address = desk.vault.seal(OLD, ADDRESS)
    desk.turn(thread_id, "whose words are these")
    assert erased(desk, person_id, officer).threads == 0
    assert any("whose words are these" in text for _, text in everything(desk))


def test_nobody_asks_and_agrees_alone(desk: Desk) -> None:
    person_id, another, officer = person_on_file(desk), person_on_file(desk), desk.colleague(Role.PRIVACY_OFFICER)
    for what in (approvals.What.ERASURE, approvals.What.EXPORT):
        with desk.database.writing() as session:
            asked = requests.ask(session, desk.vault, what, person_id, reason=WHY, by=officer, at=desk.clock()).id
        with pytest.raises(BadInput, match="another person"), desk.database.writing() as session:
            approvals.approve(session, desk.vault, asked, by=officer, at=desk.clock())
        lead = desk.colleague(Role.LEAD)
        with pytest.raises(BadInput, match="role"), desk.database.writing() as session:
            requests.ask(session, desk.vault, what, another, reason=WHY, by=lead, at=desk.clock())
    with desk.database.reading() as session:
        assert session.get(StaffAccount, officer) is not None
