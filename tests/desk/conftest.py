"""A desk with people on it, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pyotp
import pytest

from bot.base.database import Database
from bot.base.languages import Language
from bot.base.vault import BlindIndex, Vault
from bot.conversations import threads
from bot.conversations.models import Owner, Thread, Turn, TurnStatus
from bot.conversations.speaking.publication import Library, Published
from bot.conversations.transcript import TURN_TEXT, Line, lines_after
from bot.desk.cases import open_case, turn_arrived
from bot.desk.models import Case
from bot.desk.reasons import reason
from bot.desk.staff import accounts
from bot.desk.staff.accounts import Profile
from bot.desk.staff.models import StaffAccount
from bot.desk.staff.roles import Role
from tests.make import FakeClock
from tests.people import publish, small_content

PASSWORD = "seven purple umbrellas"
DESK_TEXTS = (
    *("case_closed", "assistant_again", "still_waiting", "still_waiting_urgent", "call_back"),
    *("distress", "scam_message_check", "only_english"),
)


def desk_content() -> dict[str, Any]:
    """The small content with the desk's own texts, one of them in English alone."""
    content = small_content()
    for name in DESK_TEXTS:
        texts = {one.value: {"text": f"<{name} {one.value}>", "short": f"<{name} short>"} for one in Language}
        label = {one.value: f"{name} button {one.value}" for one in Language}
        content["wordings"][name] = {"level": "public", "label": label, "next": [], "texts": texts}
    content["wordings"]["only_english"]["texts"] = {"en": {"text": "<only_english en>"}}
    content["facts"]["desk_opening"] = {"value": "Mon-Fri 09:00-18:00; Sat 09:00-13:00", "as_of": {"date": "2023-05-08"}}
    return content


@dataclass
class Desk:
    """A database with a publication, from which threads, cases and staff are made in a line."""

    database: Database
    vault: Vault
    index: BlindIndex
    clock: FakeClock
    library: Library = field(default_factory=Library)
    _names: Any = field(default_factory=lambda: count(1))

    @property
    def published(self) -> Published:
        with self.database.reading() as session:
            return self.library.current(session, self.clock())

    def colleague(self, *roles: Role, on_duty: bool = True, mobile: str = "", email: str = "") -> int:
        """Somebody who has taken up their invitation."""
        name = f"colleague{next(self._names)}"
        with self.database.writing() as session:
            login = f"{name}@clinic.example"
            profile = Profile(f"Dr {name}", login, mobile, email)
            made = accounts.invite(session, self.vault, self.index, profile, roles or (Role.AGENT,), by=0, at=self.clock())
            secret = accounts.offered(session, self.vault, made.token, self.clock()).secret
            code = pyotp.TOTP(secret).at(self.clock())
            assert accounts.accept(session, self.vault, made.token, password=PASSWORD, code=code, at=self.clock())
            account = session.get_one(StaffAccount, made.account.id)
            account.on_duty, account.seen_at = on_duty, self.clock()
            return account.id

    def thread(self, channel: str = "web", language: str = "en") -> int:
        with self.database.writing() as session:
            name = f"i.1.{next(self._names)}-{id(self)}"
            made = threads.open_thread(session, channel=channel, address_index=name, language=language, at=self.clock())
            if channel != "web":
                made.own_address, made.sealed_address = "+85264500001", self.vault.seal("+85291234567", "threads.address")
            return made.id

    def turn(self, thread_id: int, text: str = "hello") -> int:
        """A turn of the patient's; when the thread is with the team it joins the case, as in the inbox."""
        with self.database.writing() as session:
            sealed = self.vault.seal(text, TURN_TEXT)
            turn, _ = threads.store_turn(
                session, thread_id, external_id=f"t{next(self._names)}", sealed_text=sealed, choice=None, at=self.clock()
            )
            if session.get_one(Thread, thread_id).owner == Owner.STAFF.value:
                turn_arrived(session, thread_id=thread_id, turn_id=turn.id, at=self.clock())
                turn.status = TurnStatus.QUEUED.value
            return turn.number

    def case(self, code: str = "patient_wish", channel: str = "web", language: str = "en") -> int:
        """A patient who was handed over for this reason."""
        thread_id = self.thread(channel, language)
        self.turn(thread_id)
        with self.database.writing() as session:
            session.query(Turn).filter(Turn.thread_id == thread_id).update({"status": TurnStatus.QUEUED.value})
            opened = open_case(session, thread_id=thread_id, reason=reason(code), turn_id=None, at=self.clock())
            if reason(code).takes_over:
                session.get_one(Thread, thread_id).owner = Owner.STAFF.value
            return opened.case.id

    def look(self, case_id: int) -> Case:
        with self.database.reading() as session:
            return session.get_one(Case, case_id)

    def owner(self, case_id: int) -> str:
        with self.database.reading() as session:
            return session.get_one(Thread, session.get_one(Case, case_id).thread_id).owner

    def lines(self, case_id: int) -> list[Line]:
        with self.database.reading() as session:
            return lines_after(session, self.vault, session.get_one(Case, case_id).thread_id, 0)

    def last_turn(self, case_id: int) -> int:
        with self.database.reading() as session:
            turns = session.query(Turn).filter(Turn.thread_id == session.get_one(Case, case_id).thread_id)
            return max(turn.number for turn in turns)


@pytest.fixture
def desk(database: Database, vault: Vault, index: BlindIndex, clock: FakeClock) -> Desk:
    """A desk over a real database of each kind, on a Tuesday morning at nine."""
    publish(database, desk_content(), clock())
    return Desk(database, vault, index, clock)


@pytest.fixture
def lite(sqlite_url: str, vault: Vault, index: BlindIndex, clock: FakeClock) -> Desk:
    """The same over SQLite alone, where the database makes no difference."""
    database = Database(sqlite_url)
    publish(database, desk_content(), clock())
    return Desk(database, vault, index, clock)
