"""The desk as a whole: every figure is recomputed by hand from rows that the test put in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bot.base.audit import AuditEntry, content_of
from bot.base.errors import BadInput, TooMany
from bot.conversations.models import Reply, Turn, TurnStatus
from bot.conversations.post.models import HookDelivery, Part
from bot.desk.hours import switches
from bot.desk.models import Case, Outcome
from bot.desk.records import Switch
from bot.desk.sight import board, days, figures, searching
from bot.desk.sight.figures import Span
from bot.desk.sight.handled import Missed, not_handled
from bot.desk.sight.load import load
from bot.desk.sight.searching import By
from bot.desk.staff import throttle
from bot.desk.work import claims, ending
from tests.desk.conftest import Desk


def today(desk: Desk) -> Span:
    return Span(desk.clock() - timedelta(hours=9), desk.clock() + timedelta(hours=15))


def turn(desk: Desk, thread_id: int, **values: Any) -> int:
    number = desk.turn(thread_id)
    with desk.database.writing() as session:
        found = session.query(Turn).filter(Turn.thread_id == thread_id, Turn.number == number).one()
        for name, value in values.items():
            setattr(found, name, value)
        return found.id


def reply(desk: Desk, thread_id: int, turn_id: int | None, say: list[str], author: str = "bot") -> int:
    with desk.database.writing() as session:
        row = Reply(
            thread_id=thread_id,
            turn_id=turn_id,
            number=1000 + (turn_id or 0),
            author=author,
            say=say,
            language="en",
            publication_id=1,
            sealed_text=desk.vault.seal("x", "replies.text"),
            choices=[],
            created_at=desk.clock(),
        )
        session.add(row)
        session.flush()
        return row.id


def test_waiting_oldest_and_overdue(desk: Desk) -> None:
    staff_id = desk.colleague()
    first = desk.case("self_harm")
    desk.clock.advance(minutes=20)
    second = desk.case("patient_wish")
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, first, staff_id, desk.clock())
    desk.clock.advance(minutes=10)
    with desk.database.reading() as session:
        assert figures.waiting(session) == 1
        assert figures.oldest_wait(session, desk.clock()) == timedelta(minutes=30)
        assert figures.overdue(session, desk.clock()) == 1
    with desk.database.writing() as session:
        ending.resolve(session, desk.vault, desk.published, first, staff_id, desk.clock(), outcome=Outcome.SAFE)
    with desk.database.reading() as session:
        assert figures.oldest_wait(session, desk.clock()) == timedelta(minutes=10)
        assert figures.overdue(session, desk.clock()) == 0
        assert figures.outcomes(session, today(desk)) == {"safe": 1}
        assert figures.reasons(session, today(desk)) == {"patient_wish": 1, "self_harm": 1}
    assert second != first


def test_containment_and_fallbacks(desk: Desk) -> None:
    contained = [desk.thread() for _ in range(3)]
    turns = [turn(desk, thread_id, topic="what_happened", language="en") for thread_id in contained]
    desk.case()  # a fourth thread, with a person
    said = (["what_happened"], ["clarify"], ["not_understood", "private_details"])
    for thread_id, turn_id, names in zip(contained, turns, said, strict=True):
        reply(desk, thread_id, turn_id, names)
    reply(desk, contained[0], None, ["not_understood"], author="staff")
    with desk.database.reading() as session:
        shown = board.counts_of(session, today(desk))
        assert (shown.containment, shown.fallbacks) == (3 / 4, 2 / 3)
        nothing = Span(desk.clock() + timedelta(days=1), desk.clock() + timedelta(days=2))
        shown = board.counts_of(session, nothing)
        assert (shown.containment, shown.fallbacks) == (None, None)


def test_topics_and_languages_over_time(desk: Desk) -> None:
    desk.clock.advance(hours=14, minutes=50)  # ten to midnight in Hong Kong
    thread_id, other = desk.thread(), desk.thread("sms")
    turn(desk, thread_id, topic="ransom", language="en")
    turn(desk, thread_id, topic="ransom", language="zh-Hant")
    desk.clock.advance(minutes=20)
    turn(desk, other, topic="dark_web", language="en")
    span = Span(desk.clock() - timedelta(hours=1), desk.clock() + timedelta(hours=1))
    with desk.database.reading() as session:
        assert figures.topics(session, span) == {"ransom": 2, "dark_web": 1}
        each = days.by_day(session, span)
        first, second = each[date(2023, 5, 9)], each[date(2023, 5, 10)]
        assert (first.languages, second.languages) == ({"en": 1, "zh-Hant": 1}, {"en": 1})
        assert (first.topics, second.topics) == ({"ransom": 2}, {"dark_web": 1})
        assert board.board(session, span, desk.clock()).channels == {"web": 1, "sms": 1}


def test_delivery_failures_by_channel(desk: Desk) -> None:
    thread_id = desk.thread("sms")
    reply_id = reply(desk, thread_id, None, ["what_happened"])
    statuses = [("sms", "failed"), ("sms", "delivered"), ("sms", "sent"), ("email", "delivered")]
    with desk.database.writing() as session:
        for place, (channel, status) in enumerate(statuses, start=1):
            session.add(
                Part(
                    thread_id=thread_id,
                    reply_id=reply_id,
                    place=place,
                    channel=channel,
                    reference=f"r{place}",
                    sealed_text="x",
                    status=status,
                    due_at=desk.clock(),
                    created_at=desk.clock(),
                )
            )
    with desk.database.reading() as session:
        assert figures.delivery_failures(session, today(desk)) == {"email": (0, 1), "sms": (1, 3)}


def test_the_part_of_first_answers_that_came_in_time(lite: Desk) -> None:
    in_time, late, never, _not_due = (lite.case("self_harm") for _ in range(4))
    start = lite.clock()
    with lite.database.writing() as session:
        session.get_one(Case, in_time).first_responded_at = start + timedelta(minutes=14)
        session.get_one(Case, late).first_responded_at = start + timedelta(minutes=16)
        session.get_one(Case, _not_due).first_response_due_at = start + timedelta(hours=5)
    at = lite.clock.advance(hours=1)
    with lite.database.reading() as session:
        assert figures.first_response_kept(session, today(lite), at) == 1 / 3
    assert never


def test_the_load_is_what_campaigns_read(desk: Desk) -> None:
    with desk.database.reading() as session:
        empty = load(session, desk.clock())
    assert (empty.waiting, empty.live, empty.oldest, empty.per_person, empty.surge) == (0, 0, timedelta(), 0.0, False)
    assert empty.is_open
    held = [desk.case("self_harm"), desk.case(), desk.case()]
    with desk.database.reading() as session:
        assert load(session, desk.clock()).per_person == float("inf")
    staff_id = desk.colleague()
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, held[2], staff_id, desk.clock())
        switches.turn_on(session, desk.vault, Switch.SURGE, by="operator", at=desk.clock())
    desk.clock.advance(minutes=30)
    with desk.database.reading() as session:
        now = load(session, desk.clock())
    assert (now.waiting, now.live, now.urgent_waiting, now.breached, now.staff_on_duty) == (2, 3, 1, 1, 1)
    assert (now.oldest, now.opened_lately, now.answered_lately) == (timedelta(minutes=30), 3, 0)
    assert (now.per_person, now.surge) == (3.0, True)


def test_what_nobody_handled_is_listed_and_nothing_else(desk: Desk) -> None:
    staff_id = desk.colleague()
    queued = desk.case()  # a turn that waits in a live case
    turn(desk, desk.look(queued).thread_id, status=TurnStatus.QUEUED.value)
    closed = desk.case()
    turn(desk, desk.look(closed).thread_id, status=TurnStatus.QUEUED.value)
    with desk.database.writing() as session:
        for turns in session.query(Turn).filter(Turn.status == "stored"):
            turns.status = TurnStatus.ANSWERED.value  # the first turns, which led to the hand-over
        claims.claim(session, desk.vault, closed, staff_id, desk.clock())
        ending.resolve(session, desk.vault, desk.published, closed, staff_id, desk.clock(), outcome=Outcome.ANSWERED)
    desk.clock.advance(minutes=5)
    with desk.database.reading() as session:
        assert not_handled(session, desk.clock()) == []
    alone = desk.thread()
    lost = turn(desk, alone, status=TurnStatus.QUEUED.value)
    stuck = turn(desk, desk.thread())
    answered = turn(desk, desk.thread(), status=TurnStatus.ANSWERED.value)
    with desk.database.writing() as session:
        hook = HookDelivery(
            kind="twilio_messages", provider_id="x", sealed_content="x", status="broken", received_at=desk.clock()
        )
        session.add(hook)
        session.flush()
        hook_id = hook.id
    with desk.database.reading() as session:
        assert [one.why for one in not_handled(session, desk.clock())] == [Missed.NOT_READ], "what is fresh is being answered"
    desk.clock.advance(minutes=2)
    with desk.database.reading() as session:
        found = {(one.why, one.id) for one in not_handled(session, desk.clock())}
    assert found == {(Missed.NOT_QUEUED, lost), (Missed.NOT_ANSWERED, stuck), (Missed.NOT_READ, hook_id)}
    assert answered


def search(desk: Desk, staff_id: int, by: By, value: str, reason: str = "caller asks for her case") -> list[searching.Hit]:
    with desk.database.writing() as session:
        return searching.search(
            session, desk.vault, desk.index, by=by, value=value, reason=reason, staff_id=staff_id, at=desk.clock()
        )


def test_searching_needs_a_reason_and_is_logged_and_limited(desk: Desk) -> None:
    staff_id = desk.colleague()
    for reason in ("", "because", "x" * 301):
        with pytest.raises(BadInput, match="Say why"):
            search(desk, staff_id, By.NAME, "chan", reason)
    values = {By.NAME: "Chan Tai Man", By.PHONE: "9123 4567", By.EMAIL: "a@clinic.example", By.REFERENCE: "ABCD-EFGH"}
    for by, value in values.items():
        assert search(desk, staff_id, by, value) == []
    with desk.database.reading() as session:
        entries = session.query(AuditEntry).filter(AuditEntry.kind == "patient.searched").all()
        content = content_of(entries[0], desk.vault)
    assert (len(entries), entries[0].actor) == (4, f"staff:{staff_id}")
    assert content == {"by": "name", "reason": "caller asks for her case", "found": [], "case": None}
    for _ in range(throttle.SEARCH.most - 4):
        search(desk, staff_id, By.PHONE, "nothing")
    with pytest.raises(TooMany):
        search(desk, staff_id, By.NAME, "Chan")
    assert search(desk, desk.colleague(), By.NAME, "Chan") == []
