"""The wallboard's sums: after whatever happens to rows of days that are over, they are what a plain count says."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from bot.conversations.models import Reply, Thread, Turn
from bot.conversations.post.models import Part
from bot.desk.models import Case, CaseReason
from bot.desk.sight import days
from bot.desk.sight.days import FigureDay, FigureMark, by_day, keep, plainly, together
from bot.desk.sight.figures import Span
from tests.desk.conftest import Desk

START = date(2023, 5, 9)
SPAN_DAYS = 6


class Happening:
    """What happens to the rows of some days, one thing after the other, by a fixed chance."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.chance = desk, random.Random(seed)
        self.begun = desk.clock()
        self.threads = [desk.thread(channel) for channel in ("web", "sms", "whatsapp")]
        self.case_id = desk.case()
        self.numbers = 10_000

    def moment(self) -> Any:
        return self.begun + timedelta(hours=self.chance.uniform(-9, 24 * SPAN_DAYS - 9))

    def any(self, session: Session, table: Any) -> Any:
        ids = session.scalars(select(table.id).order_by(table.id)).all()
        return session.get_one(table, self.chance.choice(ids)) if ids else None

    def turn(self, session: Session) -> None:
        self.numbers += 1
        row = Turn(thread_id=self.chance.choice(self.threads), number=self.numbers, external_id=f"x{self.numbers}")
        row.status, row.received_at = self.chance.choice(("stored", "queued", "answered")), self.moment()
        row.topic, row.language = self.chance.choice(("ransom", "dark_web", None)), self.chance.choice(("en", "tl", None))
        session.add(row)

    def understood(self, session: Session) -> None:
        row = self.any(session, Turn)
        row.topic, row.language = self.chance.choice(("ransom", "what_happened")), self.chance.choice(("en", "zh-Hant"))
        row.status = self.chance.choice(("queued", "answered", "failed"))

    def reply(self, session: Session) -> None:
        self.numbers += 1
        taken = select(Reply.turn_id).where(Reply.turn_id.is_not(None))
        turn_id = session.scalars(select(Turn.id).where(Turn.id.not_in(taken)).order_by(Turn.id)).first()
        thread_id = session.get_one(Turn, turn_id).thread_id if turn_id else self.threads[0]
        row = Reply(thread_id=thread_id, turn_id=turn_id, number=self.numbers, language="en", publication_id=1, choices=[])
        row.say, row.author = [self.chance.choice(("clarify", "ransom"))], self.chance.choice(("bot", "bot", "staff"))
        row.sealed_text, row.created_at = "x", self.moment()
        session.add(row)

    def part(self, session: Session) -> None:
        reply = self.any(session, Reply)
        if reply is not None:
            self.numbers += 1
            row = Part(thread_id=reply.thread_id, reply_id=reply.id, place=self.numbers, reference=f"r{self.numbers}")
            row.channel, row.status = self.chance.choice(("sms", "whatsapp")), self.chance.choice(("sent", "failed"))
            row.sealed_text, row.due_at, row.created_at = "x", self.begun, self.moment()
            session.add(row)

    def settled(self, session: Session) -> None:
        row = self.any(session, Part)
        if row is not None:
            row.status = self.chance.choice(("failed", "delivered"))

    def needed(self, session: Session) -> None:
        session.add(CaseReason(case_id=self.case_id, reason=self.chance.choice(("distress", "extortion")), at=self.moment()))

    def closed(self, session: Session) -> None:
        row = session.get_one(Case, self.case_id)
        row.resolved_at, row.outcome = self.chance.choice(((None, None), (self.moment(), "answered"), (self.moment(), "safe")))

    def purged(self, session: Session) -> None:
        row = self.any(session, self.chance.choice((Turn, Reply, CaseReason, Part)))
        if row is not None:
            session.execute(delete(type(row)).where(type(row).id == row.id))

    def in_bulk(self, session: Session) -> None:
        session.execute(update(Turn).where(Turn.topic == "ransom").values(topic="dark_web"))

    def erased(self, session: Session) -> None:
        thread_id = self.chance.choice(self.threads)
        session.execute(delete(Thread).where(Thread.id == thread_id, Thread.id.not_in(select(Case.thread_id))))
        self.threads = list(session.scalars(select(Thread.id).order_by(Thread.id)))


EVENTS: tuple[Callable[[Happening, Session], None], ...] = (
    *(Happening.turn, Happening.turn, Happening.turn, Happening.understood, Happening.reply, Happening.reply, Happening.part),
    *(
        Happening.part,
        Happening.settled,
        Happening.needed,
        Happening.closed,
        Happening.purged,
        Happening.in_bulk,
        Happening.erased,
    ),
)


@pytest.mark.parametrize("seed", range(4))
def test_after_every_kind_of_event_the_sums_are_a_plain_count(desk: Desk, seed: int) -> None:
    happening = Happening(desk, seed)
    at = desk.clock.advance(days=SPAN_DAYS + 1)
    span = Span(happening.begun - timedelta(hours=9), happening.begun + timedelta(days=SPAN_DAYS, hours=-12))
    counted = 0
    for place in range(60):
        with desk.database.writing() as session:
            EVENTS[place % len(EVENTS) if place < len(EVENTS) else happening.chance.randrange(len(EVENTS))](happening, session)
        with desk.database.reading() as session:
            assert together(by_day(session, span).values()) == together([plainly(session, span)])
        if place % 3 == 0:
            counted += keep(desk.database, span, at)
    assert counted > SPAN_DAYS, "days that had been kept were counted anew"


def test_only_days_that_are_over_are_kept_and_a_part_that_arrives_late_marks_none(desk: Desk) -> None:
    happening = Happening(desk, 1)
    span = Span(happening.begun - timedelta(hours=9), happening.begun + timedelta(days=2, hours=15))
    assert keep(desk.database, span, desk.clock()) == 0
    at = desk.clock.advance(days=2)
    with desk.database.writing() as session:
        happening.reply(session)
        session.flush()
        happening.part(session)
        session.execute(update(Part).values(status="sent", created_at=happening.begun))
    assert keep(desk.database, span, at) == 2
    with desk.database.writing() as session:
        session.execute(update(Part).values(status="delivered"))
    with desk.database.reading() as session:
        assert session.scalars(select(FigureDay.day).order_by(FigureDay.day)).all() == [START, START + timedelta(days=1)]
        assert session.scalars(select(FigureMark)).all() == []
    with desk.database.writing() as session:
        session.execute(update(Part).values(status="failed"))
    with desk.database.reading() as session:
        assert session.scalars(select(FigureMark.day)).all() == [START]
        assert together(by_day(session, span).values()).failures == together([plainly(session, span)]).failures


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # on SQLite one writes at a time
def test_a_day_that_somebody_is_changing_is_not_kept_yet(desk: Desk) -> None:
    happening = Happening(desk, 2)
    at = desk.clock.advance(days=2)
    span = Span(happening.begun - timedelta(hours=9), happening.begun + timedelta(hours=15))
    with desk.database.engine.connect() as other, other.begin():
        other.execute(text("UPDATE case_reasons SET reason = 'extortion'"))  # not committed: nobody can see it
        assert keep(desk.database, span, at) == 0
        with desk.database.writing() as session:
            assert session.scalar(select(func.count()).select_from(FigureDay)) == 0
    assert keep(desk.database, span, at) == 1
    with desk.database.reading() as session:
        assert together(by_day(session, span).values()).reasons == {"extortion": 1}


def test_what_is_kept_holds_numbers_and_no_words(lite: Desk) -> None:
    lite.turn(lite.thread())
    at = lite.clock.advance(days=1)
    keep(lite.database, Span(at - timedelta(days=2), at), at)
    with lite.database.reading() as session:
        [content] = session.scalars(select(FigureDay.content).where(FigureDay.day == START)).all()
    assert days._read(content).channels
    assert "v1" not in content
