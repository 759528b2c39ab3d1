"""The engine's client against a real HTTP server that misbehaves in every way a process can."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.base.errors import EngineError, EngineRubbish, EngineSlow, EngineUnavailable
from bot.conversations.engine import ANSWER_LIMIT, REST_AFTER, Engine, Guess

GOOD = {"say": ["what_happened"], "do": [], "ranking": [{"topic": "what_happened", "confidence": 0.9}]}
Behaviour = Callable[[BaseHTTPRequestHandler], None]


def answers(body: bytes, status: int = 200) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


@contextmanager
def engine_that(behave: Behaviour, timeout_s: float = 5.0) -> Iterator[tuple[Engine, list[dict[str, Any]]]]:
    """A client and what its server was sent."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append({**json.loads(body), "authorization": self.headers["Authorization"], "path": self.path})
            behave(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # looks that often whether it is to stop
    thread.start()
    engine = Engine(f"http://127.0.0.1:{server.server_port}", "the-token", timeout_s=timeout_s)
    try:
        yield engine, received
    finally:
        engine.close()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_good_answer_is_read_and_the_token_shown() -> None:
    with engine_that(answers(json.dumps(GOOD).encode())) as (engine, received):
        understood = engine.ask("key", "what is going on", "en")
        assert (understood.say, understood.ranking[0].topic, understood.ranking[0].confidence) == (
            ("what_happened",),
            "what_happened",
            0.9,
        )
        engine.press("key", "what_happened", "en")
    assert [sent["authorization"] for sent in received] == ["Bearer the-token"] * 2
    assert received[0] | {"authorization": ""} == {
        "key": "key",
        "text": "what is going on",
        "lang": "en",
        "authorization": "",
        "path": "/webhooks/candour/turn",
    }
    assert received[1]["topic"] == "what_happened"
    assert "text" not in received[1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"<html>",
        b'{"say": [], "do": [], "ranking": []}',
        b'{"say": "what_happened", "do": [], "ranking": []}',
        b'{"say": [1], "do": [], "ranking": []}',
        b'{"say": ["a"], "do": [{"reason": "no name"}], "ranking": []}',
        b'{"say": ["a"], "do": [], "ranking": [{"topic": "a", "confidence": 7}]}',
        b'{"say": ["a"], "do": [], "ranking": [{"topic": "a", "confidence": NaN}]}',
        b'{"say": ["a"], "do": [], "ranking": [{"topic": "a"}]}',
        b"\xff\xfe" + b"{}",
        b'{"say": ["' + b"a" * ANSWER_LIMIT + b'"]}',
    ],
)
def test_rubbish_is_an_error_and_never_an_answer(body: bytes) -> None:
    with engine_that(answers(body)) as (engine, _), pytest.raises(EngineRubbish) as raised:
        engine.ask("key", "text", "en")
    assert "aaaa" not in str(raised.value)


@pytest.mark.parametrize("status", [204, 302, 401, 422, 500, 503])
def test_every_status_but_ok_is_an_error(status: int) -> None:
    with engine_that(answers(json.dumps(GOOD).encode(), status)) as (engine, _), pytest.raises(EngineRubbish):
        engine.ask("key", "text", "en")


def test_nobody_at_the_address_is_unavailable() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        engine = Engine(f"http://127.0.0.1:{bound.getsockname()[1]}", "token", timeout_s=5)
        with pytest.raises(EngineUnavailable):
            engine.ask("key", "text", "en")
        assert not engine.healthy()
        engine.close()


def hang(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(2)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """One byte at a time, each well within any time-out between bytes."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b" ")
            time.sleep(0.05)
    except OSError:
        pass


@pytest.mark.parametrize("behave", [hang, drip])
def test_an_engine_that_does_not_finish_is_slow(behave: Behaviour) -> None:
    with engine_that(behave, timeout_s=0.3) as (engine, _), pytest.raises(EngineSlow):
        engine.ask("key", "text", "en")


def test_a_connection_broken_in_the_middle_is_unavailable() -> None:
    def break_off(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = True

    with engine_that(break_off) as (engine, _), pytest.raises(EngineUnavailable):
        engine.ask("key", "text", "en")


def test_after_several_silent_tries_the_client_rests_and_asks_nobody() -> None:
    with engine_that(hang, timeout_s=0.1) as (engine, received):
        for _ in range(REST_AFTER):
            with pytest.raises(EngineSlow):
                engine.ask("key", "text", "en")
        with pytest.raises(EngineUnavailable):
            engine.ask("key", "text", "en")
        assert len(received) == REST_AFTER


def test_rubbish_does_not_make_the_client_rest() -> None:
    with engine_that(answers(b"[]")) as (engine, received):
        for _ in range(REST_AFTER + 2):
            with pytest.raises(EngineRubbish):
                engine.ask("key", "text", "en")
        assert len(received) == REST_AFTER + 2


def test_no_error_holds_what_was_asked() -> None:
    with engine_that(answers(b'{"error": "my secret words"}', 500)) as (engine, _), pytest.raises(EngineError) as raised:
        engine.ask("key", "my secret words", "en")
    assert "secret" not in str(raised.value)


def told(**more: object) -> bytes:
    return json.dumps({**GOOD, **more}).encode()


def test_dangers_and_a_second_question_are_read() -> None:
    danger, also = [{"topic": "self_harm", "confidence": 0.4}], ["data_types"]
    with engine_that(answers(told(danger=danger, also=also))) as (engine, _):
        understood = engine.ask("k", "words", "en")
    assert (understood.danger, understood.also) == ((Guess("self_harm", 0.4),), ("data_types",))


def test_an_engine_that_does_not_look_for_danger_is_understood_all_the_same() -> None:
    with engine_that(answers(told(more="unknown"))) as (engine, _):
        understood = engine.ask("k", "words", "en")
    assert (understood.danger, understood.also) == ((), ())


@pytest.mark.parametrize("danger", [[{"topic": "self_harm", "confidence": 7}], [{"topic": 3}], "self_harm", [None]])
def test_dangers_of_a_wrong_shape_are_rubbish(danger: object) -> None:
    with engine_that(answers(told(danger=danger))) as (engine, _), pytest.raises(EngineRubbish):
        engine.ask("k", "words", "en")
