"""The wallboard: every figure counted by hand from the rows that were inserted, and its charts as pictures without a script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import select

from bot.conversations.models import Reply, Turn, TurnStatus
from bot.conversations.post.models import Part, PartStatus
from bot.conversations.transcript import REPLY_TEXT
from bot.desk.models import Case
from bot.desk.sight import board
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
PAGE = "/desk/wallboard"
ROWS = (("what_happened", "en", 0), ("what_happened", "zh-Hant", 0), ("data_types", "en", 1), ("distress", "id", 2))
"""Topic, language and how many days ago of four turns on threads of their own."""


def a_week(desk: Desk) -> None:
    """Four turns, one of them a case; three replies, one not understood; one of two SMS failed."""
    for place, (topic, language, ago) in enumerate(ROWS):
        thread_id = desk.thread("sms" if place < 2 else "web", language)
        desk.turn(thread_id)
        with desk.database.writing() as session:
            turn = session.scalars(select(Turn).where(Turn.thread_id == thread_id)).one()
            turn.topic, turn.language, turn.status = topic, language, TurnStatus.ANSWERED.value
            turn.received_at = desk.clock() - timedelta(days=ago)
            if place < 3:
                reply = Reply(
                    thread_id=thread_id, turn_id=turn.id, number=2, author="bot", say=["clarify"] if place == 2 else [topic],
                    language=language, publication_id=1,
                    sealed_text=desk.vault.seal("said", REPLY_TEXT), choices=[], created_at=desk.clock() - timedelta(hours=1),
                )  # fmt: skip
                session.add(reply)
                session.flush()
            if place < 2:
                status = PartStatus.FAILED if place else PartStatus.DELIVERED
                part = Part(
                    thread_id=thread_id, reply_id=reply.id, place=1, channel="sms", reference=f"r{place}", status=status.value,
                    sealed_text=desk.vault.seal("said", "outbox.text"), due_at=desk.clock(),
                    created_at=desk.clock() - timedelta(hours=1),
                )  # fmt: skip
                session.add(part)
    desk.case("distress")
    desk.clock.advance(minutes=1)


def shown(desk: Desk, days: int = 7) -> board.Board:
    with desk.database.reading() as session:
        return board.board(session, board.last_days(desk.clock(), days), desk.clock())


def test_every_figure_is_what_the_rows_say(desk: Desk) -> None:
    a_week(desk)
    desk.clock.advance(minutes=19)
    seen = shown(desk)
    assert seen.waiting == 1
    assert seen.oldest == timedelta(minutes=20)
    assert seen.containment == 4 / 5, "five threads, one of which needed a person"
    assert seen.fallbacks == 1 / 3
    assert seen.failures == {"sms": (1, 2)}
    assert seen.reasons == {"distress": 1}
    assert seen.channels == {"sms": 2, "web": 3}


def test_topics_and_languages_stand_on_the_days_on_which_they_came(desk: Desk) -> None:
    a_week(desk)
    seen = shown(desk)
    assert len(seen.topics.days) == 7
    assert seen.topics.rows == {
        "what_happened": [0, 0, 0, 0, 0, 0, 2],
        "data_types": [0, 0, 0, 0, 0, 1, 0],
        "distress": [0, 0, 0, 0, 1, 0, 0],
    }
    assert seen.languages.rows == {
        "en": [0, 0, 0, 0, 0, 1, 1],
        "id": [0, 0, 0, 0, 1, 0, 0],
        "zh-Hant": [0, 0, 0, 0, 0, 0, 1],
    }


def test_one_day_is_counted_by_the_hour_on_a_hong_kong_clock(desk: Desk) -> None:
    a_week(desk)
    desk.clock.advance(hours=2)
    day = shown(desk, 1)
    assert [f"{hour:%H:%M}" for hour in day.topics.days] == [f"{hour:02}:00" for hour in range(12)]
    assert day.topics.rows == {"what_happened": [0] * 9 + [2, 0, 0]}
    assert day.languages.rows == {"en": [0] * 9 + [1, 0, 0], "zh-Hant": [0] * 9 + [1, 0, 0]}


def test_what_became_of_closed_cases_is_counted_in_its_span(desk: Desk) -> None:
    for ago, outcome in ((0, "answered"), (0, "answered"), (1, "safe"), (9, "referred")):
        case_id = desk.case()
        with desk.database.writing() as session:
            case = session.get_one(Case, case_id)
            case.status, case.outcome, case.resolved_at = "resolved", outcome, desk.clock() - timedelta(days=ago)
    desk.clock.advance(minutes=1)
    assert shown(desk).outcomes == {"answered": 2, "safe": 1}


def test_topics_beyond_the_first_six_stand_together(desk: Desk) -> None:
    for number in range(8):
        thread_id = desk.thread()
        desk.turn(thread_id)
        with desk.database.writing() as session:
            session.scalars(select(Turn).where(Turn.thread_id == thread_id)).one().topic = f"topic_{number}"
    desk.clock.advance(minutes=1)
    rows = shown(desk, 1).topics.rows
    assert len(rows) == 7
    assert sum(rows[board.REST]) == 2
    assert sum(sum(numbers) for numbers in rows.values()) == 8


def test_an_empty_desk_has_dashes_and_no_division(desk: Desk, colleague: Make) -> None:
    seen = shown(desk)
    assert (seen.waiting, seen.containment, seen.fallbacks, seen.first_kept) == (0, None, None, None)
    page = colleague(Role.AUDITOR).get(PAGE)
    assert page.status_code == 200
    assert "–" in page.text


def test_the_page_shows_the_numbers_of_its_charts_in_tables(desk: Desk, colleague: Make) -> None:
    a_week(desk)
    page = colleague(Role.AGENT).get(f"{PAGE}?days=7").text
    assert ">80 %<" in page
    assert ">33 %<" in page
    assert page.count('<img src="/desk/wallboard/') == page.count('<div class="chart">') == 4
    assert page.count("<table>") == 4


@pytest.mark.parametrize("chart", ["topics", "languages", "failures", "reasons"])
def test_a_chart_is_a_picture_that_holds_no_script(desk: Desk, colleague: Make, chart: str) -> None:
    a_week(desk)
    answer = colleague(Role.AGENT).get(f"{PAGE}/{chart}.svg?days=7")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    tree = ET.fromstring(answer.text)
    assert tree.tag.endswith("svg")
    assert not [part for part in tree.iter() if str(part.tag).endswith("script")]
    assert "onclick" not in answer.text


def test_no_other_chart_and_no_other_days_are_made(desk: Desk, colleague: Make) -> None:
    ann = colleague(Role.AGENT)
    assert ann.get(f"{PAGE}/secrets.svg").status_code == 404
    assert ann.get(f"{PAGE}?days=99999999").status_code == 200


def test_an_administrator_sees_no_figures(desk: Desk, colleague: Make) -> None:
    admin = colleague(Role.ADMIN)
    assert admin.get(PAGE).status_code == 403
    assert admin.get(f"{PAGE}/topics.svg").status_code == 403
