"""`bench identity`: can a stranger tell from the time of an answer whether somebody is on file?

Known and unknown take turns at random on one installation with its real wordings, each with a thread of their own: the reference
is typed, a code asked for, a wrong code typed. Timed is the whole answer to a turn. Reported is how well the
two kinds of times can be told apart (the area under the ROC curve; one half is not at all), against the same figure between two
random halves of the unknown ones, which is what chance alone gives.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.answering import Mind
from bot.base import schema
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.errors import EngineUnavailable
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault, new_key
from bot.conversations import threads
from bot.conversations.engine import Understanding
from bot.conversations.models import Owner, Thread
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking import proposal, publication
from bot.conversations.transcript import TURN_TEXT
from bot.deeds.carrying import Deeds
from bot.identity.flow import Identity
from bot.identity.limits import Limits
from bot.identity.models import CodeDispatch
from bot.identity.steps import Asked, Step
from bot.inbox import Inbox
from bot.patients import references
from bot.patients.models import ContactKind, ContactPoint, Person
from bot.patients.roster.judging import judged
from bot.patients.sample import writing

SEED = 11
STEPS = ("reference", "code_asked", "wrong_code")
WARM_UP = 20
RESAMPLES = 1000
PLENTY = (10**9, 10**9)


class _NoEngine:
    """The engine is never asked while a check runs."""

    def ask(self, key: str, text: str, language: str) -> Understanding:
        """Fail."""
        raise EngineUnavailable("there is none")

    press = ask


class _House:
    """An installation with a roster, and patients of one thread each."""

    def __init__(self, folder: Path, persons: int, database_url: str) -> None:
        url = database_url or f"sqlite:///{folder / 'identity.sqlite3'}"
        schema.migrate(url)
        self.database, self.vault, self.index = Database(url), Vault(new_key("v1")), BlindIndex(new_key("i1"))
        limits = Limits(
            subject=PLENTY,
            subject_from_network=PLENTY,
            destination=PLENTY,
            thread=PLENTY,
            network=PLENTY,
            system_day=10**9,
            thread_wrong_day=10**9,
            network_wrong_day=10**9,
        )
        self.identity, library = Identity(self.vault, self.index, limits), publication.Library()
        mind = Mind(_NoEngine(), Lexicon.load(REPOSITORY / "data" / "safety.yml"))
        deeds = Deeds(self.vault, self.index, library)
        self.inbox = Inbox(self.database, self.vault, mind, library, system_clock, self.identity, deeds)
        self._publish()
        self._roster(folder / "roster.csv", persons)

    def _publish(self) -> None:
        now = system_clock()
        with self.database.writing() as session:
            proposed = publication.propose(session, proposal.read(REPOSITORY / "data"), by="bench", at=now)
            publication.approve(session, proposed.id, by="another", at=now)

    def _roster(self, path: Path, persons: int) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writing.write(file, persons, SEED)
        with judged(path, self.database, self.vault, self.index) as judging:
            judging.apply(by="bench", at=system_clock())

    def known(self, number: int) -> list[str]:
        """References of so many grown-up persons with a mobile."""
        mobile = ContactPoint.kind == ContactKind.MOBILE.value
        reachable = select(Person.id).join(ContactPoint).where(mobile, Person.minor.is_(False), Person.deceased.is_(False))
        with self.database.writing() as session:
            ids = session.scalars(reachable.where(Person.protected.is_(False)).distinct().limit(number)).all()
            return [reference for _, reference in references.issue(session, self.index, ids, at=system_clock())]

    def course(self, name: str, reference: str) -> list[tuple[float, float]]:
        """Begin a check, then the seconds of each timed step, by the clock on the wall and of processor time."""
        now = system_clock()
        with self.database.writing() as session:
            thread = threads.open_thread(session, channel="web", address_index=name, language="en", at=now)
            session_id = threads.session_for(session, thread.id, now).id
            self.identity.answer(session, Asked(Step.START, thread, session_id, None, Language.EN, now))
            thread.owner = Owner.VERIFYING.value
            thread_id = thread.id
        return [self._turn(thread_id, f"{name} {n}", text) for n, text in enumerate((reference, "mobile", "000000"))]

    def _turn(self, thread_id: int, external_id: str, text: str) -> tuple[float, float]:
        sealed = self.vault.seal(text, TURN_TEXT)
        with self.database.writing() as session:
            threads.store_turn(session, thread_id, external_id=external_id, sealed_text=sealed, choice=None, at=system_clock())
        began = time.perf_counter(), time.thread_time()
        self.inbox.answer(thread_id)
        return time.perf_counter() - began[0], time.thread_time() - began[1]

    def sent(self) -> int:
        """How many codes were laid down that are really to be sent."""
        with self.database.reading() as session:
            return len(session.scalars(select(CodeDispatch.id).where(CodeDispatch.contact_point_id.is_not(None))).all())

    def verifying(self) -> int:
        """How many threads are still in their check: all, when every step went as it should."""
        with self.database.reading() as session:
            return len(session.scalars(select(Thread.id).where(Thread.owner == Owner.VERIFYING.value)).all())


def run(folder: Path, *, requests: int, database_url: str) -> dict[str, Any]:
    """So many known and as many unknown requests, in random order; how well their times can be told apart."""
    chance = random.Random(SEED)  # noqa: S311 - an order, no secret
    house = _House(folder, requests * 3, database_url)
    known = house.known(requests)
    order = [(True, one) for one in known] + [(False, references.new_reference()) for _ in known]
    chance.shuffle(order)
    for number in range(WARM_UP):
        house.course(f"warm {number}", references.new_reference())
    times: dict[bool, list[list[tuple[float, float]]]] = {True: [], False: []}
    for number, (is_known, reference) in enumerate(order):
        times[is_known].append(house.course(f"thread {number}", reference))
    result = {
        step: {
            clock: _compared(_column(times[True], n, c), _column(times[False], n, c), chance)
            for c, clock in enumerate(("wall", "processor"))
        }
        for n, step in enumerate(STEPS)
    }
    counted = {"known": len(known), "unknown": len(known), "really_sent": house.sent(), "in_check": house.verifying()}
    return {**counted, "steps": result}


def _column(rows: Sequence[Sequence[tuple[float, float]]], step: int, clock: int) -> list[float]:
    return [row[step][clock] for row in rows]


def _compared(known: Sequence[float], unknown: Sequence[float], chance: random.Random) -> dict[str, Any]:
    halves = list(unknown)
    chance.shuffle(halves)
    middle = len(halves) // 2
    low, high = _spread(known, unknown, chance)
    medians = statistics.median(known), statistics.median(unknown)
    return {
        "auc": round(auc(known, unknown), 3),
        "auc_by_chance": round(auc(halves[:middle], halves[middle:]), 3),
        "ks": round(ks(known, unknown), 3),
        "ks_at_5_percent": round(1.358 * ((len(known) + len(unknown)) / (len(known) * len(unknown))) ** 0.5, 3),
        "median_known_ms": round(medians[0] * 1000, 3),
        "median_unknown_ms": round(medians[1] * 1000, 3),
        "median_ratio": round(medians[0] / medians[1], 3),
        "difference_ms_95": [round(low * 1000, 3), round(high * 1000, 3)],
        "p95_known_ms": round(statistics.quantiles(known, n=20)[-1] * 1000, 2),
        "p95_unknown_ms": round(statistics.quantiles(unknown, n=20)[-1] * 1000, 2),
    }


def _spread(known: Sequence[float], unknown: Sequence[float], chance: random.Random) -> tuple[float, float]:
    """The 95 % interval of the difference of medians, by resampling."""
    found = sorted(
        statistics.median(chance.choices(known, k=len(known))) - statistics.median(chance.choices(unknown, k=len(unknown)))
        for _ in range(RESAMPLES)
    )
    return found[int(RESAMPLES * 0.025)], found[int(RESAMPLES * 0.975)]


def auc(first: Sequence[float], second: Sequence[float]) -> float:
    """How often one of the first is greater than one of the second (Mann and Whitney); 0.5 when nothing tells them apart."""
    greater = sum((a > b) + 0.5 * (a == b) for a in first for b in second)
    return greater / (len(first) * len(second))


def ks(first: Sequence[float], second: Sequence[float]) -> float:
    """The greatest distance between the two distributions (Kolmogorov and Smirnov)."""
    return max((abs(share - other) for share, other in _shares(sorted(first), sorted(second))), default=0.0)


def _shares(first: Sequence[float], second: Sequence[float]) -> Iterator[tuple[float, float]]:
    for value in (*first, *second):
        yield sum(a <= value for a in first) / len(first), sum(b <= value for b in second) / len(second)
