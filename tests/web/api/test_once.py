"""Requests that come twice or all at once: done once, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from bot.base.settings import Settings
from bot.desk.integrations.models import ApiRequest
from bot.desk.models import CaseStatus
from bot.desk.records import CaseNote, StaffReply
from bot.desk.staff.roles import Scope
from bot.desk.work import claims
from tests.conftest import BOTH
from tests.desk.conftest import Desk
from tests.web.api.conftest import Program

Programs = Callable[..., Program]
AT_ONCE = 50


@pytest.fixture(params=BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: object) -> Settings:
    """Settings of a development machine, once per kind of database."""
    url = request.getfixturevalue(f"{request.param}_url")
    return Settings(_env_file=None, home=tmp_path, database_url=url)


def test_of_fifty_who_claim_by_program_and_console_one_wins(program: Programs, desk: Desk) -> None:
    case_id = desk.case()
    bridges = [program(Scope.CASES_WORK, name=f"bridge {number}") for number in range(5)]
    people = [desk.colleague() for _ in range(5)]
    ready = Barrier(AT_ONCE)

    def by_program(number: int) -> int | None:
        bridge = bridges[number % 5]
        ready.wait(60)
        answer = bridge.on(case_id, "claim")
        assert answer.status_code in (200, 409), answer.text
        return bridge.id if answer.status_code == 200 else None

    def by_console(number: int) -> int | None:
        who = people[number % 5]
        ready.wait(60)
        with desk.database.writing() as session:
            return who if claims.claim(session, desk.vault, case_id, who, desk.clock()).won else None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        won = list(pool.map(lambda number: (by_program if number % 2 else by_console)(number), range(AT_ONCE)))
    winners = {one for one in won if one is not None}
    assert winners == {desk.look(case_id).claimed_by}
    assert desk.look(case_id).status == CaseStatus.CLAIMED


def test_a_reply_that_is_sent_twenty_times_under_one_key_is_one_reply(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    bridge.on(case_id, "claim")
    body = {"texts": ["what_happened"], "seen_number": desk.last_turn(case_id)}
    ready = Barrier(20)

    def send(_: int) -> httpx.Response:
        ready.wait(60)
        return bridge.on(case_id, "replies", body, Idempotency_Key="one-and-the-same")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == 19
    with desk.database.reading() as session:
        assert session.query(StaffReply).count() == 1
        assert "what_happened" not in (session.query(ApiRequest).filter(ApiRequest.status_code == 201).one().sealed_answer or "")


def test_a_key_belongs_to_its_request_and_its_program_and_a_day(program: Programs, desk: Desk) -> None:
    case_id, bridge, other = desk.case(), program(), program(name="Another")
    key = {"Idempotency_Key": "note-number-one"}
    assert bridge.on(case_id, "notes", {"text": "one"}, **key).status_code == 201
    used = bridge.on(case_id, "notes", {"text": "two"}, **key)
    assert (used.status_code, used.json()["type"]) == (409, "/api/v1/problems/key_used")
    assert other.on(case_id, "notes", {"text": "two"}, **key).status_code == 201
    desk.clock.advance(hours=25)
    assert bridge.on(case_id, "notes", {"text": "two"}, **key).status_code == 201
    with desk.database.reading() as session:
        assert session.query(CaseNote).count() == 3


def test_what_was_refused_is_tried_anew_under_its_key(program: Programs, desk: Desk) -> None:
    case_id, bridge = desk.case(), program()
    key = {"Idempotency_Key": "resolve-it-now"}
    assert bridge.on(case_id, "resolve", {"outcome": "answered"}, **key).status_code == 422
    bridge.on(case_id, "claim")
    assert bridge.on(case_id, "resolve", {"outcome": "answered"}, **key).status_code == 200
    again = bridge.on(case_id, "resolve", {"outcome": "answered"}, **key)
    assert (again.status_code, again.headers["Idempotent-Replayed"], again.json()["status"]) == (200, "true", "resolved")


@pytest.mark.parametrize("deed", ["replies", "notes", "calls", "reminders"])
def test_what_a_repeat_would_do_twice_needs_a_key(program: Programs, desk: Desk, deed: str) -> None:
    bodies: dict[str, dict[str, object]] = {
        "replies": {"texts": ["what_happened"], "seen_number": 1},
        "notes": {"text": "x"},
        "calls": {"result": "reached"},
        "reminders": {"due_at": "2030-01-01T00:00:00Z"},
    }
    case_id, bridge = desk.case(), program()
    answer = bridge.on(case_id, deed, bodies[deed], Idempotency_Key="")
    assert (answer.status_code, answer.json()["type"]) == (422, "/api/v1/problems/key_missing")


def test_of_what_shows_personal_data_nothing_is_kept_for_repeats(program: Programs, desk: Desk) -> None:
    bridge = program()
    bridge.post("/patients/search", {"by": "name", "value": "nobody", "reason": "asks for her notice"})
    with desk.database.reading() as session:
        assert session.query(ApiRequest).count() == 0
