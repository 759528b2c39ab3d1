"""After the purge no address is anywhere, in clear or under seal, and the proof still stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import bot.assembly
from bot import purge
from bot.base import audit, evidence
from bot.base.database import Base, Database
from bot.base.errors import BadInput, Tampered
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault
from bot.campaigns import hands, life
from bot.campaigns.models import Notice, Obligation
from bot.campaigns.proof import bundle
from bot.channels.base import HookKind
from bot.conversations import threads
from bot.conversations.post.hooks import CONTENT
from bot.conversations.post.models import HookDelivery, HookStatus
from bot.desk import cases
from bot.desk.hours import switches
from bot.desk.reasons import REASONS
from bot.desk.records import CasePerson, Known, Switch
from bot.patients.models import Way
from tests.campaigns.house import AUTHOR, Clinic
from tests.conftest import Keys
from tests.make import FakeClock

assert bot.assembly  # so that every table is known
KEPT = timedelta(days=365)


@pytest.fixture
def ended(database: Database, vault: Vault, index: BlindIndex, clock: FakeClock) -> Clinic:
    """A campaign that was sent by e-mail and SMS, and completed with a public notice."""
    clinic = Clinic(database, vault, index, clock)
    clinic.people(6)
    clinic.running(ladder=(Way.EMAIL, Way.SMS))
    clinic.works()
    clock.advance(days=4)
    clinic.works()
    clock.advance(days=4)
    clinic.works()
    with database.writing() as session:
        campaign = life.named(session, "first", lock=True)
        hands.substitute(session, vault, campaign, where="the front page", digest="a" * 64, by=AUTHOR, at=clock())
        address = clinic.email.requests[0][0]
        session.add(
            HookDelivery(
                kind=HookKind.TWILIO_STATUS.value, provider_id="SM1", sealed_content=vault.seal(f"To: {address}", CONTENT),
                status=HookStatus.APPLIED.value, received_at=clock(),
            )
        )  # fmt: skip
    clinic.works()
    assert clinic.now().status == "completed"
    return clinic


def addresses(clinic: Clinic) -> set[str]:
    mails = {address for request in clinic.email.requests for address in request}
    return mails | {address for request in clinic.sms.requests for address in request}


def everything(clinic: Clinic) -> Iterator[tuple[str, str]]:
    """Every text in every table, opened where it is sealed."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "bot").rglob("*.py"))
    constants = "\n".join(re.findall(r"^[A-Z_, ]+ = .*", code, re.MULTILINE))
    contexts = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', constants))
    with clinic.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                for column, value in row._mapping.items():
                    yield f"{table.name}.{column}", str(value)
                    if isinstance(value, str) and str(column).startswith("sealed_") and value:
                        yield f"{table.name}.{column}", opened(clinic.vault, value, contexts)


def opened(vault: Vault, value: str, contexts: set[str]) -> str:
    for context in contexts:
        try:
            return vault.open(value, context)
        except Tampered:
            continue
    raise AssertionError("something is sealed under a context that this test does not know")


def found(clinic: Clinic) -> set[str]:
    known = addresses(clinic) | {"1 Road"}
    return {where for where, text in everything(clinic) for one in known if one in text}


def test_after_it_a_scan_finds_no_address_and_the_log_is_in_order(ended: Clinic, keys: Keys, tmp_path: Path) -> None:
    assert {"contact_points.sealed_value", "hook_deliveries.sealed_content"} <= found(ended)
    before = (ended.counts(Obligation), ended.counts(Notice))
    audit.seal(ended.database, keys.audit, ended.clock())
    ended.clock.advance(days=366)
    done = purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR)
    assert (done.people, done.addresses, done.kept) == (6, 18, 0)
    assert found(ended) == set()
    audit.seal(ended.database, keys.audit, ended.clock())
    verdict = evidence.verify(ended.database, keys.audit, vault=ended.vault)
    assert verdict.ok, verdict.problem
    assert (ended.counts(Obligation), ended.counts(Notice)) == before


def test_the_evidence_can_still_be_given_out(ended: Clinic, keys: Keys, tmp_path: Path) -> None:
    ended.clock.advance(days=366)
    purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR)
    made = bundle.export(ended.office(), "first", tmp_path / "proof", keys=keys.audit, heads=None, by=AUTHOR)
    assert made.agrees
    assert (tmp_path / "proof" / "notices.csv").read_text().count("\n") == 13


def test_it_can_be_done_twice_and_the_second_finds_nothing(ended: Clinic, tmp_path: Path) -> None:
    ended.clock.advance(days=366)
    purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR)
    assert purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR).addresses == 0


def test_before_its_time_nothing_goes(ended: Clinic, tmp_path: Path) -> None:
    ended.clock.advance(days=300)
    with pytest.raises(BadInput, match="365 days"):
        purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR)


def test_a_campaign_that_goes_on_keeps_its_addresses(ended: Clinic, tmp_path: Path) -> None:
    ended.person()
    ended.running("second", ladder=(Way.EMAIL,), version="2")
    ended.clock.advance(days=400)
    with pytest.raises(BadInput, match="is running"):
        purge.purge(ended.office(), tmp_path, "second", KEPT, by=AUTHOR)
    assert purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR).kept == 6  # all of them are owed the second


def test_a_legal_hold_keeps_everything(ended: Clinic, tmp_path: Path) -> None:
    ended.clock.advance(days=366)
    with ended.database.writing() as session:
        switches.turn_on(session, ended.vault, Switch.LEGAL_HOLD, by="operator", at=ended.clock(), why="the regulator asked")
    with pytest.raises(BadInput, match="legal hold"):
        purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR)


def test_a_person_with_an_open_case_keeps_theirs(ended: Clinic, tmp_path: Path) -> None:
    at = ended.clock.advance(days=366)
    with ended.database.writing() as session:
        thread = threads.open_thread(session, channel="web", address_index="i.1.x", language="en", at=at)
        session.flush()
        opened_case = cases.open_case(session, thread_id=thread.id, reason=REASONS["personal_answer"], turn_id=None, at=at)
        person = session.scalars(select(Obligation.person_id).order_by(Obligation.id)).first()
        session.add(CasePerson(case_id=opened_case.case.id, person_id=person, known=Known.MENTIONED.value, by="desk", at=at))
    done = purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR)
    assert (done.people, done.kept) == (5, 1)


def test_who_was_told_again_lately_keeps_theirs(ended: Clinic, tmp_path: Path) -> None:
    ended.clock.advance(days=300)
    ended.running("second", ladder=(Way.EMAIL,), version="2")
    ended.works()
    with ended.database.writing() as session:
        life.cancel(session, ended.vault, life.named(session, "second", lock=True), by=AUTHOR, why="x", at=ended.clock())
    ended.clock.advance(days=100)
    assert purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR).kept == 6
    ended.clock.advance(days=300)
    assert purge.purge(ended.office(), tmp_path, "first", KEPT, by=AUTHOR).people == 6


def test_nobody_loses_an_address_to_a_campaign_that_never_told_them(ended: Clinic, tmp_path: Path) -> None:
    ended.person()
    ended.approved("second", ladder=(Way.EMAIL,), version="2")
    with ended.database.writing() as session:
        life.cancel(session, ended.vault, life.named(session, "second", lock=True), by=AUTHOR, why="x", at=ended.clock())
    ended.clock.advance(days=400)
    done = purge.purge(ended.office(), tmp_path, "second", KEPT, by=AUTHOR)
    assert (done.people, done.kept) == (0, 7)
