"""Plays the demo day: roster, threads, cases and a team, through the same doors as everything else.

Turns are stored and answered by the real inbox; only understanding is read from the script, since the engine is not up yet.
What the team does goes through the desk's functions. Nothing is played where anybody is on file or has written.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.answering import Mind
from bot.assembly import limits_of, official_numbers
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.errors import BadInput, Misconfigured
from bot.base.lifecycle import move
from bot.base.settings import REPOSITORY, Settings
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import line
from bot.cli.demo.crowd import MANY, crowd
from bot.cli.demo.script import TALKS, Said, Talk
from bot.cli.demo.shift import Shift, linked, team_of
from bot.conversations import threads
from bot.conversations.engine import Deed, Guess, Understanding
from bot.conversations.models import Thread
from bot.conversations.post.arrivals import ADDRESS, LINE
from bot.conversations.post.models import Part, PartStatus
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking import proposal
from bot.conversations.speaking.publication import Library, Published
from bot.conversations.transcript import TURN_TEXT
from bot.deeds.carrying import Deeds
from bot.desk.models import Case, CaseStatus
from bot.desk.staff import demo
from bot.desk.work.speech import Rules, load_never_say
from bot.identity.flow import Identity
from bot.inbox import Inbox
from bot.patients.finding import address_of
from bot.patients.models import ContactPoint, Person
from bot.patients.roster.judging import judged

ROSTER = REPOSITORY / "data" / "samples" / "roster.csv"
BY = "demo"
KINDS = {"email": ("email",), "sms": ("mobile", "phone"), "whatsapp": ("mobile", "phone")}


def play(settings: Settings, say: Callable[[str], None]) -> None:
    """Play the day into an installation that has a publication and nobody on file; does nothing in any other."""
    database, vault = Database(settings.database), Vault(settings.secret("vault_keys"))
    try:
        with database.reading() as session:
            used = session.scalar(select(func.count(Person.id))) or session.scalar(select(func.count(Thread.id)))
        if used:
            return
        _Day(settings, database, vault, BlindIndex(settings.secret("index_keys"))).play()
    finally:
        database.close()
    say(f"Played a day of the incident with invented people: {len(TALKS) + MANY} conversations on a desk at /desk.")


def team(settings: Settings, say: Callable[[str], None]) -> None:
    """Make the demo accounts and say how to sign in; says why not where real people have accounts or others can reach us."""
    database, vault = Database(settings.database), Vault(settings.secret("vault_keys"))
    index = BlindIndex(settings.secret("index_keys"))
    try:
        with database.writing() as session:
            at, public = system_clock(), settings.public_url
            made = demo.make_team(session, vault, index, at, demo=True, public_url=public)
    except (BadInput, Misconfigured) as why:
        say(str(why))
        return
    finally:
        database.close()
    say(f"Demo team at /desk, password: {demo.PASSWORD}; second factor for an authenticator: {demo.FACTOR}")
    for one in made:
        say(f"  {one.login:10} {', '.join(role.value for role in one.roles)}")


class _TodaysLibrary(Library):
    """What is said now, also at earlier moments: the day is played before the publication's own time."""

    def current(self, session: Session, at: datetime) -> Published:
        """The publication in force now."""
        return super().current(session, max(at, system_clock()))


class _ScriptedEngine:
    """Takes each turn for what its script says."""

    def __init__(self) -> None:
        self.now: Said | None = None

    def ask(self, key: str, text: str, language: str) -> Understanding:
        """Understand the present turn."""
        said = self.now
        if said is None or said.topic == "gibberish":
            return Understanding(("not_understood",), (), (Guess("not_understood", 0.1),))
        do = (Deed("hand_over", {"reason": said.reason}),) if said.reason else ()
        return Understanding((said.topic,), do, (Guess(said.topic, 0.95),))

    def press(self, key: str, topic: str, language: str) -> Understanding:
        """Follow a topic."""
        return self.ask(key, topic, language)


@dataclass
class _Clock:
    at: datetime

    def __call__(self) -> datetime:
        return self.at


class _Day:
    def __init__(self, settings: Settings, database: Database, vault: Vault, index: BlindIndex) -> None:
        self.database, self.vault, self.index = database, vault, index
        self.now = system_clock()
        self.clock, self.engine, library = _Clock(self.now), _ScriptedEngine(), _TodaysLibrary()
        self.library = library
        official = official_numbers(proposal.read_incident(settings.data))
        self.rules = Rules(load_never_say(settings.data / "never_say.yml"), official)
        mind = Mind(self.engine, Lexicon.load(settings.data / "safety.yml"), official)
        identity = Identity(vault, index, limits_of(settings))
        deeds = Deeds(vault, index, library)
        self.inbox = Inbox(database, vault, mind, library, self.clock, identity, deeds)
        self.acted_for: dict[tuple[int, str], int] = {}  # row of the roster and what the team does → person on file
        self.own = {channel: (settings.own_addresses(channel) or ("",))[0] for channel in KINDS}

    def play(self) -> None:
        with judged(ROSTER, self.database, self.vault, self.index) as judging:
            judging.apply(by=BY, at=self.now - timedelta(hours=10))
        talks = sorted([*TALKS, *crowd()], key=lambda talk: -talk.hours)
        done = [(talk, self._talk(talk)) for talk in talks]
        with self.database.reading() as session:
            staff, published = team_of(session, self.index), self.library.current(session, self.now)
        if staff:
            self._works(Shift(self.database, self.vault, published, self.rules, staff, self.now), done)
        self._arrived()

    def _arrived(self) -> None:
        """What was answered on WhatsApp arrived then: the simulator heard no patient today and would take no free text now."""
        with self.database.writing() as session:
            for part in session.scalars(select(Part).where(Part.channel == "whatsapp", Part.status == PartStatus.QUEUED.value)):
                move(part, PartStatus.DELIVERED)
                part.submitted_at = part.created_at
                part.settled_at = part.created_at + timedelta(seconds=2)

    def _works(self, shift: Shift, done: list[tuple[Talk, tuple[int, int | None]]]) -> None:
        """The team's part of the day."""
        merged, asked = [], None
        for talk, (thread_id, person_id) in done:
            with self.database.reading() as session:
                # Two of the script may share a telephone, and with it a line: its case is dealt with once.
                waiting = select(Case).where(Case.thread_id == thread_id, Case.status == CaseStatus.OPEN.value)
                case = session.scalars(waiting).first()
            if case is not None and talk.then == "merged":
                merged.append(case.id)
            elif case is not None and talk.then:
                shift.works(talk.then, case.id, case.opened_at)
            asked = person_id if talk.then == "private" else asked
        if len(merged) == 2:
            shift.merges(merged)
        if asked is not None:
            shift.asks(asked)

    def _talk(self, talk: Talk) -> tuple[int, int | None]:
        self.clock.at = self.now - timedelta(hours=talk.hours)
        thread_id, person_id = self._thread(talk)
        for said in talk.said:
            self.engine.now = said
            with self.database.writing() as session:
                threads.store_turn(
                    session,
                    thread_id,
                    external_id=secrets.token_hex(12),
                    sealed_text=self.vault.seal(said.text, TURN_TEXT),
                    choice=None,
                    at=self.clock.at,
                )
            self.inbox.answer(thread_id)
            self.clock.at += timedelta(minutes=1)
        self._name(thread_id, person_id, proven=talk.proven)
        return thread_id, person_id

    def _name(self, thread_id: int, person_id: int | None, *, proven: bool) -> None:
        """A case at an address on file is about the person, which proves nothing; a code does."""
        with self.database.writing() as session:
            live = select(Case.id).where(Case.thread_id == thread_id, Case.status == CaseStatus.OPEN.value)
            case_id = session.scalar(live) if person_id else None
            if case_id and person_id:
                linked(session, self.vault, case_id, person_id, self.clock.at, proven=proven)

    def _thread(self, talk: Talk) -> tuple[int, int | None]:
        with self.database.writing() as session:
            point = self._contact(session, talk)
            their = address_of(point, self.vault) if point else ""
            channel = talk.channel if point else "web"
            entry = self._entry(channel, their or secrets.token_hex(16))
            known = session.scalars(select(Thread).where(Thread.address_index == entry)).first()
            thread = known or threads.open_thread(
                session, channel=channel, address_index=entry, language=talk.language, at=self.clock.at
            )
            if point:
                thread.own_address, thread.sealed_address = self.own[channel], self.vault.seal(their, ADDRESS)
            return thread.id, point.person_id if point else (talk.person if talk.proven else None)

    def _contact(self, session: Session, talk: Talk) -> ContactPoint | None:
        """The first contact of its kind from the script's row of the roster on; who is acted for has lines of their own."""
        if talk.person is None or not self.own.get(talk.channel):
            return None
        fitting = select(ContactPoint).where(ContactPoint.person_id >= talk.person, ContactPoint.kind.in_(KINDS[talk.channel]))
        mine = self.acted_for.get((talk.person, talk.then))
        for point in session.scalars(fitting.order_by(ContactPoint.person_id, ContactPoint.id)):
            if not talk.then:
                if point.person_id not in self.acted_for.values():
                    return point
            elif point.person_id == mine or (mine is None and self._is_free(session, point)):
                self.acted_for[(talk.person, talk.then)] = point.person_id
                return point
        return None

    def _is_free(self, session: Session, point: ContactPoint) -> bool:
        """Whether nobody of the day has written from any of this person's contacts."""
        if point.person_id in self.acted_for.values():
            return False
        theirs = session.scalars(select(ContactPoint).where(ContactPoint.person_id == point.person_id))
        lines = [self._entry(channel, address_of(one, self.vault)) for one in theirs for channel in KINDS]
        return session.scalar(select(Thread.id).where(Thread.address_index.in_(lines)).limit(1)) is None

    def _entry(self, channel: str, their: str) -> str:
        return self.index.index(LINE, line(channel, self.own.get(channel, ""), their))
