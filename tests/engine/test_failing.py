"""When something behind the door fails, the door says so: never an empty 200."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.engine.running import Running, running_engine

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def lonely(model: Path) -> Iterator[Running]:
    """An engine whose action server is not there until a test puts something in its place."""
    with running_engine(model, actions=False) as running:
        yield running


@contextmanager
def action_server_that_answers(engine: Running, status: int, body: bytes) -> Iterator[None]:
    """Something at the action server's address that answers everything alike."""

    class Alike(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", int(engine.actions_url.rpartition(":")[2])), Alike)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_action_server_that_is_down_is_an_error(lonely: Running) -> None:
    answer = lonely.turn("down", topic="speak_human")
    assert (answer.status_code, answer.json()) == (500, {"error": "action"})


def test_half_an_answer_is_an_error(lonely: Running) -> None:
    # The first half of the rule, a wording, worked; the action after it did not.
    assert lonely.turn("half", topic="self_harm").status_code == 500


def test_answers_which_need_no_action_go_on(lonely: Running) -> None:
    assert lonely.turn("goes-on", topic="data_types").json()["say"] == ["data_types"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"error": "broken"}'),
        (400, b'{"error": "rejected", "action_name": "action_hand_over"}'),
        (404, b'{"error": "unknown", "action_name": "action_hand_over"}'),
        (200, b"{}"),
        (200, b"rubbish"),
        (200, b'{"events": [], "responses": []}'),
        (200, b'{"events": [], "responses": [{"text": "free words"}]}'),
        (200, b'{"events": [], "responses": [{"custom": {"say": [], "do": []}}]}'),
        (200, b'{"events": [], "responses": [{"custom": {"say": 7}}]}'),
        (200, b'{"events": [], "responses": [{"custom": {"do": [{"reason": "nameless"}]}}]}'),
        (200, b'{"events": [{"event": "nonsense"}], "responses": []}'),
    ],
)
def test_an_action_server_answering_wrongly_is_an_error(lonely: Running, status: int, body: bytes) -> None:
    with action_server_that_answers(lonely, status, body):
        assert lonely.turn(f"wrong-{status}-{len(body)}", topic="speak_human").status_code == 500


def test_a_conversation_goes_on_after_its_error(lonely: Running) -> None:
    assert lonely.turn("again", topic="speak_human").status_code == 500
    good = b'{"events": [], "responses": [{"custom": {"say": [], "do": [{"name": "hand_over", "reason": "patient_wish"}]}}]}'
    with action_server_that_answers(lonely, 200, good):
        assert lonely.turn("again", topic="speak_human").json()["do"] == [{"name": "hand_over", "reason": "patient_wish"}]


def test_a_stopped_action_server_blocks_its_own_turn_only(model: Path) -> None:
    with running_engine(model) as engine:
        engine.signal("actions", signal.SIGSTOP)
        stuck: list[int] = []
        waiting = threading.Thread(target=lambda: stuck.append(engine.turn("stuck", topic="speak_human").status_code))
        waiting.start()
        assert engine.turn("free", topic="data_types").status_code == 200
        assert waiting.is_alive()
        waiting.join(timeout=20)
        assert stuck == [500]
        engine.signal("actions", signal.SIGCONT)
        assert engine.turn("stuck", topic="speak_human").status_code == 200
