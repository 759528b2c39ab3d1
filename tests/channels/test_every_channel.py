"""One suite that every channel of the list passes: genuine or not, turns, events, sending, every kind of failure."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from bot.base.errors import (
    AccountFailure,
    ChannelError,
    NotAuthentic,
    OptedOut,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
    Unconfigured,
)
from bot.base.settings import REPOSITORY, Settings
from bot.channels.base import Channel, Hook, HookKind, Outcome, Outgoing, Template
from bot.channels.failures import FAILURES, Fate, failure
from bot.channels.registry import channels
from tests.channels.signing import MAKERS, OWN, PATIENT, account, letter, mail_fields, twilio
from tests.engine.running import free_port
from tests.make import FakeClock

NAMES = sorted(channels(Settings(_env_file=None), FakeClock()))


def test_this_suite_knows_every_channel() -> None:
    assert sorted(MAKERS) == NAMES


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def channel(name: str, tmp_path: Path, clock: FakeClock) -> Channel:
    return channels(account(tmp_path), clock)[name]


def content(channel: Channel, hook: Hook) -> Any:
    channel.authenticate(hook)
    return channel.keep(hook).content


# ------------------------------------------------------------------ genuine or not


def test_what_the_provider_signed_is_genuine(channel: Channel, name: str) -> None:
    channel.authenticate(MAKERS[name].turn("診所發生咩事？ & = + %", "M1"))
    channel.authenticate(MAKERS[name].event("delivered", "ref", "M1"))


def test_one_flipped_bit_anywhere_is_a_forgery(channel: Channel, name: str) -> None:
    hook = MAKERS[name].event("delivered", "ref", "M1")
    for place in range(0, len(hook.body), max(1, len(hook.body) // 12)):
        flipped = hook.body[:place] + bytes([hook.body[place] ^ 1]) + hook.body[place + 1 :]
        with pytest.raises(NotAuthentic):
            channel.authenticate(replace(hook, body=flipped))


@pytest.mark.parametrize("signature", ["", "x", "AAAA", "é", "A" * 10_000])
def test_a_missing_or_odd_signature_is_a_forgery(channel: Channel, name: str, signature: str) -> None:
    hook = MAKERS[name].event("delivered", "ref", "M1")
    headers = {key: signature if "signature" in key else value for key, value in hook.headers.items()}
    with pytest.raises(NotAuthentic):
        channel.authenticate(replace(hook, headers=headers))


def test_another_address_is_a_forgery_at_twilio(tmp_path: Path, clock: FakeClock) -> None:
    sms = channels(account(tmp_path), clock)["sms"]
    hook = MAKERS["sms"].turn("hello", "M1")
    for url in (hook.url.replace("https", "http"), hook.url + "?a=1", hook.url.replace("help.", "evil."), "https://h:99999/x"):
        with pytest.raises(NotAuthentic):
            sms.authenticate(replace(hook, url=url))
    sms.authenticate(replace(hook, url=hook.url.replace(".hk/", ".hk:443/")))  # Twilio signs with or without the port


def test_inbound_email_needs_the_secret(tmp_path: Path, clock: FakeClock) -> None:
    mail = channels(account(tmp_path), clock)["email"]
    for secret in ("", "wrong", "é"):
        with pytest.raises(NotAuthentic):
            mail.authenticate(letter(mail_fields("hello"), secret))


def test_without_an_account_nothing_is_genuine_and_nothing_is_sent(name: str, clock: FakeClock) -> None:
    bare = channels(Settings(_env_file=None), clock)[name]
    for hook in (MAKERS[name].turn("hello", "M1"), MAKERS[name].event("delivered", "ref", "M1")):
        with pytest.raises(Unconfigured):
            bare.authenticate(hook)
    with pytest.raises(Unconfigured):
        bare.send(outgoing(name, clock))


# ------------------------------------------------------------------ turns and events


def test_a_turn_says_who_wrote_what_to_which_of_our_addresses(channel: Channel, name: str) -> None:
    hook = MAKERS[name].turn("診所發生咩事？", "M1")
    [turn] = channel.parse_incoming(content(channel, hook))
    assert (turn.channel, turn.own, turn.their, turn.text, turn.automatic) == (
        name,
        OWN[name],
        PATIENT[name],
        "診所發生咩事？",
        "",
    )
    assert turn.external_id


def test_the_same_turn_has_the_same_ids_and_another_one_others(channel: Channel, name: str) -> None:
    first, again, other = (MAKERS[name].turn("hello", one) for one in ("M1", "M1", "M2"))
    ids = [
        (channel.keep(hook).provider_id, channel.parse_incoming(content(channel, hook))[0].external_id) for hook in (first, again)
    ]
    assert ids[0] == ids[1]
    assert channel.parse_incoming(content(channel, other))[0].external_id != ids[0][1]


def test_a_turn_of_another_channel_is_none_of_ours(channel: Channel, name: str) -> None:
    for other in set(NAMES) - {name}:
        hook = MAKERS[other].turn("hello", "M1")
        assert hook.kind not in channel.hooks or channel.parse_incoming(channel.keep(hook).content) == []


@pytest.mark.parametrize("word", ["delivered", "processed", "queued", "", "a_new_word", "DELIVERED"])
def test_events_carry_our_reference_and_unknown_words_are_none(channel: Channel, name: str, word: str) -> None:
    found = channel.parse_events(content(channel, MAKERS[name].event(word, "our-reference", "M1")))
    assert all((event.reference, event.provider_id) == ("our-reference", "M1") for event in found)
    if word.lower() == "delivered":
        assert [event.outcome for event in found] == [Outcome.DELIVERED]
    if word in ("", "a_new_word"):
        assert found == []


@pytest.mark.parametrize("body", [b"", b"\xff\xfe%ff%fe", b"[]", b"{}", b"null", b"[1, null, {}]", b"a=b" * 1000, b"--x\r\n\r\n"])
def test_rubbish_is_read_as_nothing_and_breaks_nothing(channel: Channel, name: str, body: bytes) -> None:
    for kind in channel.hooks:
        kept = channel.keep(Hook(kind, "https://help.example.hk/x", {"content-type": "multipart/form-data; boundary=x"}, body))
        assert len(kept.provider_id) <= 80
        assert [turn for turn in channel.parse_incoming(kept.content) if not turn.automatic] == []
        assert channel.parse_events(kept.content) == []


# ------------------------------------------------------------------ sending


@dataclass
class Provider:
    """A server that answers as it was told, and keeps what it was asked."""

    url: str
    status: int = 201
    body: bytes = b'{"sid": "SM1", "status": "queued"}'
    wait_s: float = 0.0
    asked: list[tuple[str, bytes]] = field(default_factory=list)


@pytest.fixture
def provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            time.sleep(told.wait_s)
            self.send_response(told.status)
            self.send_header("X-Message-Id", "SM1")
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # looks that often whether it is to stop
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def outgoing(name: str, clock: FakeClock, **more: Any) -> Outgoing:
    given: dict[str, Any] = {"own": OWN[name], "their": PATIENT[name], "text": "你好 — “quoted” & ünï", "reference": "our-ref"}
    return Outgoing(**{**given, "heard_at": clock(), **more})


def test_a_text_is_sent_as_it_is_with_our_reference_and_nothing_else_about_the_patient(
    name: str, tmp_path: Path, clock: FakeClock, provider: Provider, logged: Callable[[], str]
) -> None:
    sent = channels(account(tmp_path, provider.url), clock)[name].send(outgoing(name, clock))
    assert sent.provider_id == "SM1"
    [(_, body)] = provider.asked
    assert b"our-ref" in body
    said = json.loads(body)["content"][0]["value"] if name == "email" else parse_qs(body.decode())["Body"][0]
    assert said == "你好 — “quoted” & ünï"
    if name != "email":
        callback = parse_qs(body.decode())["StatusCallback"][0]
        assert callback.startswith("https://help.example.hk/hooks/twilio/status?ref=our-ref")
    for private in (PATIENT[name], "quoted", "SG.test"):
        assert private not in logged()


FAILURES_OF = [
    (500, b"{}", OutcomeUnknown),
    (503, b"<html>", OutcomeUnknown),
    (504, b"", OutcomeUnknown),
    (429, b'{"code": 20429}', TemporaryFailure),
    (401, b'{"code": 20003}', AccountFailure),
    (403, b"{}", AccountFailure),
    (400, b"{}", PermanentFailure),
    (413, b"{}", PermanentFailure),
]


@pytest.mark.parametrize(("status", "body", "kind"), FAILURES_OF)
def test_what_went_wrong_is_told_by_the_class(
    name: str, tmp_path: Path, clock: FakeClock, provider: Provider, status: int, body: bytes, kind: type[ChannelError]
) -> None:
    provider.status, provider.body = status, body
    with pytest.raises(kind) as caught:
        channels(account(tmp_path, provider.url), clock)[name].send(outgoing(name, clock))
    assert caught.value.reason
    assert PATIENT[name] not in str(caught.value)


def test_nobody_at_the_address_means_surely_not_sent(name: str, tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(TemporaryFailure):
        channels(account(tmp_path, f"http://127.0.0.1:{free_port()}"), clock)[name].send(outgoing(name, clock))


def test_silence_is_given_up_in_time_and_its_outcome_is_unknown(
    name: str, tmp_path: Path, clock: FakeClock, provider: Provider
) -> None:
    provider.wait_s = 3
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        channels(account(tmp_path, provider.url, provider_timeout_s=0.3), clock)[name].send(outgoing(name, clock))
    assert time.monotonic() - began < 2
    assert len(provider.asked) == 1  # nothing tries again by itself


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_every_code_of_twilios_leads_to_its_class(tmp_path: Path, clock: FakeClock, provider: Provider, code: int) -> None:
    provider.status, provider.body = 400, b'{"code": %d, "message": "to +85291234567"}' % code
    kinds = {
        Fate.TEMPORARY: TemporaryFailure,
        Fate.LIMIT: TemporaryFailure,
        Fate.UNKNOWN: OutcomeUnknown,
        Fate.ACCOUNT: AccountFailure,
        Fate.PERMANENT: PermanentFailure,
        Fate.OPTED_OUT: OptedOut,
    }
    with pytest.raises(kinds[failure(code).fate]) as caught:
        channels(account(tmp_path, provider.url), clock)["sms"].send(outgoing("sms", clock))
    assert "91234567" not in str(caught.value)
    assert caught.value.code == str(code)


def test_whatsapp_is_not_called_outside_its_window_but_with_a_template(
    tmp_path: Path, clock: FakeClock, provider: Provider
) -> None:
    whatsapp = channels(account(tmp_path, provider.url), clock)["whatsapp"]
    late = outgoing("whatsapp", clock, heard_at=clock() - timedelta(hours=24))
    for closed in (late, replace(late, heard_at=None)):
        with pytest.raises(PermanentFailure, match="24 hours"):
            whatsapp.send(closed)
    assert provider.asked == []
    whatsapp.send(replace(late, template=Template("HX" + "0" * 32, {"1": "your case"})))
    assert b"ContentSid=HX" in provider.asked[0][1]
    assert b"Body=" not in provider.asked[0][1]
    whatsapp.send(replace(late, heard_at=clock() - timedelta(hours=23, minutes=58)))


def test_what_twilio_took_for_stop_and_what_came_besides_text_is_told(tmp_path: Path, clock: FakeClock) -> None:
    sms = channels(account(tmp_path), clock)["sms"]
    base = {"MessageSid": "M1", "From": PATIENT["sms"], "To": OWN["sms"], "Body": ""}
    for extra, attached, keyword in (
        ({"OptOutType": "STOP"}, "", "STOP"),
        ({"NumMedia": "1", "MediaContentType0": "audio/ogg"}, "audio", ""),
        ({"NumMedia": "2"}, "file", ""),
        ({"Latitude": "22.1", "Longitude": "114.1"}, "location", ""),
        ({"MessageType": "contacts"}, "contacts", ""),
        ({"MessageType": "text"}, "", ""),
    ):
        [turn] = sms.parse_incoming(sms.keep(twilio(HookKind.TWILIO_MESSAGES, {**base, **extra})).content)
        assert (turn.attached, turn.keyword) == (attached, keyword)


def test_whoever_only_checks_hooks_loads_no_provider_library() -> None:
    asked = "import sys, bot.web.__main__; print(sorted({'requests', 'sendgrid', 'twilio.rest'}.intersection(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("their", ["HKGOV", "#Bank", "12345", "+1", "anonymous"])
def test_an_sms_that_nobody_can_answer_is_no_turn_of_a_person(tmp_path: Path, clock: FakeClock, their: str) -> None:
    form = {"MessageSid": "M1", "From": their, "To": OWN["sms"], "Body": "Your bill is ready"}
    sms = channels(account(tmp_path), clock)["sms"]
    [turn] = sms.parse_incoming(sms.keep(twilio(HookKind.TWILIO_MESSAGES, form)).content)
    assert turn.automatic == "no_number"


@pytest.mark.parametrize("missing", ["From", "To", "MessageSid"])
def test_a_turn_without_an_address_or_an_id_is_none(tmp_path: Path, clock: FakeClock, missing: str) -> None:
    for name in ("sms", "whatsapp"):
        prefix = "whatsapp:" if name == "whatsapp" else ""
        form = {"MessageSid": "M1", "From": prefix + PATIENT[name], "To": prefix + OWN[name], "Body": "hello", missing: ""}
        channel = channels(account(tmp_path), clock)[name]
        assert channel.parse_incoming(channel.keep(twilio(HookKind.TWILIO_MESSAGES, form)).content) == []


def test_fields_that_nobody_told_us_of_change_nothing(tmp_path: Path, clock: FakeClock) -> None:
    form = {"MessageSid": "M1", "From": PATIENT["sms"], "To": OWN["sms"], "Body": "hello", "NewIn2027": "x", "": "y"}
    sms = channels(account(tmp_path), clock)["sms"]
    hook = twilio(HookKind.TWILIO_MESSAGES, form)
    sms.authenticate(hook)
    [turn] = sms.parse_incoming(sms.keep(hook).content)
    assert (turn.text, turn.automatic) == ("hello", "")
