"""Limits: one rude caller is stopped with a kind sentence, the others notice nothing."""

from __future__ import annotations

import httpx
import pytest

from bot.assembly import Application
from bot.base.errors import BadInput, Misconfigured, TooMany
from bot.base.settings import Settings
from bot.web.limits import LIMITS, UNLIMITED, Limiter, Limits, caller, limits_of, networks, number
from tests.web.conftest import Patient, serving

PROXY = networks("127.0.0.1, 10.0.0.0/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # its own claim
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),  # the left part is the caller's claim
        ("127.0.0.1", ["6.6.6.6", "198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("2001:db8:1:2:aaaa::1", [], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["2001:db8:1:2:bbbb::2"], "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", [], "203.0.113.9"),
        (None, [], "local"),
    ],
)
def test_a_caller_is_who_the_nearest_trusted_proxy_saw(peer: str | None, forwarded: list[str], who: str) -> None:
    assert caller(peer, forwarded, PROXY) == who


def test_a_proxy_that_is_no_address_is_said_at_the_start() -> None:
    with pytest.raises(Misconfigured):
        networks("127.0.0.1, proxy.example")


def test_a_line_number_has_only_digits() -> None:
    assert number(None) == number("") == 0
    assert number("17") == 17
    for wrong in ("-1", "1.5", "a", "١", "9" * 16):
        with pytest.raises(BadInput):
            number(wrong)


def test_a_burst_passes_and_the_next_one_waits() -> None:
    limiter = Limiter(LIMITS)
    for _ in range(6):
        limiter.count("session_turns", "a")
    with pytest.raises(TooMany) as many:
        limiter.count("session_turns", "a")
    assert 1 <= many.value.retry_after_s <= 60
    limiter.count("session_turns", "b")


def test_streams_are_counted_and_given_back() -> None:
    limiter = Limiter(Limits(session_streams=2, address_streams=3))
    limiter.take_stream("a", "x")
    limiter.take_stream("a", "x")
    with pytest.raises(TooMany):
        limiter.take_stream("a", "y")
    limiter.take_stream("b", "x")
    with pytest.raises(TooMany):
        limiter.take_stream("c", "x")
    limiter.give_stream_back("a", "x")
    limiter.take_stream("c", "x")


def test_too_many_turns_are_refused_kindly_and_are_not_stored(published: Application) -> None:
    with serving(published, LIMITS) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        patient = Patient(client)
        patient.open(lang="zh-Hant")
        answers = [patient.say(f"turn {place}") for place in range(8)]
        assert [answer.status_code for answer in answers[:6]] == [202] * 6
        last = answers[-1]
        assert last.status_code == 429
        assert int(last.headers["retry-after"]) >= 1
        assert last.json()["error"]["code"] == "too_many"
        other = httpx.Client(base_url=address, trust_env=False, timeout=60)
        with other:
            Patient(other).open()
            assert Patient(other).say("hello").status_code == 202


def test_too_many_new_sessions_from_one_address_are_refused(published: Application) -> None:
    limits = Limits(address_sessions="2 per minute")
    with serving(published, limits) as address:
        codes = []
        for place in range(4):
            forwarded = {"x-forwarded-for": "198.51.100.7" if place < 3 else "198.51.100.8"}
            answer = httpx.post(f"{address}/api/chat/session", json={}, headers=forwarded, trust_env=False, timeout=60)
            codes.append(answer.status_code)
        assert codes == [200, 200, 429, 200]


def test_too_many_streams_of_one_session_are_refused(published: Application) -> None:
    limits = Limits(session_streams=1)
    with serving(published, limits) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        Patient(client).open()
        with client.stream("GET", "/api/chat/events") as first:
            assert first.status_code == 200
            assert client.get("/api/chat/events").status_code == 429


def test_the_measuring_table_lifts_every_limit() -> None:
    limiter = Limiter(UNLIMITED)
    for _ in range(2000):
        limiter.count("session_turns", "a")


def test_an_operator_sets_the_limits_and_is_told_of_one_that_cannot_be_read() -> None:
    assert limits_of(Settings(_env_file=None)) == LIMITS
    wide = Settings(_env_file=None, limit_session_turns="500 per minute", limit_session_streams=3)
    assert (limits_of(wide).session_turns, limits_of(wide).session_streams) == ("500 per minute", 3)
    with pytest.raises(Misconfigured, match="CANDOUR_LIMIT_ADDRESS_TURNS"):
        limits_of(Settings(_env_file=None, limit_address_turns="many"))
