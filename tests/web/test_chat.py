"""The chat's endpoints, the stranger first."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from bot.assembly import Application
from bot.base.audit import AuditEntry
from bot.conversations.models import Thread, Turn
from bot.conversations.transcript import Line, lines_after
from bot.web.answering import ANSWERERS, LONG, WAITING
from tests.web.conftest import Patient, TableEngine, eventually, serving


def lines(application: Application, thread_id: int = 1) -> list[Line]:
    with application.database.reading() as session:
        return lines_after(session, application.vault, thread_id, 0)


def rows(application: Application, table: Any) -> int:
    with application.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.json()["error"]["text"]
    assert answer.headers["cache-control"] == "no-store"


# ---------------------------------------------------------------- strangers


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.get("/api/chat/session"),
        lambda client: client.get("/api/chat/events"),
        lambda client: client.post("/api/chat/turns", json={"client_id": str(uuid.uuid4()), "text": "hello"}),
        lambda client: client.post("/api/chat/language", json={"lang": "en"}),
    ],
)
@pytest.mark.parametrize("cookie", [None, "candour=x", "candour=" + "A" * 43, "candour=1", "other=" + "A" * 43])
def test_a_stranger_without_a_cookie_of_ours_gets_nothing(
    browsers: Callable[[], Patient], published: Application, ask: Any, cookie: str | None
) -> None:
    browsers().open()
    stranger = browsers().client
    if cookie:
        stranger.headers["cookie"] = cookie
    refused(ask(stranger), 401, "no_session")
    assert rows(published, Turn) == 0


def test_another_patients_thread_is_out_of_reach(browsers: Callable[[], Patient], published: Application) -> None:
    first, second = browsers(), browsers()
    first.open()
    second.open()
    first.say("only mine")
    eventually(lambda: len(lines(published, 1)) == 3)
    assert [line.kind for line in lines(published, 2)] == ["reply"]
    assert second.client.get("/api/chat/session").json()["last_number"] == 1


def test_the_cookie_is_made_by_the_server_and_only_its_hash_is_kept(patient: Patient, published: Application) -> None:
    answer = patient.client.post("/api/chat/session", json={}, headers={"cookie": "candour=" + "B" * 43})
    header = answer.headers["set-cookie"]
    token = header.partition("=")[2].partition(";")[0]
    assert "HttpOnly" in header
    assert "SameSite=lax" in header
    assert len(token) == 43
    assert token != "B" * 43
    with published.database.reading() as session:
        kept = session.scalars(select(Thread.address_index)).one()
    assert token not in kept
    assert kept == published.index.index("web", token)


def test_a_foreign_page_can_neither_read_nor_write(patient: Patient, published: Application) -> None:
    patient.open()
    body = {"client_id": str(uuid.uuid4()), "text": "hello"}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        refused(patient.client.post("/api/chat/turns", json=body, headers=headers), 403, "foreign_origin")
        refused(patient.client.get("/api/chat/session", headers=headers), 403, "foreign_origin")
    assert rows(published, Turn) == 0
    assert (
        patient.client.post(
            "/api/chat/turns", json=body, headers={"origin": str(patient.client.base_url).rstrip("/")}
        ).status_code
        == 202
    )


# ---------------------------------------------------------------- opening


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "zh-Hans", "tl", "id"])
def test_a_session_opens_with_the_statement_the_greeting_and_first_topics(patient: Patient, lang: str) -> None:
    opened = patient.open(lang=lang)
    assert opened["language"] == lang
    assert opened["collection_statement"]["text"]
    assert opened["collection_statement"]["publication"] == 1
    assert opened["greeting"]
    assert len(opened["topics"]) == 3
    assert [known["id"] for known in opened["languages"]] == ["en", "zh-Hant", "zh-Hans", "tl", "id"]


def test_which_statement_was_shown_is_kept_as_evidence(patient: Patient, published: Application) -> None:
    patient.open(lang="zh-Hant")
    with published.database.reading() as session:
        assert list(session.scalars(select(AuditEntry.subject).where(AuditEntry.kind == "statement.shown"))) == ["thread:1"]


def test_opening_twice_finds_the_same_thread(patient: Patient, published: Application) -> None:
    first, second = patient.open(), patient.open()
    assert first == second
    assert rows(published, Thread) == 1


def test_the_browsers_language_decides_when_none_is_given(patient: Patient) -> None:
    answer = patient.client.post("/api/chat/session", headers={"accept-language": "fr, zh-CN;q=0.8, en;q=0.5"})
    assert answer.json()["language"] == "zh-Hans"


# ---------------------------------------------------------------- turns


def test_a_turn_is_stored_and_answered(patient: Patient, published: Application) -> None:
    patient.open()
    answer = patient.say("what happened?")
    assert answer.status_code == 202
    assert answer.json()["repeat"] is False
    eventually(lambda: len(lines(published)) == 3)
    assert [line.kind for line in lines(published)] == ["reply", "turn", "reply"]


def test_twenty_times_the_same_turn_at_once_is_one_turn(patient: Patient, published: Application) -> None:
    patient.open()
    client_id = str(uuid.uuid4())
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: patient.say("hello", client_id), range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["number"] for answer in answers} == {2}
    assert sorted(answer.json()["repeat"] for answer in answers) == [False] + [True] * 19
    eventually(lambda: len(lines(published)) == 3)
    assert rows(published, Turn) == 1


def test_a_pressed_topic_is_answered_and_shown_as_what_stood_on_it(patient: Patient, published: Application) -> None:
    topic = patient.open()["topics"][0]
    assert patient.press(topic["id"]).status_code == 202
    eventually(lambda: len(lines(published)) == 3)
    assert lines(published)[1].text == topic["label"]


def test_a_button_that_was_never_issued_is_answered_politely(patient: Patient, published: Application) -> None:
    patient.open()
    assert patient.press("1-never-issued").status_code == 202
    eventually(lambda: len(lines(published)) == 3)


def test_an_engine_that_is_down_gives_an_apology(patient: Patient, published: Application, engine: TableEngine) -> None:
    patient.open()
    engine.is_down = True
    patient.say("hello?")
    eventually(lambda: len(lines(published)) == 3)
    with published.database.reading() as session:
        assert session.scalars(select(Turn.status)).one() == "failed"


def test_a_full_pool_rings_the_doorbell_and_keeps_the_turn(patient: Patient, published: Application, engine: TableEngine) -> None:
    engine.may_answer.clear()
    places = ANSWERERS + WAITING
    for _ in range(places + 1):
        patient.client.cookies.clear()
        patient.open()
        assert patient.say("hello").status_code == 202
    assert published.doorbell.kinds == ["turns"]  # type: ignore[attr-defined]
    engine.may_answer.set()
    assert rows(published, Turn) == places + 1
    assert published.inbox.answer(places + 1) == 1


def test_a_very_long_turn_is_left_to_the_worker_so_that_others_are_not_kept_waiting(
    patient: Patient, published: Application
) -> None:
    patient.open()
    assert patient.say("x" * (LONG + 1)).status_code == 202
    assert published.doorbell.kinds == ["turns"]  # type: ignore[attr-defined]
    assert published.inbox.answer(1) == 1


def test_a_chosen_language_is_kept_with_the_thread(patient: Patient, published: Application) -> None:
    patient.open(lang="en")
    assert patient.client.post("/api/chat/language", json={"lang": "id"}).json() == {"language": "id"}
    patient.say("what happened to my data please tell me")
    eventually(lambda: len(lines(published)) == 3)
    assert lines(published)[2].language == "id"


# ---------------------------------------------------------------- hostile input


TRICKS = [
    "/restart",
    '/inform{"verified":true}',
    "{{7*7}}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "<script>alert(1)</script>",
    "\u200b\u200d\ufeff",
    "\u202egnp.exe\u202c abc",
    "😀😀😀",
    "   \n\t ",
    "' OR 1=1 --",
    "a\u0301" * 500,
    "x" * 200_000,
    "漢" * 200_000,
]


@pytest.mark.parametrize("text", TRICKS, ids=lambda text: ascii(text[:20]))
def test_tricks_are_stored_as_they_are_and_answered(patient: Patient, published: Application, text: str) -> None:
    patient.open()
    assert patient.say(text).status_code == 202
    if published.doorbell.kinds:  # type: ignore[attr-defined]
        published.inbox.answer(1)  # as the worker does when it is rung for
    eventually(lambda: len(lines(published)) == 3)
    assert lines(published)[1].text == text
    assert "49" not in lines(published)[2].text or "{{" not in text


def _bad(**body: Any) -> dict[str, Any]:
    return {"json": {"client_id": str(uuid.uuid4()), **body}}


JSON = {"content-type": "application/json"}
BAD = {
    "no body": ({}, 415),
    "empty object": ({"json": {}}, 422),
    "empty text": (_bad(text=""), 422),
    "text and choice": (_bad(text="a", choice="1-a"), 422),
    "neither": (_bad(), 422),
    "unknown field": (_bad(text="a", verified=True), 422),
    "client id is no uuid": ({"json": {"client_id": "1", "text": "a"}}, 422),
    "text is a number": (_bad(text=1), 422),
    "text is null": (_bad(text=None), 422),
    "text is a list": (_bad(text=["a"]), 422),
    "nul": (_bad(text="a\0b"), 422),
    "lone surrogate": ({"content": b'{"client_id":"%s","text":"\\ud800"}' % str(uuid.uuid4()).encode(), "headers": JSON}, 422),
    "too many characters": (_bad(text="x" * 200_001), 413),
    "choice with blanks": (_bad(choice="1 a"), 422),
    "a list": ({"json": []}, 422),
    "not json": ({"content": b"{", "headers": JSON}, 400),
    "not utf-8": ({"content": b'{"text":"\xff\xfe"}', "headers": JSON}, 400),
    "nested deep": ({"content": b"[" * 100_000, "headers": JSON}, 400),
    "huge number": ({"content": b'{"client_id":' + b"9" * 10_000 + b"}", "headers": JSON}, 400),
    "a form": ({"data": {"text": "a"}}, 415),
    "plain text": ({"content": b'{"text":"a"}', "headers": {"content-type": "text/plain"}}, 415),
    "no type": ({"content": b'{"text":"a"}'}, 415),
    "too many bytes": ({"content": b'{"text":"' + b"x" * (1 << 20) + b'"}', "headers": JSON}, 413),
    "too many bytes in pieces": ({"content": iter([b'{"text":"'] + [b"x" * 65536] * 17), "headers": JSON}, 413),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_a_sentence_and_stores_nothing(patient: Patient, published: Application, name: str) -> None:
    request, status = BAD[name]
    patient.open()
    answer = patient.client.post("/api/chat/turns", **request)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert len(answer.json()["error"]["text"]) < 200
    assert rows(published, Turn) == 0


def test_a_refusal_speaks_the_patients_language(patient: Patient) -> None:
    patient.open(lang="zh-Hant")
    answer = patient.client.post("/api/chat/turns", json={}, headers={"accept-language": "zh-HK"})
    assert "格式" in answer.json()["error"]["text"]
    assert answer.headers["content-language"] == "zh-Hant"


def test_addresses_that_do_not_exist_are_refused_in_the_same_shape(patient: Patient) -> None:
    refused(patient.client.get("/api/chat/none"), 404, "not_found")
    refused(patient.client.delete("/api/chat/turns"), 405, "wrong_method")
    refused(patient.client.get("/api/chat/events?after=-1"), 422, "bad_input") if patient.open() else None


def test_no_log_line_holds_what_a_patient_wrote_or_the_cookie(
    patient: Patient, published: Application, engine: TableEngine, logged: Callable[[], str]
) -> None:
    patient.open()
    patient.say("MARKER-in-a-turn")
    patient.client.post("/api/chat/turns", json={"client_id": "MARKER-id", "text": "MARKER"})
    patient.client.get("/api/chat/MARKER?q=MARKER")
    engine.is_down = True
    patient.say("MARKER again")
    eventually(lambda: len(lines(published)) == 5)
    said = logged()
    assert "/api/chat/turns" in said
    # What the test's own client logs about its requests is not ours.
    ours = "\n".join(line for line in said.splitlines() if " httpcore." not in line and " httpx:" not in line)
    assert "MARKER" not in ours
    assert patient.client.cookies["candour"] not in ours


def test_a_fault_of_ours_is_a_sentence_without_a_stack(patient: Patient, published: Application) -> None:
    patient.open()
    with published.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE threads SET language = 'MARKER'")
    answer = patient.client.get("/api/chat/session")
    refused(answer, 500, "failed")
    assert "MARKER" not in answer.text
    # The server closes the connection of such a request; everybody else goes on.
    assert httpx.get(patient.client.base_url.join("/health/live"), trust_env=False, timeout=60).status_code == 200


def test_a_database_that_is_away_is_said_and_tried_again_later(patient: Patient, published: Application) -> None:
    patient.open()
    with published.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE threads RENAME TO away")
    answer = patient.say("hello")
    refused(answer, 503, "not_ready")
    assert answer.headers["retry-after"] == "5"
    assert patient.client.get("/health/ready").status_code == 503
    with published.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO threads")
    assert patient.say("hello").status_code == 202


def test_without_a_publication_nothing_is_said_and_it_is_told_so(application: Application) -> None:
    with serving(application) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        refused(client.post("/api/chat/session", json={}), 503, "not_ready")
        assert rows(application, Thread) == 0
        page = client.get("/")
        assert page.status_code == 200
        assert "999" in page.text
        assert client.get("/health/live").status_code == 200
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["database"]["ok"]
        assert not ready.json()["publication"]["ok"]


def test_readiness_names_the_part_that_is_missing(patient: Patient, engine: TableEngine) -> None:
    assert patient.client.get("/health/ready").json()["ready"] is True
    engine.is_down = True
    ready = patient.client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["engine"]["ok"] is False


def test_every_answer_carries_the_protecting_headers(patient: Patient) -> None:
    for path in ("/", "/chat", "/api/chat/session", "/static/chat.js", "/nothing"):
        headers = patient.client.get(path).headers
        assert "unsafe" not in headers["content-security-policy"]
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_the_description_names_every_endpoint_and_its_refusals(patient: Patient) -> None:
    described = patient.client.get("/openapi.json").json()
    paths = described["paths"]
    assert {"TurnEvent", "ReplyEvent", "OwnerEvent"} <= set(described["components"]["schemas"])
    assert "text/event-stream" in paths["/api/chat/events"]["get"]["responses"]["200"]["content"]
    assert {
        "/api/chat/session",
        "/api/chat/turns",
        "/api/chat/events",
        "/api/chat/language",
        "/health/live",
        "/health/ready",
    } <= set(paths)
    for path, methods in paths.items():
        for method in methods.values():
            assert method.get("summary"), path
            if path.startswith("/api/"):
                for status in ("429", "500", "503"):
                    assert method["responses"][status]["content"]["application/json"]["schema"]["$ref"].endswith("/Refused")
