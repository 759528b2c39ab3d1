"""What the demo team did with the cases of the day: taken, answered, called about, put off, closed, merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.conversations.speaking.publication import Published
from bot.desk.hours.calendar import Hours, desk_hours
from bot.desk.hours.switches import calendar
from bot.desk.models import LIVE, Case, Outcome
from bot.desk.persons import requests
from bot.desk.records import CallResult, Known
from bot.desk.staff import accounts, demo
from bot.desk.staff.approvals import What
from bot.desk.surge import slots
from bot.desk.work import answers, bulk, claims, ending, notebook, persons
from bot.desk.work.composing import Composed
from bot.desk.work.speech import Rules

MINUTES = timedelta(minutes=1)


@dataclass
class Shift:
    """The team at work on the cases of the day; `staff` is their accounts by sign-in name."""

    database: Database
    vault: Vault
    published: Published
    rules: Rules
    staff: Mapping[str, int]
    now: datetime

    def works(self, name: str, case_id: int, opened: datetime) -> None:
        """Do what the script says with a case, some minutes after it was opened."""
        deed: Callable[[Session, int, datetime], None] = getattr(self, f"_{name}")
        with self.database.writing() as session:
            deed(session, case_id, min(opened + 12 * MINUTES, self.now))

    def merges(self, cases: list[int]) -> None:
        """Two cases of one person are put together."""
        with self.database.writing() as session:
            for case_id in cases:
                claims.claim(session, self.vault, case_id, self.staff["lead"], self.now - 20 * MINUTES)
            at = self.now - 19 * MINUTES
            persons.merge(session, self.vault, cases[1], cases[0], staff_id=self.staff["lead"], at=at, hours=self.hours)

    def asks(self, person_id: int) -> None:
        """Requests that wait for a second person: an export, and calm cases to be closed together."""
        lead, privacy, at = self.staff["lead"], self.staff["privacy"], self.now - 25 * MINUTES
        with self.database.writing() as session:
            why = "Access request received at the Central clinic counter, form checked"
            requests.ask(session, self.vault, What.EXPORT, person_id, reason=why, by=privacy, at=at)
            live = [one.value for one in LIVE]
            calm = select(Case.id).where(Case.priority == 3, Case.status.in_(live)).order_by(Case.id).limit(2)
            found = list(session.scalars(calm))
            if found:
                bulk.ask_to_close(session, self.vault, found, outcome=Outcome.ANSWERED, by=lead, at=at)

    @property
    def hours(self) -> Hours:
        """When the desk is open."""
        return desk_hours(self.published.content)

    def _taken(self, session: Session, case_id: int, at: datetime, who: str = "agent") -> int:
        staff_id = self.staff[who]
        claims.claim(session, self.vault, case_id, staff_id, at)
        return staff_id

    def _replied(self, session: Session, case_id: int, at: datetime, names: tuple[str, ...], who: str = "agent") -> int:
        staff_id = self._taken(session, case_id, at, who)
        composed = Composed(names, seen_number=10_000, in_english=True)
        sent = answers.send(session, self.vault, self.published, self.rules, case_id, staff_id, at + MINUTES, composed)
        if sent.reply is not None:
            session.flush()
            answers.send_due(session, self.vault, self.published, at + 2 * MINUTES)
        return staff_id

    def _held(self, session: Session, case_id: int, at: datetime) -> None:
        staff_id = self._taken(session, case_id, at, "agent2")
        notebook.add_note(
            session, self.vault, case_id, staff_id, at + MINUTES, text="Checked with the duty doctor; answer by tonight."
        )

    def _private(self, session: Session, case_id: int, at: datetime) -> None:
        staff_id = self._taken(session, case_id, at, "privacy")
        words = "Statutory clock runs. Form sent, identity to be shown at the counter."
        notebook.add_note(session, self.vault, case_id, staff_id, at + MINUTES, text=words)
        notebook.remind(session, case_id, staff_id, at, due_at=self.now + timedelta(days=7))

    def _waiting(self, session: Session, case_id: int, at: datetime) -> None:
        self._replied(session, case_id, at, ("bank_precautions",))

    def _drafted(self, session: Session, case_id: int, at: datetime) -> None:
        staff_id = self._taken(session, case_id, at, "agent")
        notebook.save_draft(
            session, self.vault, case_id, staff_id, at, names=("prescriptions",), text="The pharmacy is ready from 3 pm."
        )

    def _answered(self, session: Session, case_id: int, at: datetime) -> None:
        staff_id = self._replied(session, case_id, at, ("protect_myself",), "agent2")
        ending.resolve(session, self.vault, self.published, case_id, staff_id, at + 9 * MINUTES, outcome=Outcome.ANSWERED)

    def _called(self, session: Session, case_id: int, at: datetime) -> None:
        staff_id = self._replied(session, case_id, at, ("distress",), "lead")
        for minutes, result in ((4, CallResult.NO_ANSWER), (20, CallResult.REACHED)):
            words = "Calmer now, sister is with her. Knows the hotline." if result is CallResult.REACHED else ""
            when = at + minutes * MINUTES
            notebook.log_call(session, self.vault, case_id, staff_id, when, result=result, minutes=11 if words else 0, text=words)
        ending.resolve(session, self.vault, self.published, case_id, staff_id, at + 32 * MINUTES, outcome=Outcome.SAFE)

    def _referred(self, session: Session, case_id: int, at: datetime) -> None:
        staff_id = self._replied(session, case_id, at, ("extortion",), "lead")
        ending.resolve(session, self.vault, self.published, case_id, staff_id, at + 25 * MINUTES, outcome=Outcome.REFERRED)

    def _snoozed(self, session: Session, case_id: int, at: datetime) -> None:
        staff_id = self._taken(session, case_id, at, "agent2")
        ending.snooze(session, self.vault, case_id, staff_id, at + MINUTES, until=self.now + timedelta(hours=20))

    def _booked(self, session: Session, case_id: int, _at: datetime) -> None:
        known = calendar(session, self.now, desk_hours(self.published.content))
        free = slots.with_room(session, known, self.now, 6)
        if free:
            case = session.get_one(Case, case_id)
            slots.book(session, self.vault, case, free[case_id % len(free)], known, self.now)


def team_of(session: Session, index: BlindIndex) -> dict[str, int]:
    """The demo team's accounts by sign-in name; empty where it was not made."""
    found = {one.login: accounts.find(session, index, one.login) for one in demo.TEAM}
    return {} if None in found.values() else {login: account.id for login, account in found.items() if account}


def linked(session: Session, vault: Vault, case_id: int, person_id: int, at: datetime, *, proven: bool) -> None:
    """Note whom on file a case concerns."""
    known = Known.VERIFIED if proven else Known.MENTIONED
    persons.link(session, vault, case_id, person_id, known, staff_id=None, at=at)
