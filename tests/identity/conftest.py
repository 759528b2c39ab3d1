"""A clinic whose patients show who they are: a roster, references, and what was laid down to be sent."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.answering import Mind
from bot.base.audit import AuditEntry, content_of
from bot.base.database import Database
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Owner, Thread, Turn
from bot.conversations.post.arrivals import ADDRESS
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking.levels import Verified
from bot.conversations.speaking.publication import Library
from bot.conversations.transcript import TURN_TEXT
from bot.deeds.carrying import Deeds
from bot.desk.cases import unresolved
from bot.desk.models import Case
from bot.identity import state
from bot.identity.flow import Identity
from bot.identity.limits import Limits
from bot.identity.models import CODE, Check, CodeDispatch, DispatchKind
from bot.inbox import Inbox
from bot.patients import references
from bot.patients.finding import person_with_key
from bot.patients.roster.judging import judged
from tests.make import START, FakeClock
from tests.patients.conftest import HEADINGS, as_csv
from tests.people import FakeEngine, Patient, publish, small_content

LEXICON = Lexicon.load(REPOSITORY / "data" / "safety.yml")
WORDINGS = (
    *("verify_start", "verify_intro", "verify_reference_unreadable", "verify_where", "verify_by_mobile", "verify_by_email"),
    *(
        "verify_code_sent",
        "verify_code_overdue",
        "verify_code_wrong",
        "verify_code_wait",
        "verify_code_expired",
        "verify_too_many",
        "verify_limit",
    ),
    *("verify_done", "verify_which_person", "verify_cancelled", "verify_cancel", "verify_ended", "verify_log_out"),
    *("verify_no_access", "verified_elsewhere", "one_time_code", "not_this_person", "person_died", "answered_by_person"),
    *("my_data", "my_data_none", "my_wards", "about_you", "about_ward", "category_identity", "category_contact"),
)
WITH_VALUES = {
    "verify_code_wait": "{{ minutes }}",
    "one_time_code": "{{ code }} {{ minutes }}",
    "verify_code_sent": "",
}
COLUMNS = (*HEADINGS, "Minor", "Guardian Key", "Deceased", "Protected Person", "Safe contact", "Do not contact by")


def row(key: str, email: str, phone: str, **more: str) -> list[str]:
    """One person of a roster."""
    special = [more.get(name, "") for name in ("minor", "guardian", "deceased", "protected", "safe", "not_by")]
    return [key, f"CHAN {chr(65 + int(key[1:]) % 26)}", "", email, phone, "1 Sample Road", "identity; contact", *special]


PATIENTS = [
    row("P001", "chan@example.com", "9123 4567"),
    row("P002", "lee@example.com", "6234 5678"),
    row("P003", "family@example.com", "5345 6789"),
    row("P004", "family@example.com", "5345 6789"),
    row("P005", "", "", minor="y", guardian="P001"),
    row("P006", "gone@example.com", "6456 7890", deceased="y"),
    row("P007", "hidden@example.com", "6567 8901", protected="y"),
    row("P008", "unsafe@example.com", "6678 9012", safe="6678 9012"),
    row("P009", "quiet@example.com", "6789 0123", not_by="sms"),
    row("P010", "abroad@example.com", "+1 415 555 0100"),
]


def content() -> dict[str, Any]:
    """A small content with the wordings of the check."""
    made = small_content()
    for name in WORDINGS:
        ask = WITH_VALUES.get(name, "")
        made["wordings"][name] = {
            "level": "verified" if name.startswith("my_") else "public",
            "label": {language.value: f"{name} button" for language in Language},
            "next": [],
            "texts": {language.value: {"text": f"<{name}> {ask}".strip()} for language in Language},
        }
    return made


@dataclass
class House:
    """The clinic's side, and patients who write to it."""

    database: Database
    vault: Vault
    index: BlindIndex
    clock: FakeClock
    engine: FakeEngine
    inbox: Inbox
    references: dict[str, str] = field(default_factory=dict)
    patients: list[Caller] = field(default_factory=list)

    def patient(self, channel: str = "web", number: str = "", network: str | None = None) -> Caller:
        """Somebody who writes on a line of their own."""
        made = Caller(self.database, self.vault, self.inbox, self.clock, channel)
        made.house, made.network = self, network
        self.patients.append(made)
        if number:
            with self.database.writing() as session:
                session.get_one(Thread, made.thread_id).sealed_address = self.vault.seal(number, ADDRESS)
        return made

    def code(self) -> str:
        """The newest code that was laid down, as its sealed row holds it."""
        with self.database.reading() as session:
            rows = select(CodeDispatch).where(CodeDispatch.kind == DispatchKind.CODE).order_by(CodeDispatch.id.desc())
            newest = session.scalars(rows.limit(1)).one()
            return self.vault.open(newest.sealed_code or "", CODE)

    def rows(self, table: type[Any]) -> list[Any]:
        """All rows of a table."""
        with self.database.reading() as session:
            return list(session.scalars(select(table).order_by(table.id)))

    def cases(self) -> list[Case]:
        """What waits for a person."""
        with self.database.reading() as session:
            return unresolved(session)

    def audited(self, kind: str) -> list[dict[str, Any]]:
        """The content of every entry of a kind in the sealed log."""
        with self.database.reading() as session:
            entries = session.scalars(select(AuditEntry).where(AuditEntry.kind == kind).order_by(AuditEntry.id))
            return [dict(content_of(entry, self.vault) or {}) for entry in entries]

    def person_id(self, key: str) -> int:
        """The person with the clinic's key."""
        with self.database.reading() as session:
            person = person_with_key(session, self.index, key)
            assert person is not None
            return person.id


class Caller(Patient):
    """A patient who can be asked how far the check is."""

    house: House
    network: str | None = None

    def _store(self, text: str, choice: str | None, external_id: str | None) -> None:
        super()._store(text, choice, external_id)
        with self._database.writing() as session:
            turn = session.scalars(select(Turn).where(Turn.thread_id == self.thread_id).order_by(Turn.id.desc()).limit(1)).one()
            state_of = session.get(_session_table(), turn.session_id)
            assert state_of is not None
            state_of.network = self.network

    def chooses(self, choice: str) -> str:
        """Press a button of the last reply."""
        return "".join(self.presses(self.choices()[f"{choice} button"]))

    def hears(self, text: str) -> str:
        """Write and return what is answered."""
        return "".join(self.says(text))

    def asks_for_code(self, typed: str, way: str = "mobile") -> str:
        """From the beginning to the code."""
        self.starts()
        assert self.hears(typed) == "<verify_where>"
        return self.chooses(f"verify_by_{way}")

    def starts(self) -> str:
        """Ask for something personal and choose to show who is asking."""
        self.hears("am i affected")
        return self.chooses("verify_start")

    def owner(self) -> Owner:
        """Who has the thread."""
        with self._database.reading() as session:
            return Owner(session.get_one(Thread, self.thread_id).owner)

    def check(self) -> Check:
        """The newest check of the thread."""
        with self._database.reading() as session:
            newest = select(Check).where(Check.thread_id == self.thread_id).order_by(Check.id.desc()).limit(1)
            return session.scalars(newest).one()

    def verified(self) -> Verified | None:
        """Who is verified in this patient's newest session."""
        with self._database.reading() as session:
            turn = session.scalars(select(Turn).where(Turn.thread_id == self.thread_id).order_by(Turn.id.desc()).limit(1)).one()
            return state.verified_person(session, turn.session_id or 0, self._clock())

    def kept(self) -> list[str]:
        """The texts of the turns as they stay."""
        with self._database.reading() as session:
            turns = session.scalars(select(Turn).where(Turn.thread_id == self.thread_id).order_by(Turn.id))
            return [self._vault.open(turn.sealed_text, TURN_TEXT) for turn in turns if turn.sealed_text]


def _session_table() -> Any:
    from bot.conversations.models import PatientSession

    return PatientSession


def understands(text: str) -> Any:
    """What the engine makes of these patients' words."""
    from bot.conversations.engine import Deed
    from tests.people import understood

    return understood("data_types", do=(Deed("am_i_affected", {}),)) if text.startswith("am i") else understood("what_happened")


Open = Callable[..., House]


def stock(
    database: Database,
    vault: Vault,
    index: BlindIndex,
    path: Path,
    rows: Sequence[Sequence[str]],
    columns: Sequence[str] = COLUMNS,
) -> dict[str, str]:
    """Bring a roster in and give everybody a reference: the clinic's key → the reference."""
    path.write_text(as_csv([columns, *rows]), encoding="utf-8", newline="")
    with judged(path, database, vault, index) as judging:
        assert judging.judgement.well, judging.judgement.problems.first
        judging.apply(by="test operator", at=START)
    given = {}
    with database.writing() as session:
        for each in rows:
            person = person_with_key(session, index, each[0])
            assert person is not None
            [(_, given[each[0]])] = references.issue(session, index, [person.id], at=START)
    return given


@pytest.fixture
def open_house(database: Database, vault: Vault, index: BlindIndex, clock: FakeClock, tmp_path: Path) -> Open:
    """Opens a clinic, with other limits, codes or patients if asked to."""

    def opened(
        rows: Sequence[Sequence[str]] = PATIENTS,
        limits: Limits | None = None,
        codes: Sequence[str] | None = None,
        index: BlindIndex = index,
        columns: Sequence[str] = COLUMNS,
    ) -> House:
        publish(database, content(), clock())
        engine, library = FakeEngine(understands), Library()
        new_code = {"new_code": itertools.cycle(codes).__next__} if codes else {}
        identity = Identity(vault, index, limits, **new_code)

        inbox = Inbox(database, vault, Mind(engine, LEXICON), library, clock, identity, Deeds(vault, index, library))
        house = House(database, vault, index, clock, engine, inbox)
        house.references = stock(database, vault, index, tmp_path / "roster.csv", rows, columns)
        return house

    return opened


@pytest.fixture
def house(open_house: Open) -> House:
    """A clinic with ten patients of every kind."""
    return open_house()
