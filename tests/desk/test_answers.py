"""A responder's reply: checked, held for ten seconds, refused once when the patient has written meanwhile."""

from __future__ import annotations

import pytest

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.conversations.models import Reply
from bot.conversations.post.models import Part
from bot.desk.models import CaseStatus
from bot.desk.work import answers, claims, ending, notebook
from bot.desk.work.answers import Accepted
from bot.desk.work.composing import Composed
from bot.desk.work.speech import Flaw, Rules, load_never_say, of_free
from tests.desk.conftest import Desk, desk_content
from tests.people import publish

RULES = Rules(load_never_say(REPOSITORY / "data" / "never_say.yml"), frozenset({"18111"}), frozenset({"larkmoor.example"}))


def claimed(desk: Desk, **more: str) -> tuple[int, int]:
    staff_id, case_id = desk.colleague(), desk.case(**more)
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, staff_id, desk.clock())
    return staff_id, case_id


def send(desk: Desk, case_id: int, staff_id: int, composed: Composed) -> Accepted:
    with desk.database.writing() as session:
        return answers.send(session, desk.vault, desk.published, RULES, case_id, staff_id, desk.clock(), composed)


def leave(desk: Desk) -> list[int]:
    with desk.database.writing() as session:
        return answers.send_due(session, desk.vault, desk.published, desk.clock())


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_a_reply_leaves_after_ten_seconds_on_every_channel(desk: Desk, channel: str) -> None:
    staff_id, case_id = claimed(desk, channel=channel)
    with desk.database.writing() as session:
        notebook.save_draft(session, desk.vault, case_id, staff_id, desk.clock(), text="half a")
    sent = send(desk, case_id, staff_id, Composed(["distress"], "I read all of it.", desk.last_turn(case_id)))
    assert sent.reply is not None
    assert leave(desk) == []
    assert all(line.author != "staff" for line in desk.lines(case_id))
    desk.clock.advance(seconds=10)
    assert leave(desk) == [desk.look(case_id).thread_id]
    assert leave(desk) == []
    last = desk.lines(case_id)[-1]
    name = "<distress en>" if channel == "web" else "<distress short>"
    assert (last.author, last.text) == ("staff", f"{name}\n\nI read all of it.")
    case = desk.look(case_id)
    assert (case.status, case.first_responded_at, case.next_response_due_at) == (CaseStatus.WAITING, desk.clock(), None)
    with desk.database.reading() as session:
        assert session.query(Part).count() == (1 if channel == "sms" else 0)
        assert notebook.draft_of(session, desk.vault, case_id, staff_id) is None


def test_a_reply_can_be_taken_back_in_time_and_is_the_draft_again(desk: Desk) -> None:
    staff_id, case_id = claimed(desk)
    other = desk.colleague()
    sent = send(desk, case_id, staff_id, Composed(["distress"], "A slip of the pen.", desk.last_turn(case_id)))
    assert sent.reply is not None
    desk.clock.advance(seconds=9)
    with desk.database.writing() as session:
        assert answers.undo(session, desk.vault, sent.reply.id, other, desk.clock()) is False
        assert answers.undo(session, desk.vault, sent.reply.id, staff_id, desk.clock())
        assert answers.undo(session, desk.vault, sent.reply.id, staff_id, desk.clock()) is False
    desk.clock.advance(minutes=1)
    assert leave(desk) == []
    with desk.database.reading() as session:
        draft = notebook.draft_of(session, desk.vault, case_id, staff_id)
        assert draft is not None
        assert (draft.names, draft.text) == (("distress",), "A slip of the pen.")
        assert session.query(Reply).filter(Reply.author == "staff").count() == 0


def test_too_late_is_too_late(lite: Desk) -> None:
    staff_id, case_id = claimed(lite)
    sent = send(lite, case_id, staff_id, Composed(["distress"], "", lite.last_turn(case_id)))
    assert sent.reply is not None
    lite.clock.advance(seconds=10)
    with lite.database.writing() as session:
        assert answers.undo(session, lite.vault, sent.reply.id, staff_id, lite.clock()) is False


def test_a_stale_reply_is_refused_once_and_accepted_when_the_new_turn_was_seen(lite: Desk) -> None:
    staff_id, case_id = claimed(lite)
    seen = lite.last_turn(case_id)
    new = lite.turn(lite.look(case_id).thread_id, "wait, there is more")
    refused = send(lite, case_id, staff_id, Composed(["distress"], "", seen))
    assert (refused.stale, refused.last_number, refused.reply) == (True, new, None)
    assert send(lite, case_id, staff_id, Composed(["distress"], "", refused.last_number)).reply is not None


def test_who_writes_while_a_reply_is_held_waits_from_that_turn(desk: Desk) -> None:
    staff_id, case_id = claimed(desk)
    send(desk, case_id, staff_id, Composed(["distress"], "", desk.last_turn(case_id)))
    asked = desk.clock.advance(seconds=5)
    desk.turn(desk.look(case_id).thread_id, "one more question")
    desk.clock.advance(seconds=5)
    leave(desk)
    case = desk.look(case_id)
    assert (case.status, case.waiting_since) == (CaseStatus.CLAIMED, asked)
    assert case.next_response_due_at is not None
    assert case.next_response_due_at > desk.clock()


def test_only_the_holder_sends(lite: Desk) -> None:
    _, case_id = claimed(lite)
    with pytest.raises(BadInput, match="not yours"):
        send(lite, case_id, lite.colleague(), Composed(["distress"], "", 99))


def test_a_text_that_is_withdrawn_meanwhile_comes_back_to_its_author(lite: Desk) -> None:
    staff_id, case_id = claimed(lite)
    send(lite, case_id, staff_id, Composed(["distress"], "My own words.", lite.last_turn(case_id)))
    lite.clock.advance(seconds=10)
    content = desk_content()
    del content["wordings"]["distress"]
    publish(lite.database, content, lite.clock())
    assert leave(lite) == []
    with lite.database.reading() as session:
        assert [row.why for row in notebook.due_reminders(session, staff_id, lite.clock())] == ["not_sent"]
        draft = notebook.draft_of(session, lite.vault, case_id, staff_id)
        assert draft is not None
        assert draft.text == "My own words."


def test_a_text_without_translation_goes_out_in_english_only_on_purpose(lite: Desk) -> None:
    staff_id, case_id = claimed(lite, language="zh-Hant")
    seen = lite.last_turn(case_id)
    refused = send(lite, case_id, staff_id, Composed(["only_english", "nothing"], "", seen))
    assert [(one.flaw, one.what) for one in refused.objections] == [
        (Flaw.NOT_TRANSLATED, "only_english"),
        (Flaw.NO_SUCH_TEXT, "nothing"),
    ]
    assert send(lite, case_id, staff_id, Composed(["only_english"], "", seen, in_english=True)).reply is not None


@pytest.mark.parametrize(
    ("free", "language", "flaw"),
    [
        ("Your card A123456(3) was on it", "en", Flaw.PRIVATE),
        ("Call Mr Chan on 9123 4567 please", "en", Flaw.PRIVATE),
        ("4111 1111 1111 1111 is the card", "en", Flaw.PRIVATE),
        ("look at https://evil.example/x", "en", Flaw.LINK),
        ("look at larkmoor.com for more", "en", Flaw.LINK),
        ("Do not worry, we will see to it", "en", Flaw.NEVER_SAID),
        ("你的資料很安全，我們會跟進", "zh-Hant", Flaw.NEVER_SAID),
        ("Rest assured that we look at it", "zh-Hant", Flaw.NEVER_SAID),
        ("We will call you tomorrow at noon.", "zh-Hant", Flaw.OTHER_LANGUAGE),
        ("我們明天中午會再聯絡你，謝謝你的耐心。", "en", Flaw.OTHER_LANGUAGE),
        ("x" * 601, "en", Flaw.TOO_LONG),
    ],
)
def test_what_may_not_be_written_is_found(free: str, language: str, flaw: Flaw) -> None:
    assert flaw in {one.flaw for one in of_free(RULES, free, Language(language))}


@pytest.mark.parametrize(
    ("free", "language"),
    [
        ("I have asked the clinic and will write again tomorrow.", "en"),
        ("Please call 18111 at any hour.", "en"),
        ("See https://www.larkmoor.example/notice for the dates.", "en"),
        ("我已向診所查詢，明天會再回覆你。", "zh-Hant"),
        ("OK", "zh-Hant"),
        ("", "en"),
    ],
)
def test_what_may_be_written_passes(free: str, language: str) -> None:
    assert of_free(RULES, free, Language(language)) == []


def test_nothing_at_all_is_not_sent(lite: Desk) -> None:
    staff_id, case_id = claimed(lite)
    refused = send(lite, case_id, staff_id, Composed([], "  ", lite.last_turn(case_id)))
    assert [one.flaw for one in refused.objections] == [Flaw.EMPTY]


def test_an_answer_after_the_assistant_was_given_back_brings_the_team_back(lite: Desk) -> None:
    staff_id, case_id = claimed(lite)
    with lite.database.writing() as session:
        ending.hand_back(session, lite.vault, lite.published, case_id, staff_id, lite.clock())
    send(lite, case_id, staff_id, Composed(["distress"], "", lite.last_turn(case_id)))
    lite.clock.advance(seconds=10)
    leave(lite)
    assert lite.owner(case_id) == "staff"
