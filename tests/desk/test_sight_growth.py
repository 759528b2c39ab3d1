"""What the desk's pages cost does not grow with the desk: the same statements for one case and for many, for a long thread and a
short one; no more lines are opened than are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.base.vault import Vault
from bot.desk.sight import board, days, figures
from bot.desk.sight.casefile import LINES, casefile, fingerprint
from bot.desk.sight.days import keep
from bot.desk.sight.figures import Span
from bot.desk.sight.listing import listing
from bot.desk.sight.load import load
from bot.desk.work import queue
from bot.desk.work.queue import Filters
from tests.conftest import Keys
from tests.desk.conftest import Desk


class CountingVault(Vault):
    """A vault that counts what it opens."""

    opened = 0

    def open(self, token: str, context: str) -> str:
        self.opened += 1
        return super().open(token, context)


@contextmanager
def statements(desk: Desk) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(desk.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(desk.database.engine, "before_cursor_execute", note)


def number_of(desk: Desk, look: Callable[[Session], object]) -> int:
    with desk.database.reading() as session, statements(desk) as seen:
        look(session)
    return len(seen)


def span(desk: Desk) -> Span:
    return Span(desk.clock() - timedelta(days=7), desk.clock() + timedelta(hours=1))


PAGES: dict[str, Callable[[Desk, Session], object]] = {
    "the queue": lambda desk, session: listing(session, Filters(), desk.clock()),
    "its counts": lambda desk, session: queue.counts(session, desk.clock()),
    "its fingerprint": lambda _, session: queue.fingerprint(session),
    "the load": lambda desk, session: load(session, desk.clock()),
    "the wallboard": lambda desk, session: board.board(session, span(desk), desk.clock()),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_as_often_for_many_cases_as_for_few(lite: Desk, page: str) -> None:
    for _ in range(2):
        lite.case()
    few = number_of(lite, lambda session: PAGES[page](lite, session))
    for number in range(14):
        lite.case(("distress", "patient_wish", "data_access_request")[number % 3], channel="sms")
    assert number_of(lite, lambda session: PAGES[page](lite, session)) == few


def test_a_page_of_the_queue_holds_no_more_than_was_asked_for(lite: Desk) -> None:
    for _ in range(6):
        lite.case()
    with lite.database.reading() as session:
        first, last = (listing(session, Filters(), lite.clock(), limit=4, offset=offset) for offset in (0, 4))
    assert (len(first.rows), first.has_more) == (4, True)
    assert (len(last.rows), last.has_more) == (2, False)


@pytest.mark.parametrize("look", [casefile, fingerprint])
def test_a_long_thread_is_asked_for_as_often_as_a_short_one(lite: Desk, look: Callable[..., object]) -> None:
    short, long = lite.case(), lite.case()
    thread_id = lite.look(long).thread_id
    for _ in range(LINES + 20):
        lite.turn(thread_id)
    more = (lite.vault,) if look is casefile else ()
    few = number_of(lite, lambda session: look(session, *more, short, lite.clock()))
    assert number_of(lite, lambda session: look(session, *more, long, lite.clock())) == few


def test_of_a_long_thread_no_more_is_opened_than_is_shown(lite: Desk, keys: Keys) -> None:
    case_id = lite.case()
    for _ in range(LINES + 20):
        lite.turn(lite.look(case_id).thread_id)
    vault = CountingVault(keys.vault)
    with lite.database.reading() as session:
        file = casefile(session, vault, case_id, lite.clock())
    assert len(file.entries) == vault.opened == LINES
    assert not file.is_whole


def test_nothing_is_read_to_be_counted(lite: Desk) -> None:
    lite.case()
    with lite.database.reading() as session, statements(lite) as seen:
        figures.replies_and_missed(session, span(lite))
        figures.topics(session, span(lite))
        figures.languages_by_hour(session, span(lite))
        figures.first_response_kept(session, span(lite), lite.clock())
    assert len(seen) - sum("BEGIN" in one or "PRAGMA" in one for one in seen) == 4
    assert all("count(" in one for one in seen if one.startswith("SELECT"))


def test_what_is_counted_of_turns_is_read_from_an_index_alone(lite: Desk) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    with lite.database.reading() as session:
        event.listen(lite.database.engine, "before_cursor_execute", note)
        board.board(session, span(lite), lite.clock())
        event.remove(lite.database.engine, "before_cursor_execute", note)
        of_turns = [(statement, values) for statement, values in asked if "turns.received_at >=" in statement]
        plans = [session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values).all() for one, values in of_turns]
    assert plans
    assert all("COVERING INDEX ix_turns_received_at" in " ".join(map(str, plan)) for plan in plans)


def test_days_that_are_over_are_counted_once(lite: Desk) -> None:
    lite.case()
    lite.clock.advance(days=3)
    week = board.last_days(lite.clock(), 7)
    assert keep(lite.database, week, lite.clock()) == 6
    assert keep(lite.database, week, lite.clock()) == 0
    with lite.database.reading() as session, statements(lite) as seen:
        days.by_day(session, week)
    assert len([one for one in seen if "figure_days" in one]) == 1
    of_turns = [one for one in seen if "turns.received_at >=" in one]
    with lite.database.reading() as session, statements(lite) as seen:
        days.plainly(session, Span(week.until - timedelta(minutes=1), week.until))
    assert len(of_turns) == len([one for one in seen if "turns.received_at >=" in one]), "today alone is counted"
