"""What the authorities are told: out of the same facts, by two people, with what is not known said, and on time."""

from __future__ import annotations

import copy
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from bot.base import audit, evidence
from bot.base.audit import AuditEntry, content_of
from bot.base.database import Database
from bot.base.errors import BadInput, IllegalMove, Tampered
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault
from bot.campaigns import life
from bot.campaigns.models import Obligation
from bot.campaigns.plan import Plan
from bot.conversations.speaking import proposal
from bot.conversations.speaking.publication import Library
from bot.regulators import filings, writing
from bot.regulators.authorities import authorities
from bot.regulators.models import Filing, FilingStatus
from tests.campaigns.house import Clinic
from tests.conftest import Keys
from tests.make import FakeClock
from tests.people import publish

SEED = REPOSITORY / "data"
DRAFTER, OTHER = "Wong", "Lee"


def content(**facts: Any) -> dict[str, Any]:
    """The shipped incident, with some facts otherwise."""
    read: dict[str, Any] = copy.deepcopy(dict(proposal.read(SEED)))
    for name, value in facts.items():
        read["facts"][name] = {**read["facts"][name], "value": value, "as_of": "2023-05-10" if value else None}
    return read


@pytest.fixture
def house(database: Database, clock: FakeClock) -> Database:
    """A database in which the shipped incident is published."""
    clock.now = datetime(2023, 5, 5, 2, tzinfo=UTC)
    publish(database, content(health_department_told_on=None, authorities_told=None), clock())
    return database


def drafted(house: Database, vault: Vault, clock: FakeClock, key: str = "privacy_commissioner") -> Filing:
    with house.writing() as session:
        return filings.draft(session, vault, Library(), key, by=DRAFTER, at=clock())


def approved(house: Database, vault: Vault, clock: FakeClock, number: int) -> Filing:
    with house.writing() as session:
        return filings.approve(session, vault, number, by=OTHER, at=clock())


def filed(house: Database, vault: Vault, clock: FakeClock, number: int) -> Filing:
    with house.writing() as session:
        return filings.file(session, vault, number, how="online form", reference="DBN 1", filed_at=None, by=DRAFTER, at=clock())


def standing(house: Database, clock: FakeClock, key: str = "privacy_commissioner") -> filings.Standing:
    with house.reading() as session:
        return filings.standing(session, Library(), key, clock())


@pytest.mark.parametrize("key", authorities())
def test_every_document_is_written_from_the_facts_and_says_what_is_not_known(
    house: Database, vault: Vault, clock: FakeClock, key: str
) -> None:
    filing = drafted(house, vault, clock, key)
    assert "Larkmoor Healthcare" in filing.text
    assert "4 May 2023" in filing.text
    assert "not known yet" in filing.text
    assert "whether records were copied, and how much" in filing.text.split("What is not known yet")[1]
    assert not re.search(r"\{\{|\}\}|None|\bnull\b", filing.text)
    reader = PdfReader(io.BytesIO(writing.pdf(filing)))
    words = " ".join("".join(page.extract_text() for page in reader.pages).split())
    assert "draft: not for handing over" in words
    assert filing.digest in words.replace(" ", "")


def test_the_commissioners_document_has_the_sections_of_the_form(house: Database, vault: Vault, clock: FakeClock) -> None:
    text = drafted(house, vault, clock).text
    for section in ("data user", "Contact person", "What happened", "Personal data", "risk", "Measures", "Notification of data"):
        assert section in text


def test_every_authority_has_a_template_a_fact_and_sources() -> None:
    facts = proposal.read_incident(SEED)["facts"]
    for key, one in authorities().items():
        assert (writing.FOLDER / f"{key}.md").is_file()
        assert one.told in facts
        assert one.sources


def test_who_wrote_it_does_not_approve_it_and_nothing_is_filed_unapproved(
    house: Database, vault: Vault, clock: FakeClock
) -> None:
    number = drafted(house, vault, clock).id
    with pytest.raises(BadInput, match="Somebody else"), house.writing() as session:
        filings.approve(session, vault, number, by=f" {DRAFTER.upper()} ", at=clock())
    with pytest.raises(IllegalMove):
        filed(house, vault, clock, number)
    approved(house, vault, clock, number)
    assert filed(house, vault, clock, number).status == FilingStatus.FILED
    with pytest.raises(IllegalMove), house.writing() as session:
        filings.withdraw(session, vault, number, why="no", by=OTHER, at=clock())


def test_a_text_that_was_changed_after_it_was_drafted_is_not_approved(house: Database, vault: Vault, clock: FakeClock) -> None:
    number = drafted(house, vault, clock).id
    with house.writing() as session:
        session.execute(sa.text("UPDATE regulator_filings SET text = 'nothing happened'"))
    with pytest.raises(Tampered):
        approved(house, vault, clock, number)


def test_two_documents_for_one_authority_are_not_open_at_once(house: Database, vault: Vault, clock: FakeClock) -> None:
    first = drafted(house, vault, clock)
    with pytest.raises(BadInput, match="is draft"):
        drafted(house, vault, clock)
    with house.writing() as session:
        filings.withdraw(session, vault, first.id, why="a typing slip", by=DRAFTER, at=clock())
    second = drafted(house, vault, clock)
    assert second.number == 2
    assert "first report" in second.text  # what was withdrawn was never a report


def test_the_clocks(house: Database, vault: Vault, clock: FakeClock) -> None:
    now = standing(house, clock)
    assert now.due_at == datetime(2023, 5, 5, 16, tzinfo=UTC)  # a day after the end of 4 May in Hong Kong
    assert not now.is_overdue(clock())
    assert standing(house, clock).is_overdue(clock.advance(hours=15))
    number = drafted(house, vault, clock).id
    approved(house, vault, clock, number)
    filed(house, vault, clock, number)
    now = standing(house, clock)
    assert (now.why, now.due_at) == ("the investigation goes on", clock() + timedelta(days=14))


def test_a_day_on_which_it_was_told_before_counts(house: Database, clock: FakeClock) -> None:
    clock.advance(days=1)
    publish(house, content(health_department_told_on="2023-05-05"), clock())
    now = standing(house, clock, "health_department")
    assert (now.due_at, str(now.told_on)) == (None, "2023-05-05")


def test_told_on_a_day_that_nobody_knows_is_not_overdue_and_the_day_is_asked_for(house: Database, clock: FakeClock) -> None:
    clock.advance(days=9)
    publish(house, content(), clock())
    now = standing(house, clock, "police")
    assert now.due_at is None
    assert "police_told_on" in now.why


def test_new_facts_make_a_follow_up_due_that_lists_them(house: Database, vault: Vault, clock: FakeClock) -> None:
    number = drafted(house, vault, clock).id
    approved(house, vault, clock, number)
    filed(house, vault, clock, number)
    clock.advance(days=2)
    publish(house, content(health_department_told_on=None, authorities_told=None, entry_date="2023-04-30"), clock())
    now = standing(house, clock)
    assert now.due_at == clock() + timedelta(hours=72)
    assert [line for line in now.changes if line.startswith("entry date: ") and line.endswith("before: not known yet")]
    follow_up = drafted(house, vault, clock)
    assert "follow-up 1" in follow_up.text
    assert "What is new since the last report" in follow_up.text
    assert follow_up.publication_id != 1


def test_every_step_is_in_the_sealed_log(house: Database, vault: Vault, clock: FakeClock, keys: Keys) -> None:
    number = drafted(house, vault, clock).id
    approved(house, vault, clock, number)
    digest = filed(house, vault, clock, number).digest
    audit.seal(house, keys.audit, clock())
    with house.reading() as session:
        entries = session.scalars(sa.select(AuditEntry).where(AuditEntry.subject == f"filing:{number}")).all()
        assert [entry.kind for entry in entries] == ["regulator.drafted", "regulator.approved", "regulator.filed"]
        assert {(content_of(entry, vault) or {})["sha256"] for entry in entries} == {digest}
    assert evidence.verify(house, keys.audit, vault=vault).ok


def test_the_same_document_makes_the_same_pdf(house: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> None:
    filing = drafted(house, vault, clock)
    assert writing.pdf(filing) == writing.pdf(filing)


@pytest.mark.parametrize("moment", ["before", "future"])
def test_it_is_not_filed_before_its_approval_or_in_the_future(
    house: Database, vault: Vault, clock: FakeClock, moment: str
) -> None:
    number = drafted(house, vault, clock).id
    approved(house, vault, clock, number)
    when = clock() + timedelta(hours=1 if moment == "future" else -1)
    with pytest.raises(BadInput, match="after it was approved"), house.writing() as session:
        filings.file(session, vault, number, how="letter", reference="", filed_at=when, by=OTHER, at=clock())


def test_an_authority_is_told_what_came_of_the_notices_and_nobody_counts_as_told_who_was_not(
    house: Database, vault: Vault, index: BlindIndex, clock: FakeClock
) -> None:
    clinic = Clinic(house, vault, index, clock)
    people = clinic.people(6)
    with house.writing() as session:
        given: dict[str, Any] = {"name": "first", "notice": "first_notice", "version": "1.1", "plan": Plan(waves=())}
        life.new(session, vault, **given, by=DRAFTER, at=clock())
    life.submit(clinic.office(), "first", by=DRAFTER)
    life.approve(clinic.office(), "first", by=OTHER)
    life.start(clinic.office(), "first", by=DRAFTER)
    with house.writing() as session:
        for person, state in zip(people, ("delivered", "delivered", "posted", "substitute", "closed"), strict=False):
            session.execute(sa.update(Obligation).where(Obligation.person_id == person).values(status=state))
    text = drafted(house, vault, clock).text
    [line] = [one for one in text.splitlines() if "first notice, version 1.1" in one]
    assert line.endswith(
        "of 6 people: notice received 2; letter posted, not come back 1; not reached, public notice alone 1; "
        "closed by hand, with a reason 1; not told yet 1"
    )
