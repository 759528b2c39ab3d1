"""The page of a case: what is seen, what is sent, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy import select

from bot.base import audit
from bot.desk.models import CaseStatus
from bot.desk.records import CaseNote, StaffReply, StaffReplyStatus
from bot.desk.sight.casefile import fingerprint
from bot.desk.staff.roles import Role
from bot.desk.work import answers, claims, notebook, presence
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

People = Callable[..., Colleague]


@pytest.fixture
def agent(colleague: People) -> Colleague:
    return colleague(Role.AGENT)


def at(case_id: int) -> str:
    return f"/desk/cases/{case_id}"


def seen(html: str) -> str:
    held = re.search(r'name="seen" value="([^"]+)"', html)
    assert held
    return held[1]


def taken(desk: Desk, who: Colleague, code: str = "patient_wish", **more: str) -> int:
    case_id = desk.case(code, **more)
    assert "The case is yours." in who.post(f"{at(case_id)}/claim", via=at(case_id)).text
    return case_id


def send(who: Colleague, case_id: int, **form: object) -> str:
    html = who.get(at(case_id)).text
    return unescape(who.post(f"{at(case_id)}/send", via=at(case_id), **{"seen": seen(html), **form}).text)


def leave(desk: Desk) -> None:
    desk.clock.advance(seconds=11)
    with desk.database.writing() as session:
        answers.send_due(session, desk.vault, desk.published, desk.clock())


def said_last(desk: Desk, case_id: int) -> str:
    return desk.lines(case_id)[-1].text


def test_the_page_shows_why_who_where_and_what_was_written(desk: Desk, agent: Colleague) -> None:
    case_id = desk.case("data_access_request", channel="whatsapp", language="zh-Hant")
    html = agent.get(at(case_id)).text
    for shown in (
        "Data access request",
        "WhatsApp",
        "繁體中文",
        "Not verified",
        "Legal limit",
        "open for 23 h",
        "hello",
        "First answer",
    ):
        assert shown in html
    assert desk.look(case_id).number in html


# ---------------------------------------------------------------- reading


def test_who_may_not_see_the_queue_sees_no_case(desk: Desk, colleague: People) -> None:
    case_id = desk.case()
    admin = colleague(Role.ADMIN)
    assert admin.client.get(at(case_id)).status_code == 403
    assert colleague(Role.AGENT, signed_in=False).client.get(at(case_id)).status_code == 303


def test_a_number_that_is_no_case_is_not_found(agent: Colleague) -> None:
    assert [agent.client.get(f"/desk/cases/{number}").status_code for number in ("987654", "0", "x", "9" * 30)] == [404] * 4


def test_an_auditor_reads_and_can_do_nothing(desk: Desk, colleague: People) -> None:
    case_id = desk.case()
    auditor = colleague(Role.AUDITOR)
    html = auditor.get(at(case_id)).text
    assert "hello" in html
    assert 'id="composer"' not in html
    assert 'id="note"' not in html
    assert "act-claim" not in html
    for deed in (
        "claim",
        "draft",
        "send",
        "texts",
        "notes",
        "calls",
        "reminders",
        "release",
        "resolve",
        "reveal",
        "merge",
        "unmerge",
    ):
        assert auditor.client.post(f"{at(case_id)}/{deed}", data={"csrf": auditor.token()}).status_code == 403, deed
    assert desk.look(case_id).status == CaseStatus.OPEN


@pytest.mark.parametrize("deed", ["claim", "take-over", "send", "draft", "notes", "undo/1", "reveal", "presence", "resolve"])
def test_nothing_is_done_with_a_foreign_token(desk: Desk, agent: Colleague, colleague: People, deed: str) -> None:
    case_id, other = desk.case(), colleague(Role.AGENT)
    answer = agent.client.post(
        f"{at(case_id)}/{deed}", data={"csrf": other.token(), "note": "x", "free": "x", "why": "long enough"}
    )
    assert answer.status_code == 403


def test_that_somebody_opened_a_case_stands_in_the_log_and_a_page_fetching_itself_does_not(desk: Desk, agent: Colleague) -> None:
    case_id = desk.case()
    agent.get(at(case_id))
    agent.get(at(case_id), headers={"X-By-Itself": "1"})
    assert kinds(desk).count("case.read") == 1


def kinds(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        return list(session.scalars(select(audit.AuditEntry.kind).order_by(audit.AuditEntry.id)))


def test_what_is_private_is_hidden_until_somebody_says_why(desk: Desk, agent: Colleague) -> None:
    case_id = desk.case()
    number = desk.turn(desk.look(case_id).thread_id, "my card is A123456(3), call 91234567")
    html = agent.get(at(case_id)).text
    assert "A123456" not in html
    assert "91234567" not in html
    assert "identity card number" in html
    assert "telephone number" in html
    line = f"{desk.look(case_id).thread_id}:{number}"
    assert "Say why you have to read this" in agent.post(f"{at(case_id)}/reveal", via=at(case_id), line=line, why="me").text
    shown = agent.post(f"{at(case_id)}/reveal", via=at(case_id), line=line, why="to check the document she asked about").text
    assert "A123456(3), call 91234567" in shown
    with desk.database.reading() as session:
        entry = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.kind == "case.revealed")).one()
        content = audit.content_of(entry, desk.vault)
    assert content
    assert content["reason"] == "to check the document she asked about"
    assert content["number"] == number
    assert "A123456" not in str(content)


def test_a_line_of_another_case_is_not_revealed(desk: Desk, agent: Colleague) -> None:
    case_id, other = desk.case(), desk.case()
    line = f"{desk.look(other).thread_id}:1"
    assert (
        "There is no such line." in agent.post(f"{at(case_id)}/reveal", via=at(case_id), line=line, why="because I want to").text
    )


HOSTILE = (
    "<script>document.body.dataset.pwned=1</script>",
    "<svg onload=alert(1)><style>body{display:none}</style>",
    "</textarea></div></bdi>{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u202c \u2066x",
    '=HYPERLINK("http://evil.example","x")',
    "a" * 100_000,
)


@pytest.mark.parametrize("words", HOSTILE, ids=["script", "svg", "markup", "right to left", "formula", "100 kB"])
def test_hostile_words_are_text_everywhere(desk: Desk, agent: Colleague, words: str) -> None:
    case_id = taken(desk, agent)
    desk.turn(desk.look(case_id).thread_id, words)
    agent.post(f"{at(case_id)}/notes", via=at(case_id), note=words[:3000])
    agent.post(f"{at(case_id)}/calls", via=at(case_id), result="reached", remark=words[:3000])
    agent.post(f"{at(case_id)}/draft", via=at(case_id), free=words[:3000])
    html = agent.get(at(case_id)).text
    assert "<script>document" not in html
    assert "<svg onload" not in html
    assert "<style>" not in html
    assert "</bdi>{{" not in html
    assert html.count("</textarea>") == 3  # own words, note, remark
    plain = unescape(html)
    assert words.replace("\u202e", "").replace("\u202c", "").replace("\u2066", "")[:3000].strip() in plain


# ---------------------------------------------------------------- having


def test_of_two_who_take_a_case_one_has_it_and_the_other_sees_who(desk: Desk, colleague: People) -> None:
    first, second, case_id = colleague(Role.AGENT), colleague(Role.AGENT), desk.case()
    assert "The case is yours." in first.post(f"{at(case_id)}/claim", via=at(case_id)).text
    assert "Dr colleague1 was first and has the case." in second.post(f"{at(case_id)}/claim", via=at(case_id)).text
    assert desk.look(case_id).claimed_by == first.id


def test_without_the_case_nothing_is_sent_before_it_is_taken_over_with_a_reason(desk: Desk, colleague: People) -> None:
    first, second = colleague(Role.AGENT), colleague(Role.AGENT)
    case_id = taken(desk, first)
    assert "This case is not yours now" in send(second, case_id, free="We are on it.")
    assert "Say why" in second.post(f"{at(case_id)}/take-over", via=at(case_id), why="").text
    assert (
        "You took the case over from Dr colleague1."
        in second.post(f"{at(case_id)}/take-over", via=at(case_id), why="off sick").text
    )
    assert "A colleague took this case over from you" in first.get(at(case_id)).text
    assert "We are on it." in second.get(at(case_id)).text
    assert "The reply leaves" in send(second, case_id, free="We are on it.")


def test_a_case_goes_through_all_that_can_become_of_it(desk: Desk, agent: Colleague, colleague: People) -> None:
    case_id, other = taken(desk, agent), colleague(Role.LEAD)

    def does(deed: str, who: Colleague = agent, **form: object) -> CaseStatus:
        html = who.post(f"{at(case_id)}/{deed}", via=at(case_id), **form).text
        assert 'class="notice bad"' not in html, html
        return CaseStatus(desk.look(case_id).status)

    assert does("snooze", minutes="60") is CaseStatus.SNOOZED
    assert does("release") is CaseStatus.OPEN
    assert does("claim") is CaseStatus.CLAIMED
    assert does("transfer", to=f"staff:{other.id}") is CaseStatus.OPEN
    assert desk.look(case_id).meant_for == other.id
    assert does("claim", other) is CaseStatus.CLAIMED
    assert does("hand-back", other) is CaseStatus.CLAIMED
    assert desk.owner(case_id) == "bot"
    assert does("resolve", other, outcome="answered") is CaseStatus.RESOLVED
    assert does("reopen") is CaseStatus.CLAIMED
    assert desk.look(case_id).claimed_by == agent.id
    assert does("transfer", to="team:privacy") is CaseStatus.OPEN
    assert desk.look(case_id).team == "privacy"


@pytest.mark.parametrize(
    ("deed", "form", "refusal"),
    [
        ("resolve", {"outcome": "vanished"}, "Choose what became of the case."),
        ("transfer", {"to": "staff:999"}, "Say to whom"),
        ("transfer", {"to": "team:nobody"}, "nobody"),
        ("snooze", {"minutes": "-5"}, "Choose a time."),
        ("snooze", {"until": "2020-01-01T10:00"}, "later time only"),
        ("reopen", {}, "within seven days"),
        ("reminders", {"until": "yesterday"}, "Choose a time."),
        ("calls", {"result": "shouted"}, "Choose what came of the call."),
        ("notes", {"note": " "}, "Write between 1 and 4000"),
    ],
)
def test_what_is_not_possible_is_said_in_both_languages(
    desk: Desk, agent: Colleague, deed: str, form: dict[str, str], refusal: str
) -> None:
    case_id = taken(desk, agent)
    assert refusal in unescape(agent.post(f"{at(case_id)}/{deed}", via=at(case_id), **form).text)
    agent.post("/desk/language", language="zh-Hant")
    html = agent.post(f"{at(case_id)}/{deed}", via=at(case_id), **form).text
    told = re.findall(r'class="notice bad" role="alert">([^<]+)<', html)
    assert told
    assert re.search(r"[\u4e00-\u9fff]", told[0])


def test_a_closed_case_is_opened_again_for_a_week_only(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent)
    agent.post(f"{at(case_id)}/resolve", via=at(case_id), outcome="answered")
    assert "act-reopen" in agent.get(at(case_id)).text
    desk.clock.advance(days=8)
    agent.sign_in()
    assert "act-reopen" not in agent.get(at(case_id)).text
    assert "within seven days" in agent.post(f"{at(case_id)}/reopen", via=at(case_id)).text


# ---------------------------------------------------------------- answering


def test_an_approved_text_and_own_words_reach_the_patient_after_ten_seconds(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent, "distress")
    assert "The reply leaves in 10 seconds." in send(agent, case_id, names="distress", free="Dr Lee will ring you today.")
    assert "Undo" in agent.get(at(case_id)).text
    assert said_last(desk, case_id) == "hello"
    leave(desk)
    assert said_last(desk, case_id) == "<distress en>\n\nDr Lee will ring you today."
    html = agent.get(at(case_id)).text
    assert "Dr Lee will ring you today." in html
    assert "Dr colleague" in html
    assert "Publication" in html


def test_a_stale_reply_is_refused_once_with_the_new_turns_shown_and_its_words_kept(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent)
    old = seen(agent.get(at(case_id)).text)
    desk.turn(desk.look(case_id).thread_id, "forget it, I found the letter")
    html = unescape(agent.post(f"{at(case_id)}/send", via="/desk/me", seen=old, free="We will send the letter again.").text)
    assert "the patient has written since" in html
    assert 'id="new"' in html
    assert "We will send the letter again." in html
    assert "forget it, I found the letter" in html
    with desk.database.reading() as session:
        assert session.scalars(select(StaffReply)).all() == []
    answer = agent.post(f"{at(case_id)}/send", via="/desk/me", seen=seen(html), free="We will send the letter again.")
    assert "The reply leaves" in answer.text


def test_a_reply_is_taken_back_and_what_was_begun_since_stays(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent)
    send(agent, case_id, free="The first answer.")
    agent.post(f"{at(case_id)}/draft", via=at(case_id), free="And another thought.")
    with desk.database.reading() as session:
        reply = session.scalars(select(StaffReply)).one()
    html = agent.post(f"{at(case_id)}/undo/{reply.id}", via=at(case_id)).text
    assert "taken back" in html
    assert "The first answer.\n\nAnd another thought." in html
    leave(desk)
    assert said_last(desk, case_id) == "hello"


def test_nobody_takes_back_what_another_wrote_or_what_has_left(desk: Desk, agent: Colleague, colleague: People) -> None:
    case_id, other = taken(desk, agent), colleague(Role.LEAD)
    send(agent, case_id, free="The first answer.")
    with desk.database.reading() as session:
        reply = session.scalars(select(StaffReply)).one()
    assert "too late" in other.post(f"{at(case_id)}/undo/{reply.id}", via=at(case_id)).text
    leave(desk)
    assert "too late" in agent.post(f"{at(case_id)}/undo/{reply.id}", via=at(case_id)).text
    with desk.database.reading() as session:
        assert session.scalars(select(StaffReply)).one().status == StaffReplyStatus.SENT


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose an approved text or write something."),
        ({"free": "Your card A123456(3) is fine"}, "identity card number"),
        ({"free": "Pay with 4111 1111 1111 1111"}, "card number"),
        ({"free": "Ring me at 91234567 please"}, "telephone number"),
        ({"free": "Look at https://evil.example/x"}, "not one of ours"),
        ({"free": "你的信件會在星期五寄出，請放心。"}, "The patient reads English."),
        ({"names": "no_such_text"}, "no_such_text"),
        ({"free": "x" * 601}, "600"),
    ],
)
def test_what_may_not_be_said_is_not_sent_and_stays_in_the_composer(
    desk: Desk, agent: Colleague, form: dict[str, str], sentence: str
) -> None:
    case_id = taken(desk, agent)
    html = send(agent, case_id, **form)
    assert "Not sent." in html
    assert sentence in html
    assert form.get("free", "") in html
    leave(desk)
    assert said_last(desk, case_id) == "hello"


def test_a_text_without_a_translation_goes_in_english_only_when_that_is_wanted(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent, language="zh-Hant")
    assert "does not exist in the patient's language" in send(agent, case_id, names="only_english")
    assert "The reply leaves" in send(agent, case_id, names="only_english", english="1")
    leave(desk)
    assert said_last(desk, case_id) == "<english_only_note zh-Hant>\n\n<only_english en>"


def test_outside_the_window_only_approved_texts_go_to_whatsapp(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent, channel="whatsapp")
    desk.clock.advance(hours=25)
    agent.sign_in()
    html = agent.get(at(case_id)).text
    assert "window-closed" in html
    assert "WhatsApp is closed" in html
    assert ">closed<" in html
    assert "takes no words of your own" in send(agent, case_id, free="Just a short word.")
    assert "The reply leaves" in send(agent, case_id, names="distress")


def test_the_help_of_an_emergency_is_pinned_first(desk: Desk, agent: Colleague) -> None:
    html = agent.get(at(desk.case("self_harm", language="zh-Hant"))).text
    assert html.index("Help first") < html.index("own words")
    assert "&lt;self_harm zh-Hant&gt;" in html
    assert 'class="pinned"' in html


def test_texts_are_found_by_topic_and_by_word_in_the_patients_language(desk: Desk, agent: Colleague) -> None:
    case_id = desk.case(language="zh-Hant")

    def found(query: str) -> list[str]:
        html = agent.post(f"{at(case_id)}/texts", via=at(case_id), q=query).text
        return re.findall(r'name="add" value="(\w+)"', html)

    assert found("data types") == ["data_types"]
    assert "distress" in found("distress button")
    assert found("zzz") == []
    assert found("") == []


def test_a_text_is_put_to_the_draft_and_taken_off(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent, "distress")
    html = agent.post(f"{at(case_id)}/draft", via=at(case_id), add="distress", free="I am here.").text
    assert 'name="names" value="distress"' in html
    assert "&lt;distress en&gt;\n\nI am here." in html
    html = agent.post(f"{at(case_id)}/draft", via=at(case_id), names="distress", drop="distress", free="I am here.").text
    assert 'name="names"' not in html
    assert "I am here." in html


def test_whoever_takes_a_case_finds_the_draft_of_the_one_before(desk: Desk, colleague: People) -> None:
    first, second = colleague(Role.AGENT), colleague(Role.AGENT)
    case_id = taken(desk, first)
    first.post(f"{at(case_id)}/draft", via=at(case_id), free="Begun by the first.")
    second.post(f"{at(case_id)}/take-over", via=at(case_id), why="end of shift")
    assert "Draft of Dr colleague1" in second.get(at(case_id)).text
    html = second.post(f"{at(case_id)}/draft/use", via=at(case_id), of=str(first.id)).text
    assert re.search(r"<textarea id=\"free\"[^>]*>\s*Begun by the first\.</textarea>", html)
    assert "Begun by the first." in first.get(at(case_id)).text


# ---------------------------------------------------------------- keeping


def test_no_field_turns_a_note_into_a_reply(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent)
    for form in ({"send": "1"}, {"free": "and this", "names": "distress"}, {"type": "reply"}, {"thread": "1", "seen": "1:99"}):
        agent.post(f"{at(case_id)}/notes", via=at(case_id), note="She sounded afraid.", **form)
    leave(desk)
    assert [line.text for line in desk.lines(case_id)] == ["hello"]
    with desk.database.reading() as session:
        assert len(session.scalars(select(CaseNote)).all()) == 4
        assert session.scalars(select(StaffReply)).all() == []
    assert agent.get(at(case_id)).text.count("She sounded afraid.") == 4


def test_a_call_and_a_reminder_are_kept(desk: Desk, agent: Colleague) -> None:
    case_id = taken(desk, agent)
    html = agent.post(f"{at(case_id)}/calls", via=at(case_id), result="no_answer", minutes="2", remark="rang twice").text
    assert "No answer" in html
    assert "rang twice" in html
    html = agent.post(f"{at(case_id)}/reminders", via=at(case_id), minutes="60").text
    held = re.search(r"/reminders/(\d+)/seen", html)
    assert held
    assert "You wanted to be reminded" in html
    assert "put away" in agent.post(f"{at(case_id)}/reminders/{held[1]}/seen", via=at(case_id)).text


def test_colleagues_are_seen_looking_and_typing_and_are_gone_after_half_a_minute(desk: Desk, colleague: People) -> None:
    first, second, case_id = colleague(Role.AGENT), colleague(Role.AGENT), desk.case()
    tell = {"csrf": second.token(), "typing": "1"}
    assert second.client.post(f"{at(case_id)}/presence", data=tell).status_code == 204
    assert "Dr colleague2 is typing" in first.get(at(case_id)).text
    desk.clock.advance(seconds=9)
    assert "Dr colleague2 is looking" in first.get(at(case_id)).text
    desk.clock.advance(seconds=22)
    assert "Dr colleague2" not in first.get(at(case_id)).text
    second.client.post(f"{at(case_id)}/presence", data=tell)
    second.client.post(f"{at(case_id)}/presence", data={**tell, "left": "1"})
    assert "Dr colleague2" not in first.get(at(case_id)).text


def test_the_state_of_the_page_differs_after_everything_it_shows(desk: Desk) -> None:
    case_id, staff_id = desk.case(), desk.colleague(Role.AGENT)
    states = []

    def look() -> None:
        with desk.database.reading() as session:
            states.append(fingerprint(session, case_id, desk.clock()))

    look()
    desk.turn(desk.look(case_id).thread_id, "more")
    look()
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, staff_id, desk.clock())
    look()
    with desk.database.writing() as session:
        notebook.add_note(session, desk.vault, case_id, staff_id, desk.clock(), text="a note")
    look()
    with desk.database.writing() as session:
        presence.seen(session, case_id, staff_id, desk.clock())
    look()
    with desk.database.writing() as session:
        presence.seen(session, case_id, staff_id, desk.clock(), typing=True)
    look()
    desk.clock.advance(seconds=31)
    look()
    assert len(set(states[:6])) == 6
    assert states[6] not in states[4:6]
    with desk.database.reading() as session:
        assert fingerprint(session, 999_999, desk.clock()) == "none"
