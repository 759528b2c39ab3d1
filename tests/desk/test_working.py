"""What responders do with a case: taking, handing on, putting off, closing, giving back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.base.errors import BadInput, IllegalMove
from bot.conversations.models import Owner
from bot.desk.models import CaseStatus, Outcome
from bot.desk.records import CallResult, Why
from bot.desk.staff.roles import Role
from bot.desk.work import bulk, claims, ending, notebook, presence, queue
from bot.desk.work.queue import Filters
from tests.desk.conftest import Desk


def claim(desk: Desk, case_id: int, staff_id: int) -> claims.Claim:
    with desk.database.writing() as session:
        return claims.claim(session, desk.vault, case_id, staff_id, desk.clock())


def test_of_fifty_claims_at_once_one_wins_and_all_see_who(desk: Desk) -> None:
    people = [desk.colleague() for _ in range(5)]
    case_id = desk.case()
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda n: (people[n % 5], claim(desk, case_id, people[n % 5])), range(50)))
    holder = desk.look(case_id).claimed_by
    assert {one.holder for _, one in found} == {holder}
    assert all(one.won is (who == holder) for who, one in found)
    with desk.database.reading() as session:
        from bot.base.audit import AuditEntry

        assert session.query(AuditEntry).filter(AuditEntry.kind == "case.claimed").count() == 1


def test_handing_on_does_not_change_since_when_the_patient_waits(desk: Desk) -> None:
    one, other = desk.colleague(), desk.colleague(Role.LEAD)
    case_id = desk.case()
    before = desk.look(case_id).waiting_since
    desk.clock.advance(minutes=10)
    claim(desk, case_id, one)
    with desk.database.writing() as session:
        claims.transfer(session, desk.vault, case_id, one, desk.clock(), to=other, team="privacy")
    handed = desk.look(case_id)
    assert (handed.status, handed.meant_for, handed.team) == (CaseStatus.OPEN, other, "privacy")
    claim(desk, case_id, other)
    with desk.database.writing() as session:
        claims.release(session, desk.vault, case_id, other, desk.clock())
    assert desk.look(case_id).waiting_since == before
    desk.turn(desk.look(case_id).thread_id, "are you there?")
    assert desk.look(case_id).waiting_since == before, "writing again moves nobody back"


def test_taking_over_tells_the_former_holder(lite: Desk) -> None:
    one, lead = lite.colleague(), lite.colleague(Role.LEAD)
    case_id = lite.case()
    claim(lite, case_id, one)
    with lite.database.writing() as session:
        assert claims.take_over(session, lite.vault, case_id, lead, lite.clock(), why="shift ended") == one
        reminders = notebook.due_reminders(session, one, lite.clock())
        assert [(row.case_id, row.why) for row in reminders] == [(case_id, Why.TAKEN_OVER)]
        assert notebook.reminder_seen(session, reminders[0].id, lead, lite.clock()) is False
        assert notebook.reminder_seen(session, reminders[0].id, one, lite.clock())
        with pytest.raises(BadInput, match="not yours"):
            claims.release(session, lite.vault, case_id, one, lite.clock())


def test_the_end_of_a_shift_releases_what_is_owed_and_keeps_the_rest(lite: Desk) -> None:
    one = lite.colleague()
    owed, snoozed = lite.case(), lite.case()
    claim(lite, owed, one)
    claim(lite, snoozed, one)
    with lite.database.writing() as session:
        ending.snooze(session, lite.vault, snoozed, one, lite.clock(), until=lite.clock.advance(hours=1))
        assert claims.release_all(session, lite.vault, one, lite.clock()) == 1
    assert lite.look(owed).status == CaseStatus.OPEN
    assert lite.look(snoozed).status == CaseStatus.SNOOZED


def test_a_snoozed_case_comes_back_at_its_time_and_earlier_when_the_patient_writes(lite: Desk) -> None:
    one = lite.colleague()
    slept, woken = lite.case(), lite.case()
    for case_id in (slept, woken):
        claim(lite, case_id, one)
    start = lite.clock()
    until = lite.clock.advance(hours=2)
    lite.clock.now = start
    with lite.database.writing() as session:
        for case_id in (slept, woken):
            ending.snooze(session, lite.vault, case_id, one, start, until=until)
        with pytest.raises(BadInput, match="later time"):
            ending.snooze(session, lite.vault, slept, one, start, until=start)
    lite.turn(lite.look(woken).thread_id)
    assert lite.look(woken).status == CaseStatus.CLAIMED
    with lite.database.writing() as session:
        assert ending.wake(session, lite.vault, start) == 0
        assert ending.wake(session, lite.vault, until) == 1
    assert (lite.look(slept).status, lite.look(slept).snoozed_until) == (CaseStatus.CLAIMED, None)


def test_closing_tells_the_patient_and_a_turn_within_a_week_opens_the_same_case(desk: Desk) -> None:
    one = desk.colleague()
    case_id = desk.case("compensation")
    claim(desk, case_id, one)
    with desk.database.writing() as session:
        ending.resolve(session, desk.vault, desk.published, case_id, one, desk.clock(), outcome=Outcome.ANSWERED)
    closed = desk.look(case_id)
    assert (closed.status, closed.outcome, closed.resolved_by) == (CaseStatus.RESOLVED, "answered", one)
    assert desk.lines(case_id)[-1].text == "<case_closed en>"
    desk.clock.advance(days=6)
    with desk.database.writing() as session:
        assert ending.return_threads(session, desk.vault, desk.clock()) == 0
    desk.turn(closed.thread_id, "one more thing")
    again = desk.look(case_id)
    assert (again.number, again.status, again.reason) == (closed.number, CaseStatus.OPEN, "compensation")
    assert (again.claimed_by, again.first_responded_at, again.outcome) == (None, None, None)


def test_a_week_after_the_end_the_assistant_answers_again(desk: Desk) -> None:
    one = desk.colleague()
    case_id = desk.case()
    claim(desk, case_id, one)
    with desk.database.writing() as session:
        ending.resolve(session, desk.vault, desk.published, case_id, one, desk.clock(), outcome=Outcome.HELPED)
    desk.clock.advance(days=7, seconds=1)
    with desk.database.writing() as session:
        assert ending.return_threads(session, desk.vault, desk.clock()) == 1
        assert ending.return_threads(session, desk.vault, desk.clock()) == 0
    assert desk.owner(case_id) == Owner.BOT


def test_who_never_heard_of_a_case_does_not_hear_of_its_end(lite: Desk) -> None:
    one = lite.colleague()
    case_id = lite.case("attacker_claim")
    claim(lite, case_id, one)
    before = lite.lines(case_id)
    with lite.database.writing() as session:
        ending.resolve(session, lite.vault, lite.published, case_id, one, lite.clock(), outcome=Outcome.NO_PATIENT)
    assert lite.lines(case_id) == before


def test_handing_back_is_told_and_the_assistant_begins_clean(lite: Desk) -> None:
    one = lite.colleague()
    case_id = lite.case()
    claim(lite, case_id, one)
    with lite.database.reading() as session:
        from bot.conversations.threads import latest_session

        before = latest_session(session, lite.look(case_id).thread_id)
    with lite.database.writing() as session:
        ending.hand_back(session, lite.vault, lite.published, case_id, one, lite.clock())
    assert lite.owner(case_id) == Owner.BOT
    assert lite.lines(case_id)[-1].text == "<assistant_again en>"
    with lite.database.reading() as session:
        after = latest_session(session, lite.look(case_id).thread_id)
    assert before is not None
    assert after is not None
    assert before.engine_key != after.engine_key


def test_only_the_holder_closes_and_an_ended_case_stays_ended(lite: Desk) -> None:
    one, other = lite.colleague(), lite.colleague()
    case_id = lite.case()
    claim(lite, case_id, one)
    with lite.database.writing() as session:
        for deed in (ending.hand_back, ending.resolve):
            more = {"outcome": Outcome.ANSWERED} if deed is ending.resolve else {}
            with pytest.raises(BadInput, match="not yours"):
                deed(session, lite.vault, lite.published, case_id, other, lite.clock(), **more)
        case = ending.resolve(session, lite.vault, lite.published, case_id, one, lite.clock(), outcome=Outcome.ANSWERED)
        with pytest.raises(IllegalMove):
            ending.close(session, lite.vault, lite.published, case, one, lite.clock(), outcome=Outcome.ANSWERED)
        with pytest.raises(BadInput, match="ended"):
            claims.take_over(session, lite.vault, case_id, other, lite.clock())
    assert claim(lite, case_id, other).won is False


def test_the_queue_is_filtered_and_counted(desk: Desk) -> None:
    one = desk.colleague()
    late = desk.case("patient_wish")
    urgent = desk.case("self_harm")
    desk.clock.advance(minutes=1)
    press = desk.case("media_enquiry", channel="sms", language="zh-Hant")
    claim(desk, press, one)
    with desk.database.reading() as session:
        shown = [row.case.id for row in queue.page(session, Filters(), desk.clock())]
        assert shown == [urgent, press, late]
        assert [row.case.id for row in queue.page(session, Filters(only_unclaimed=True), desk.clock())] == [urgent, late]
        assert [row.case.id for row in queue.page(session, Filters(team="press"), desk.clock())] == [press]
        assert [row.case.id for row in queue.page(session, Filters(channel="sms", language="zh-Hant"), desk.clock())] == [press]
        assert [row.case.id for row in queue.page(session, Filters(claimed_by=one), desk.clock())] == [press]
        counted = queue.counts(session, desk.clock())
        assert (counted.unclaimed, counted.held, counted.breached) == (2, 1, 0)
        assert counted.by_priority == {0: 1, 2: 1, 3: 1}
        assert [case.id for case in queue.urgent_unclaimed(session)] == [urgent]
        later = desk.clock.advance(minutes=20)
        assert [row.case.id for row in queue.page(session, Filters(only_breached=True), later)] == [urgent]
        before = queue.fingerprint(session)
    claim(desk, urgent, one)
    with desk.database.reading() as session:
        assert queue.fingerprint(session) != before


def test_notes_calls_and_drafts_are_kept_sealed_and_apart_from_replies(lite: Desk) -> None:
    one, other = lite.colleague(), lite.colleague()
    case_id = lite.case()
    before = lite.lines(case_id)
    with lite.database.writing() as session:
        notebook.add_note(session, lite.vault, case_id, other, lite.clock(), text="she sounds afraid")
        notebook.log_call(
            session, lite.vault, case_id, one, lite.clock(), result=CallResult.REACHED, minutes=4, text="will write"
        )
        notebook.save_draft(session, lite.vault, case_id, one, lite.clock(), names=["distress"], text="I am")
        with pytest.raises(BadInput):
            notebook.add_note(session, lite.vault, case_id, one, lite.clock(), text="  ")
    with lite.database.reading() as session:
        assert [note.text for note in notebook.notes(session, lite.vault, case_id)] == ["she sounds afraid"]
        assert [(call.result, call.minutes) for call in notebook.calls(session, lite.vault, case_id)] == [("reached", 4)]
        draft = notebook.draft_of(session, lite.vault, case_id, one)
        assert draft is not None
        assert (draft.names, draft.text) == (("distress",), "I am")
        assert notebook.draft_of(session, lite.vault, case_id, other) is None
        stored = session.connection().exec_driver_sql("SELECT sealed_text FROM case_notes").scalar_one()
        assert "afraid" not in stored
    assert lite.lines(case_id) == before


def test_who_looks_is_seen_and_gone_half_a_minute_later(lite: Desk) -> None:
    one, other = lite.colleague(), lite.colleague()
    case_id = lite.case()
    with lite.database.writing() as session:
        presence.seen(session, case_id, one, lite.clock(), typing=True)
        presence.seen(session, case_id, other, lite.clock())
        shown = presence.viewers(session, case_id, lite.clock())
        assert [(one.staff_id, one.typing) for one in shown] == [(one, True), (other, False)]
        presence.left(session, case_id, other)
        assert [one.typing for one in presence.viewers(session, case_id, lite.clock.advance(seconds=10))] == [False]
        assert presence.viewers(session, case_id, lite.clock.advance(seconds=21)) == []


def test_closing_many_takes_two_people_and_leaves_what_became_urgent(desk: Desk) -> None:
    lead, second, agent = desk.colleague(Role.LEAD), desk.colleague(Role.APPROVER), desk.colleague()
    ids = [desk.case() for _ in range(3)]
    with desk.database.writing() as session:
        with pytest.raises(BadInput, match="role"):
            bulk.ask_to_close(session, desk.vault, ids, outcome=Outcome.ANSWERED, by=agent, at=desk.clock())
        asked = bulk.ask_to_close(session, desk.vault, ids, outcome=Outcome.ANSWERED, by=lead, at=desk.clock()).id
        with pytest.raises(BadInput, match="another person"):
            bulk.approve_closing(session, desk.vault, desk.published, asked, by=lead, at=desk.clock())
        with pytest.raises(BadInput, match="role"):
            bulk.approve_closing(session, desk.vault, desk.published, asked, by=agent, at=desk.clock())
    from bot.desk.cases import open_case
    from bot.desk.reasons import reason

    with desk.database.writing() as session:
        thread_id = desk.look(ids[0]).thread_id
        open_case(session, thread_id=thread_id, reason=reason("self_harm"), turn_id=None, at=desk.clock())
        closed = bulk.approve_closing(session, desk.vault, desk.published, asked, by=second, at=desk.clock())
        with pytest.raises(BadInput, match="decided already"):
            bulk.approve_closing(session, desk.vault, desk.published, asked, by=second, at=desk.clock())
    assert closed == [desk.look(case_id).number for case_id in ids[1:]]
    assert desk.look(ids[0]).status == CaseStatus.OPEN
