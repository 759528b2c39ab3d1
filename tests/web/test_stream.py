"""The event stream: every line once and in order, whatever happens to the connection."""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.assembly import Application
from bot.conversations import threads
from bot.conversations.models import Owner
from bot.conversations.transcript import TURN_TEXT
from bot.web import stream
from bot.web.limits import Limits
from tests.web.conftest import Patient, eventually, serving


def events(client: httpx.Client, *, last: int | None = None, after: int | None = None) -> Iterator[dict[str, Any]]:
    """The events of one connection, until the server or the reader ends it."""
    headers = {"Last-Event-ID": str(last)} if last is not None else {}
    params = {"after": after} if after is not None else {}
    event: dict[str, Any] = {}
    with client.stream("GET", "/api/chat/events", headers=headers, params=params, timeout=10) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if not line:
                if "data" in event:
                    yield {**event, "data": json.loads(event["data"])}
                event = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value


def numbers(found: Iterator[dict[str, Any]], count: int) -> list[int]:
    """The numbers of the next lines."""
    lines = (int(event["id"]) for event in found if "id" in event)
    return list(itertools.islice(lines, count))


def write(application: Application, thread_id: int, count: int = 1) -> None:
    """Store turns as another process would: without telling the hub."""
    for _ in range(count):
        with application.database.writing() as session:
            sealed = application.vault.seal("hello", TURN_TEXT)
            threads.store_turn(
                session, thread_id, external_id=str(uuid.uuid4()), sealed_text=sealed, choice=None, at=application.clock()
            )


def test_history_comes_first_and_then_what_is_new(patient: Patient, published: Application) -> None:
    patient.open()
    write(published, 1, 5)
    following = events(patient.client, after=0)
    assert numbers(following, 6) == [1, 2, 3, 4, 5, 6]
    write(published, 1, 2)
    assert numbers(following, 2) == [7, 8]


def test_a_line_carries_who_said_it_and_with_which_client_id(patient: Patient) -> None:
    patient.open()
    client_id = str(uuid.uuid4())
    patient.say("<b>hello</b>", client_id)
    found = [event for event in itertools.islice(events(patient.client, after=0), 4) if event["event"] != "owner"]
    assert [event["event"] for event in found] == ["reply", "turn", "reply"]
    assert found[1]["data"]["client_id"] == client_id
    assert found[1]["data"]["text"] == "<b>hello</b>"
    assert found[2]["data"]["author"] == "bot"


def test_last_event_id_wins_over_the_first_address(patient: Patient, published: Application) -> None:
    patient.open()
    write(published, 1, 3)
    assert numbers(events(patient.client, last=2, after=0), 2) == [3, 4]


def test_an_answer_is_seen_at_once(patient: Patient) -> None:
    patient.open()
    following = events(patient.client, after=1)
    next(following)
    patient.say("hello")
    assert numbers(following, 2) == [2, 3]


def test_two_tabs_see_the_same(patient: Patient, published: Application) -> None:
    patient.open()
    first, second = events(patient.client, after=0), events(patient.client, after=0)
    assert numbers(first, 1) == numbers(second, 1) == [1]
    patient.say("hello")
    assert numbers(first, 2) == numbers(second, 2) == [2, 3]


def test_a_new_owner_is_told_without_a_number(patient: Patient, published: Application) -> None:
    patient.open()
    following = events(patient.client, after=1)
    assert next(following)["data"] == {"owner": "bot"}
    with published.database.writing() as session:
        thread = threads.find_thread(session, published.index.every("web", patient.client.cookies["candour"]))
        assert thread is not None
        thread.owner = Owner.STAFF.value
    told = next(following)
    assert told["event"] == "owner"
    assert told["data"] == {"owner": "staff"}
    assert "id" not in told


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 5), max_size=8), bursts=st.lists(st.integers(1, 260), min_size=1, max_size=4))
def test_random_disconnects_skip_nothing_and_double_nothing(
    browsers: Callable[[], Patient], published: Application, cuts: list[int], bursts: list[int]
) -> None:
    patient = browsers()
    patient.open()
    with published.database.reading() as session:
        thread = threads.find_thread(session, published.index.every("web", patient.client.cookies["candour"]))
        assert thread is not None
        thread_id = thread.id
    total = 1 + sum(bursts)
    writer = threading.Thread(target=lambda: [write(published, thread_id, burst) for burst in bursts])
    writer.start()
    seen: list[int] = []
    for cut in cuts:
        seen += numbers(events(patient.client, last=seen[-1] if seen else 0), min(cut, total - len(seen)))
    seen += numbers(events(patient.client, last=seen[-1] if seen else 0), total - len(seen))
    writer.join()
    assert seen == list(range(1, total + 1))


def test_a_reader_that_is_too_slow_is_let_go_and_misses_nothing(patient: Patient, published: Application) -> None:
    patient.open()
    slow = stream.Subscriber(reached=0)
    for _ in range(stream.BACKLOG + 1):
        slow.offer(stream.Look("bot"))
    assert slow.dropped
    assert slow.queue.qsize() == stream.BACKLOG
    write(published, 1, 3)
    assert numbers(events(patient.client, last=1), 3) == [2, 3, 4]


def test_a_stop_ends_open_streams_politely_and_soon(published: Application) -> None:
    with httpx.Client(trust_env=False, timeout=60) as client:
        with serving(published) as address:
            client.base_url = httpx.URL(address)
            Patient(client).open()
            following = events(client, after=0)
            assert numbers(following, 1) == [1]
            ended = threading.Event()
            reader = threading.Thread(target=lambda: [list(following), ended.set()])
            reader.start()
        reader.join(60)
        assert ended.is_set()


def test_a_closed_connection_gives_its_place_back(published: Application) -> None:
    limits = Limits(session_streams=1)
    with serving(published, limits) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        Patient(client).open()
        for _ in range(3):
            eventually(lambda: _is_free(client))


def _is_free(client: httpx.Client) -> bool:
    with client.stream("GET", "/api/chat/events") as answer:
        return answer.status_code == 200


def test_a_database_that_fails_for_a_while_costs_no_line(patient: Patient, published: Application) -> None:
    patient.open()
    following = events(patient.client, after=0)
    assert numbers(following, 1) == [1]
    # A table that is away makes the real reader fail; afterwards it must go on by itself.
    with published.database.engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE threads RENAME TO away")
        connection.commit()
        time.sleep(0.6)
        connection.exec_driver_sql("ALTER TABLE away RENAME TO threads")
        connection.commit()
    write(published, 1, 1)
    assert numbers(following, 1) == [2]
