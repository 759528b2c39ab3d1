"""How long words are kept, and the legal hold that keeps them longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.base.audit import AuditEntry
from bot.base.errors import BadInput
from bot.conversations.models import Thread, Turn
from bot.conversations.transcript import lines_after
from bot.desk.hours import switches
from bot.desk.keeping import EVERY, Keeping
from bot.desk.models import Outcome
from bot.desk.records import CallResult, CaseDraft, Switch
from bot.desk.staff.roles import Role
from bot.desk.work import claims, ending, notebook
from tests.desk.conftest import Desk

KEPT = timedelta(days=365)


def keeping(desk: Desk, holder: str = "host") -> Keeping:
    return Keeping(desk.database, desk.vault, KEPT, desk.clock, holder)


def words(desk: Desk, thread_id: int) -> list[str]:
    with desk.database.reading() as session:
        return [line.text for line in lines_after(session, desk.vault, thread_id, 0)]


def closed(desk: Desk, agent: int) -> int:
    """A case with everything a responder writes, closed."""
    case_id = desk.case()
    with desk.database.writing() as session:
        at = desk.clock()
        claims.claim(session, desk.vault, case_id, agent, at)
        notebook.add_note(session, desk.vault, case_id, agent, at, text="a private remark")
        notebook.log_call(session, desk.vault, case_id, agent, at, result=CallResult.REACHED, text="what was said")
        notebook.save_draft(session, desk.vault, case_id, agent, at, text="never sent")
        ending.resolve(session, desk.vault, desk.published, case_id, agent, at, outcome=Outcome.ANSWERED)
    return case_id


def test_after_its_time_a_conversation_has_no_words_and_its_rows_stay(desk: Desk) -> None:
    agent = desk.colleague()
    case_id, alone = closed(desk, agent), desk.thread()
    desk.turn(alone, "only the assistant read this")
    thread_id = desk.look(case_id).thread_id
    desk.clock.now += KEPT - timedelta(minutes=1)
    assert keeping(desk).tick() == 0
    desk.clock.advance(minutes=2)
    with desk.database.writing() as session:
        session.query(Turn).filter(Turn.thread_id == alone).update({"status": "answered"})
        session.query(Turn).filter(Turn.thread_id == thread_id).update({"status": "queued"})
    assert keeping(desk).tick() == 2
    assert set(words(desk, thread_id)) | set(words(desk, alone)) == {""}
    with desk.database.reading() as session:
        assert [note.text for note in notebook.notes(session, desk.vault, case_id)] == [""]
        assert [call.text for call in notebook.calls(session, desk.vault, case_id)] == [""]
        assert session.query(CaseDraft).count() == 0
        assert session.query(Turn).count() == 2
        assert session.query(AuditEntry).filter(AuditEntry.kind == "desk.transcripts_emptied").count() == 1
    desk.clock.now += EVERY
    assert keeping(desk).tick() == 0, "what was emptied is not emptied again"


def test_what_somebody_waits_for_is_kept_however_old_it_is(lite: Desk) -> None:
    live = lite.case()
    unanswered = lite.thread()
    lite.turn(unanswered, "nobody has looked at this")
    lite.clock.now += 3 * KEPT
    assert keeping(lite).tick() == 0
    assert words(lite, lite.look(live).thread_id) == ["hello"]
    assert words(lite, unanswered) == ["nobody has looked at this"]


def test_a_case_closed_lately_keeps_its_words(lite: Desk) -> None:
    agent, case_id = lite.colleague(), lite.case()
    lite.clock.now += KEPT + timedelta(days=1)
    with lite.database.writing() as session:
        claims.claim(session, lite.vault, case_id, agent, lite.clock())
        ending.resolve(session, lite.vault, lite.published, case_id, agent, lite.clock(), outcome=Outcome.ANSWERED)
    assert keeping(lite).tick() == 0


def test_a_legal_hold_keeps_everything_until_it_is_lifted(lite: Desk) -> None:
    officer, lead = lite.colleague(Role.PRIVACY_OFFICER), lite.colleague(Role.LEAD)
    case_id = closed(lite, lite.colleague())
    with pytest.raises(BadInput, match="role"), lite.database.writing() as session:
        switches.turn_on(session, lite.vault, Switch.LEGAL_HOLD, by=f"staff:{lead}", at=lite.clock())
    with lite.database.writing() as session:
        assert switches.turn_on(
            session, lite.vault, Switch.LEGAL_HOLD, by=f"staff:{officer}", at=lite.clock(), why="the regulator asked"
        )
        session.query(Turn).update({"status": "queued"})
    lite.clock.now += 3 * KEPT
    assert keeping(lite).tick() == 0
    assert words(lite, lite.look(case_id).thread_id)[0] == "hello"
    with lite.database.writing() as session:
        switches.turn_off(
            session, lite.vault, Switch.LEGAL_HOLD, by=f"staff:{officer}", at=lite.clock(), why="the regulator asked"
        )
    assert keeping(lite).tick() == 1


def test_of_two_hosts_one_does_it(lite: Desk) -> None:
    first, second = keeping(lite), keeping(lite, "other")
    first.tick()
    closed(lite, lite.colleague())
    with lite.database.writing() as session:
        session.query(Turn).update({"status": "queued"})
        assert session.query(Thread).count() == 1
    assert second.tick() == 0
