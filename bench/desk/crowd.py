"""A desk at its busiest, made up in bulk: persons on file, two weeks of threads, cases that wait and cases that ended.

Persons come in through the real roster; threads, lines and cases are inserted by the thousand with what the real doors would have
stored, the same few sentences sealed once each. `people` and `threads` may be as many as one likes; a thread has eight lines on
average, and one in five hundred a few hundred.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text

from bench.campaigns.house import Installation
from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Base
from bot.conversations.models import Reply, Thread, Turn
from bot.conversations.post.arrivals import ADDRESS
from bot.conversations.post.models import Part
from bot.conversations.speaking.publication import Library
from bot.conversations.transcript import REPLY_TEXT, TURN_TEXT
from bot.desk.models import Case, CaseReason
from bot.desk.reasons import REASONS
from bot.desk.records import NOTE, CaseNote, CasePerson
from bot.patients import references
from bot.patients.models import Person
from bot.patients.notices.models import NoticeImport, NoticeOnFile
from bot.patients.roster.judging import judged
from bot.patients.sample import writing

BATCH = 2000
DAYS = 14
LONG, LONG_TURNS = 500, 200
"""One thread in so many has so many turns."""
ENDED = 3
"""Cases that ended for each that is live."""
CHANNELS = ("web",) * 12 + ("whatsapp",) * 4 + ("sms",) * 3 + ("email",)
LANGUAGES = ("en",) * 4 + ("zh-Hant",) * 4 + ("zh-Hans", "tl")
STATUSES = ("open",) * 7 + ("claimed", "waiting", "snoozed")
SAID = (
    "What exactly was taken?",
    "我嘅身份證號碼 A123456(3) 有冇外洩",
    "Please call me back on 9123 4567, I am worried about my test results and about my mother, who is 82 and lives alone.",
    "I was at the Central clinic in 2019 and again last spring. " * 8,
    "Kasama po ba ang data ko?",
    "你哋幾時先會通知我",
)
ANSWERED = (
    "The investigation is not finished. What we know so far: " + "names and contact details were on the system. " * 6,
    "謝謝。",
)


@dataclass
class Crowd:
    """What was made: numbers, and by what a search finds somebody."""

    people: int
    threads: int
    live: int
    lines: int = 0
    cases: int = 0
    references: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)


def gather(at: Installation, *, people: int, threads: int, live: int, staff: Sequence[int]) -> Crowd:
    """Fill an empty installation; says on standard error how far it is."""
    crowd = Crowd(people, threads, live)
    _persons(at, crowd)
    _Lines(at, crowd, staff).lay_down()
    if not at.database.is_sqlite:
        _catch_up(at)
    return crowd


def batched(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The rows in pieces of so many."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _says(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _persons(at: Installation, crowd: Crowd) -> None:
    roster, now = Path(at.settings.home) / "roster.csv", system_clock()
    with roster.open("w", encoding="utf-8", newline="") as file:
        writing.write(file, crowd.people, 7)
    with judged(roster, at.database, at.vault, at.index) as judging:
        judging.apply(by="bench", at=now)
    _says(f"{crowd.people} persons on file")
    with at.database.writing() as session:
        ids = session.scalars(select(Person.id).order_by(Person.id)).all()
        sent = NoticeImport(digest="", by="bench", at=now, added=len(ids))
        session.add(sent)
        session.flush()
        import_id = sent.id
    for some in batched(ids, BATCH):
        with at.database.writing() as session:
            issued = references.issue(session, at.index, some, at=now)
            notice = {"name": "first_notice", "version": "1.1", "way": "email", "import_id": import_id}
            rows = [{"person_id": one, "sent_on": in_hong_kong(now).date(), **notice} for one in some]
            session.execute(insert(NoticeOnFile), rows)
        crowd.references += [reference for _, reference in issued[:10]]
    crowd.people = len(ids)
    _says(f"{len(ids)} references and notices")


class _Lines:
    """Threads with their lines, and the cases among them."""

    def __init__(self, at: Installation, crowd: Crowd, staff: Sequence[int]) -> None:
        self.at, self.crowd, self.staff = at, crowd, staff
        self.random = random.Random(11)  # noqa: S311 - a fixed crowd, not a secret
        self.now = system_clock()
        with at.database.reading() as session:
            published = Library().current(session, self.now)
            self.persons: Sequence[int] = session.scalars(select(Person.id).order_by(Person.id).limit(20_000)).all()
        self.publication = published.id
        self.topics = sorted(published.content["wordings"])[:60]
        self.said = [at.vault.seal(words, TURN_TEXT) for words in SAID]
        self.answered = [at.vault.seal(words, REPLY_TEXT) for words in ANSWERED]
        self.note, self.address = at.vault.seal("Called, will call again.", NOTE), at.vault.seal("+85291234567", ADDRESS)
        self.reasons = [one.code for one in REASONS.values() if one.takes_over]
        self.turn_ids, self.reply_ids, self.case_ids = count(1), count(1), count(1)

    def lay_down(self) -> None:
        """All of it, so many threads in a transaction."""
        every = max(1, self.crowd.threads // 10)
        for numbers in batched(range(1, self.crowd.threads + 1), 500):
            rows: dict[type[Base], list[dict[str, Any]]] = {}
            for number in numbers:
                self._thread(number, rows)
            with self.at.database.writing() as session:
                for table in (Thread, Turn, Reply, Part, Case, CaseReason, CasePerson, CaseNote):
                    for some in batched(rows.get(table, []), BATCH):
                        session.execute(insert(table), list(some))
            self.crowd.lines += len(rows[Turn]) + len(rows[Reply])
            self.crowd.cases += len(rows.get(Case, ()))
            if numbers[-1] % every < 500:
                _says(f"{numbers[-1]} threads, {self.crowd.lines} lines, {self.crowd.cases} cases")

    def _thread(self, number: int, rows: dict[type[Base], list[dict[str, Any]]]) -> None:
        channel, language = self.random.choice(CHANNELS), self.random.choice(LANGUAGES)
        turns = LONG_TURNS if number % LONG == 1 else self.random.randint(1, 7)
        begun = self.now - timedelta(seconds=self.random.uniform(0.02, DAYS) * 86400)
        kind = "live" if number <= self.crowd.live else "ended" if number <= self.crowd.live * (1 + ENDED) else ""
        thread = {"id": number, "channel": channel, "language": language, "address_index": f"b.1.{number:064x}"}
        thread |= {"owner": "staff" if kind == "live" else "bot", "last_number": turns * 2, "created_at": begun}
        thread |= {"sealed_address": None if channel == "web" else self.address, "own_address": None}
        _put(rows, Thread, thread)
        for place in range(turns):
            at = min(begun + timedelta(minutes=2 * place), self.now)
            last = kind == "live" and place == turns - 1
            turn_id = self._turn(rows, number, place, language, at, "queued" if last else "answered")
            if not last:
                self._reply(rows, number, place, turn_id, language, channel, at)
        if kind:
            self._case(rows, number, kind, at)

    def _turn(self, rows: dict[Any, Any], thread: int, place: int, language: str, at: datetime, status: str) -> int:
        turn_id = next(self.turn_ids)
        turn: dict[str, Any] = {"id": turn_id, "thread_id": thread, "number": place * 2 + 1, "external_id": f"b{place}"}
        turn |= {"sealed_text": self.random.choice(self.said), "status": status, "language": language, "received_at": at}
        topic = self.random.choice(self.topics)
        turn |= {"topic": topic, "confidence": 0.8, "ranking": [{"topic": topic, "confidence": 0.8}], "answered_at": at}
        _put(rows, Turn, turn)
        return turn_id

    def _reply(
        self, rows: dict[Any, Any], thread: int, place: int, turn_id: int, language: str, channel: str, at: datetime
    ) -> None:
        say = ["clarify"] if self.random.random() < 0.08 else [self.random.choice(self.topics)]
        reply = {"id": next(self.reply_ids), "thread_id": thread, "turn_id": turn_id, "number": place * 2 + 2, "author": "bot"}
        reply |= {"say": say, "language": language, "publication_id": self.publication, "choices": [], "created_at": at}
        _put(rows, Reply, reply | {"sealed_text": self.random.choice(self.answered)})
        if channel != "web":
            part = {"thread_id": thread, "reply_id": reply["id"], "place": 1, "channel": channel, "reference": f"b-{reply['id']}"}
            part |= {"sealed_text": self.answered[0], "status": "delivered" if self.random.random() > 0.03 else "failed"}
            part |= {"due_at": at, "created_at": at, "submitted_at": at, "settled_at": at, "attended_at": at}
            _put(rows, Part, part)

    def _case(self, rows: dict[Any, Any], thread: int, kind: str, at: datetime) -> None:
        why, case_id = REASONS[self.random.choice(self.reasons)], next(self.case_ids)
        status = self.random.choice(STATUSES) if kind == "live" else "resolved"
        answered = None if status in ("open", "claimed") else at + timedelta(minutes=30)
        case = {"id": case_id, "number": f"B-{case_id:06}", "thread_id": thread, "reason": why.code, "priority": why.priority}
        case |= {"team": why.team, "status": status, "opened_at": at, "waiting_since": at, "first_responded_at": answered}
        case |= {"first_response_due_at": at + why.first_response, "resolution_due_at": at + why.resolution}
        case |= {
            "claimed_by": None if status == "open" else self.random.choice(self.staff),
            "resolved_at": answered if status == "resolved" else None,
        }
        case |= {"outcome": "answered" if status == "resolved" else None}
        _put(rows, Case, case)
        for code in dict.fromkeys([why.code, *self.random.sample(self.reasons, self.random.randint(0, 2))]):
            _put(rows, CaseReason, {"case_id": case_id, "reason": code, "at": at})
        if self.random.random() < 0.6:
            person = self.random.choice(self.persons)
            _put(rows, CasePerson, {"case_id": case_id, "person_id": person, "known": "verified", "by": "bench", "at": at})
        if status in ("claimed", "waiting"):
            _put(rows, CaseNote, {"case_id": case_id, "staff_id": self.staff[0], "sealed_text": self.note, "at": at})


def _put(rows: dict[type[Base], list[dict[str, Any]]], table: type[Base], row: dict[str, Any]) -> None:
    rows.setdefault(table, []).append(row)


def _catch_up(at: Installation) -> None:
    """What PostgreSQL does by itself within a minute: numbers go on behind the last one, and the planner knows the tables."""
    with at.database.writing() as session:
        for table in _numbered():
            last = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 1)) FROM {table}"  # noqa: S608 - ours
            session.execute(text(last))
    with at.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _numbered() -> Iterator[str]:
    return (table.__tablename__ for table in (Thread, Turn, Reply, Case))
