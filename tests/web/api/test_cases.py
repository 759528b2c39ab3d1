"""A program does what a responder does, by the same functions and within the same rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.base.audit import AuditEntry, content_of
from bot.base.lifecycle import move
from bot.conversations.models import Owner
from bot.desk.models import Case, CaseStatus
from bot.desk.records import CasePerson, Known
from bot.desk.staff.roles import Role, Scope
from bot.desk.work import answers, claims
from tests.desk.conftest import Desk
from tests.desk.onfile import OLD, person_on_file
from tests.web.api.conftest import Program

Programs = Callable[..., Program]


def kind(answer: object) -> str:
    """The kind of a refusal."""
    return str(answer.json()["type"]).removeprefix("/api/v1/problems/")  # type: ignore[attr-defined]


def send_due(desk: Desk) -> None:
    """Let replies leave."""
    desk.clock.advance(seconds=11)
    with desk.database.writing() as session:
        answers.send_due(session, desk.vault, desk.published, desk.clock())


def test_a_token_says_what_it_is(program: Programs) -> None:
    bridge = program(Scope.CASES_READ, Scope.TEXTS_READ)
    told = bridge.get("/me").json()
    assert (told["name"], told["scopes"], told["id"]) == ("Help desk bridge", ["cases:read", "texts:read"], bridge.id)


def test_the_queue_comes_in_its_order_and_page_by_page(program: Programs, desk: Desk) -> None:
    later = [desk.case("patient_wish") for _ in range(3)]
    urgent = desk.case("self_harm")
    desk.clock.advance(minutes=1)
    last = desk.case("patient_wish")
    bridge = program(Scope.CASES_READ)
    seen, cursor = [], None
    while True:
        page = bridge.get("/cases", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [one["number"] for one in page["cases"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [bridge.number(one) for one in (urgent, *later, last)]


def test_a_case_that_moves_between_two_pages_hides_none_of_the_others(program: Programs, desk: Desk) -> None:
    cases = [desk.case() for _ in range(4)]
    bridge = program()
    first = bridge.get("/cases", limit=2).json()
    bridge.on(cases[0], "claim")
    bridge.on(cases[0], "resolve", {"outcome": "answered"})
    second = bridge.get("/cases", limit=2, cursor=first["next"]).json()
    assert [one["number"] for one in second["cases"]] == [bridge.number(one) for one in cases[2:]]


def test_filters_and_counts_say_the_same(program: Programs, desk: Desk) -> None:
    desk.case("data_access_request", channel="sms", language="zh-Hant")
    mine = desk.case()
    bridge = program()
    bridge.on(mine, "claim")
    numbers = {
        name: len(bridge.get("/cases", **query).json()["cases"])
        for name, query in {
            "all": {},
            "privacy": {"team": "privacy"},
            "mine": {"mine": True},
            "unclaimed": {"unclaimed": True},
            "sms": {"channel": "sms"},
            "chinese": {"language": "zh-Hant"},
            "p3": {"priority": 3},
            "breached": {"breached": True},
        }.items()
    }
    assert numbers == {"all": 2, "privacy": 1, "mine": 1, "unclaimed": 1, "sms": 1, "chinese": 1, "p3": 1, "breached": 0}
    counts = bridge.get("/queue/counts").json()
    assert (counts["unclaimed"], counts["held"], counts["by_team"]) == (1, 1, {"privacy": 1, "desk": 1})


@pytest.mark.parametrize("cursor", ["x", "bm8", "WzEsMiwzXQ", "WzEsInRvbW9ycm93IiwzXQ", "WzEsIjIwMjYtMDEtMDEiLDNd", "W1tdXQ"])
def test_a_cursor_that_is_none_of_ours_is_refused(program: Programs, cursor: str) -> None:
    bridge = program()
    assert bridge.get("/cases", cursor=cursor).status_code == 422


def test_a_case_is_worked_from_its_claim_to_its_end(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    claimed = bridge.on(case_id, "claim")
    assert (claimed.status_code, claimed.json()["status"], claimed.json()["is_mine"]) == (200, "claimed", True)
    assert claimed.json()["claimed_by"] == {"id": bridge.id, "name": "Help desk bridge"}
    last = bridge.get(f"/cases/{bridge.number(case_id)}/transcript").json()["threads"][0]["last_turn"]
    sent = bridge.on(case_id, "replies", {"texts": ["what_happened"], "words": "It was good to hear you.", "seen_number": last})
    assert sent.status_code == 201, sent.text
    send_due(desk)
    assert "It was good to hear you." in desk.lines(case_id)[-1].text
    assert bridge.get(f"/cases/{bridge.number(case_id)}").json()["status"] == "waiting"
    until = (desk.clock() + timedelta(hours=3)).isoformat()
    assert bridge.on(case_id, "snooze", {"until": until}).json()["status"] == "snoozed"
    closed = bridge.on(case_id, "resolve", {"outcome": "answered"})
    assert (closed.json()["status"], closed.json()["outcome"]) == ("resolved", "answered")
    again = bridge.on(case_id, "reopen")
    assert (again.json()["status"], again.json()["claimed_by"]) == ("open", None)


def test_every_act_has_the_program_as_its_author_in_the_log(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    bridge.on(case_id, "claim")
    bridge.on(case_id, "notes", {"text": "a private note"})
    bridge.get(f"/cases/{bridge.number(case_id)}/transcript")
    with desk.database.reading() as session:
        by = {row.kind for row in session.query(AuditEntry) if row.actor == f"staff:{bridge.id}"}
    assert {"case.claimed", "case.note_added", "case.read"} <= by


def test_hand_on_and_hand_back_and_take_over(program: Programs, desk: Desk) -> None:
    case_id, bridge, agent = desk.case(), program(), desk.colleague()
    bridge.on(case_id, "claim")
    assert bridge.on(case_id, "hand-back").json()["owner"] == Owner.BOT
    handed = bridge.on(case_id, "transfer", {"to": agent}).json()
    assert (handed["status"], handed["meant_for"]["id"]) == ("open", agent)
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, agent, desk.clock())
    taken = bridge.on(case_id, "take-over", {"why": "colleague is off sick"}).json()
    assert taken["is_mine"]
    assert bridge.on(case_id, "release").json()["claimed_by"] is None


def test_a_case_of_somebody_else_is_read_and_not_worked(program: Programs, desk: Desk) -> None:
    case_id, bridge, agent = desk.case(), program(), desk.colleague()
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, agent, desk.clock())
    lost = bridge.on(case_id, "claim")
    assert (lost.status_code, kind(lost), lost.json()["claimed_by"]["id"]) == (409, "taken", agent)
    for deed, body in (
        ("release", None),
        ("resolve", {"outcome": "answered"}),
        ("replies", {"texts": ["what_happened"], "seen_number": 9}),
    ):
        refused = bridge.on(case_id, deed, body)
        assert (refused.status_code, kind(refused)) == (422, "not_done")
        assert "not yours" in refused.json()["detail"]


def test_a_reply_is_refused_once_when_the_patient_has_written_since(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    bridge.on(case_id, "claim")
    seen = desk.last_turn(case_id)
    desk.turn(desk.look(case_id).thread_id, "one more thing")
    body = {"texts": ["what_happened"], "seen_number": seen}
    stale = bridge.on(case_id, "replies", body)
    assert (stale.status_code, kind(stale)) == (409, "stale_reply")
    assert stale.json()["last_number"] == desk.last_turn(case_id)
    assert bridge.on(case_id, "replies", {**body, "seen_number": stale.json()["last_number"]}).status_code == 201


@pytest.mark.parametrize(
    ("words", "flaw"),
    [
        ("Your card A123456(3) was seen.", "private"),
        ("Pay with 4111 1111 1111 1111 please.", "private"),
        ("See https://evil.example.com/login now.", "link"),
        ("x" * 601, "too_long"),
        ("", "empty"),
    ],
)
def test_own_words_pass_the_check_that_the_console_makes(program: Programs, desk: Desk, words: str, flaw: str) -> None:
    case_id, bridge = desk.case(), program()
    bridge.on(case_id, "claim")
    body = {"words": words, "seen_number": desk.last_turn(case_id)}
    refused = bridge.on(case_id, "replies", body)
    assert (refused.status_code, kind(refused)) == (422, "reply_refused")
    assert flaw in {one["flaw"] for one in refused.json()["objections"]}
    assert flaw in {one["flaw"] for one in bridge.on(case_id, "preview", body).json()["objections"]}
    with desk.database.reading() as session:
        assert answers.pending(session, case_id) == []


def test_a_reply_can_be_taken_back_for_ten_seconds_and_by_its_author_alone(program: Programs, desk: Desk) -> None:
    case_id, bridge, other = desk.case(), program(), program(name="Another program")
    bridge.on(case_id, "claim")
    body = {"texts": ["what_happened"], "seen_number": desk.last_turn(case_id)}
    reply = bridge.on(case_id, "replies", body).json()["id"]
    assert [one["id"] for one in bridge.get(f"/cases/{bridge.number(case_id)}/replies").json()] == [reply]
    assert kind(other.on(case_id, f"replies/{reply}/undo")) == "too_late"
    foreign = desk.case()
    assert kind(bridge.on(foreign, f"replies/{reply}/undo")) == "too_late"
    assert bridge.on(case_id, f"replies/{reply}/undo").json() == {"done": True}
    assert bridge.get(f"/cases/{bridge.number(case_id)}/drafts").json()[0]["texts"] == ["what_happened"]
    late = bridge.on(case_id, "replies", body).json()["id"]
    send_due(desk)
    assert kind(bridge.on(case_id, f"replies/{late}/undo")) == "too_late"


def test_what_is_private_is_hidden_and_shown_for_a_reason_in_the_log(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    number = desk.turn(desk.look(case_id).thread_id, "my card is A123456(3)")
    shown = bridge.get(f"/cases/{bridge.number(case_id)}/transcript").json()
    line = shown["lines"][-1]
    assert line["hides"]
    assert "A123456" not in line["text"]
    asked = {"thread": line["thread"], "number": number}
    assert bridge.on(case_id, "reveal", {**asked, "reason": "why"}).status_code == 422
    assert bridge.on(case_id, "reveal", {**asked, "reason": "to check the number"}).json()["text"] == "my card is A123456(3)"
    with desk.database.reading() as session:
        entry = next(row for row in session.query(AuditEntry) if row.kind == "case.revealed")
        told = content_of(entry, desk.vault)
    assert (entry.actor, told and told["reason"]) == (f"staff:{bridge.id}", "to check the number")


def test_a_line_of_another_case_is_not_revealed(program: Programs, desk: Desk) -> None:
    one, other, bridge = desk.case(), desk.case(), program()
    asked = {"thread": desk.look(other).thread_id, "number": 1, "reason": "to check the number"}
    assert bridge.on(one, "reveal", asked).status_code == 422


def test_cases_are_merged_only_when_both_are_proven_to_be_one_persons_and_it_can_be_undone(program: Programs, desk: Desk) -> None:
    one, other, bridge = desk.case(), desk.case(), program()
    into = {"into": bridge.number(other)}
    assert "not proven" in bridge.on(one, "merge", into).json()["detail"]
    who = person_on_file(desk)
    with desk.database.writing() as session:
        for case_id in (one, other):
            session.add(CasePerson(case_id=case_id, person_id=who, known=Known.VERIFIED.value, by="assistant", at=desk.clock()))
    merged = bridge.on(one, "merge", into).json()
    assert (merged["status"], merged["merged_into"]) == ("merged", bridge.number(other))
    assert bridge.on(one, "unmerge").json()["status"] == "open"
    assert "not merged" in bridge.on(one, "unmerge").json()["detail"]
    assert [row["person"] for row in bridge.get(f"/cases/{bridge.number(one)}/persons").json()] == [who]


def test_notes_calls_reminders_and_drafts_are_kept(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    at = f"/cases/{bridge.number(case_id)}"
    assert bridge.on(case_id, "notes", {"text": " prefers mornings "}).status_code == 201
    assert bridge.on(case_id, "calls", {"result": "no_answer"}).status_code == 201
    due = (desk.clock() + timedelta(minutes=5)).isoformat()
    reminder = bridge.on(case_id, "reminders", {"due_at": due}).json()["id"]
    assert bridge.client.put(f"/api/v1{at}/draft", json={"words": "Dear"}).json() == {"done": True}
    assert [one["text"] for one in bridge.get(f"{at}/notes").json()] == ["prefers mornings"]
    assert [one["result"] for one in bridge.get(f"{at}/calls").json()] == ["no_answer"]
    assert [one["words"] for one in bridge.get(f"{at}/drafts").json()] == ["Dear"]
    assert bridge.get("/reminders").json() == []
    desk.clock.advance(minutes=6)
    assert [one["id"] for one in bridge.get("/reminders").json()] == [reminder]
    assert bridge.post(f"/reminders/{reminder}/seen").json() == {"done": True}
    assert bridge.get(f"{at}/reminders").json() == []
    assert desk.lines(case_id)[-1].text != "prefers mornings"


def test_a_write_that_names_an_older_version_changes_nothing(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    known = bridge.get(f"/cases/{bridge.number(case_id)}").headers["ETag"]
    bridge.on(case_id, "notes", {"text": "somebody was faster"})
    stale = bridge.on(case_id, "claim", If_Match=known)
    assert (stale.status_code, kind(stale), stale.json()["version"]) == (412, "stale_version", desk.look(case_id).version)
    assert desk.look(case_id).status == CaseStatus.OPEN
    assert bridge.on(case_id, "claim", If_Match=f'"{stale.json()["version"]}"').status_code == 200


def test_the_texts_are_the_approved_ones_and_none_for_verified_people_is_among_them(program: Programs, desk: Desk) -> None:
    bridge = program(Scope.TEXTS_READ)
    names, cursor = [], None
    while True:
        page = bridge.get("/texts", limit=4, **({"cursor": cursor} if cursor else {})).json()
        names += [one["name"] for one in page["texts"]]
        cursor = page["next"]
        if cursor is None:
            break
    wordings = desk.published.content["wordings"]
    assert names == sorted(name for name in names if wordings[name]["level"] == "public")
    assert len(names) > 4
    found = bridge.get("/texts", q="distress", language="zh-Hant").json()["texts"]
    assert [one["text"] for one in found if one["name"] == "distress"] == ["<distress zh-Hant>"]
    assert bridge.get("/texts/distress", channel="sms").json()["text"] == "<distress short>"
    assert bridge.get("/texts/no_such").status_code == 404


def test_the_help_of_an_emergency_comes_first(program: Programs, desk: Desk) -> None:
    bridge = program()
    offered = bridge.get(f"/cases/{bridge.number(desk.case('distress'))}/texts").json()
    assert (offered[0]["name"], offered[0]["is_pinned"]) == ("distress", True)


def test_people_on_file_are_found_for_a_reason_and_masked_until_they_are_opened(program: Programs, desk: Desk) -> None:
    who, bridge = person_on_file(desk), program(Scope.PATIENTS_SEARCH)
    asked = {"by": "name", "value": "chan tai man"}
    assert bridge.post("/patients/search", {**asked, "reason": "why"}).status_code == 422
    hit = bridge.post("/patients/search", {**asked, "reason": "asks for her notice"}).json()["persons"][0]
    assert (hit["person"], "Tai" in hit["name"], OLD in str(hit)) == (who, False, False)
    opened = bridge.post("/patients/open", {"person": who, "reason": "asks for her notice"}).json()
    assert (opened["name"], OLD in str(opened)) == ("CHAN Tai Man", True)
    with desk.database.reading() as session:
        kinds = [row.kind for row in session.query(AuditEntry) if row.actor == f"staff:{bridge.id}"]
    assert kinds == ["patient.searched", "patient.opened"]


def test_searching_is_throttled_as_in_the_console(program: Programs, desk: Desk) -> None:
    bridge = program(Scope.PATIENTS_SEARCH)
    asked = {"by": "name", "value": "nobody", "reason": "asks for her notice"}
    statuses = [bridge.post("/patients/search", asked).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert int(bridge.post("/patients/search", asked).headers["Retry-After"]) > 0


def test_what_two_must_decide_has_no_address_here(program: Programs) -> None:
    paths = program().client.get("/api/v1/openapi.json").json()["paths"]
    assert not [path for path in paths for word in ("approv", "erase", "export", "contact", "recover", "close") if word in path]


def test_figures_booked_calls_and_what_nobody_handled_are_those_of_the_console(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    desk.clock.advance(minutes=1)
    shown = bridge.get("/figures", days=1).json()
    assert (shown["waiting"], shown["reasons"]) == (1, {"patient_wish": 1})
    assert bridge.get("/booked-calls").json() == []
    assert bridge.get("/not-handled").json() == []
    with desk.database.writing() as session:
        case = session.get_one(Case, case_id)
        move(case, CaseStatus.RESOLVED)
    assert bridge.get("/figures", days=1).json()["waiting"] == 0
    assert {one["id"] for one in bridge.get("/colleagues").json()} == {bridge.id}
    desk.colleague(Role.AUDITOR)
    agent = desk.colleague()
    assert {one["id"] for one in bridge.get("/colleagues").json()} == {bridge.id, agent}


def test_who_looks_at_a_case_is_seen(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    at = f"/cases/{bridge.number(case_id)}/presence"
    bridge.on(case_id, "presence", {"is_typing": True})
    assert bridge.get(at).json() == [{"staff": bridge.id, "is_typing": True}]
    bridge.on(case_id, "presence", {"has_left": True})
    assert bridge.get(at).json() == []


def test_a_further_reason_brings_its_clock(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    noted = bridge.on(case_id, "reasons", {"reason": "correction_request"}).json()
    assert (noted["reasons"], "statute" in {one["kind"] for one in noted["clocks"]}) == (
        ["correction_request", "patient_wish"],
        True,
    )
    assert bridge.on(case_id, "reasons", {"reason": "no_such"}).status_code == 422


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_time_at_the_end_of_the_calendar_is_refused_and_breaks_nothing(program: Programs, desk: Desk, moment: str) -> None:
    bridge, case_id = program(), desk.case()
    for deed, body in (("reminders", {"due_at": moment}), ("snooze", {"until": moment})):
        assert bridge.on(case_id, deed, body).status_code == 422
    assert bridge.get("/booked-calls", since=moment).status_code == 422
