"""Waves at the providers' doors: bytes that are no text, bombs of e-mail, bounces; the others are answered meanwhile."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from bot.assembly import Application
from bot.channels.base import Hook, HookKind
from bot.channels.registry import channels
from bot.conversations.models import Reply, Thread, Turn
from bot.conversations.post.models import HookStatus, Part
from bot.postroom import PostRoom
from tests.channels.signing import (
    BOUNDARY,
    KEY,
    MAKERS,
    OWN,
    PATIENT,
    PUBLIC,
    TOKEN,
    account,
    events,
    letter,
    mail_fields,
    twilio,
)
from tests.make import FakeClock
from tests.web.conftest import eventually, serving
from tests.web.test_hooks import count, read, stored

Send = Callable[[Hook], httpx.Response]
DOMAIN = 30
"""Letters of one domain's strangers that are read in an hour."""
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def post(published: Application, tmp_path: Path, clock: FakeClock) -> Application:
    """The application with an account at every provider."""
    settings = account(tmp_path, limit_letters_domain=DOMAIN)
    return replace(published, settings=settings, channels=channels(settings, clock))


@pytest.fixture
def send(post: Application) -> Iterator[Send]:
    """Posts a hook to the web process, as a proxy passes it on."""
    with serving(post) as web, httpx.Client(base_url=web, trust_env=False, timeout=60) as client:
        yield lambda hook: client.post(hook.url.removeprefix(PUBLIC), content=hook.body, headers=dict(hook.headers))


def signed_by_twilio(body: bytes, read_as: dict[str, str]) -> Hook:
    """A form of these very bytes, signed over what any reader makes of them."""
    return replace(twilio(HookKind.TWILIO_MESSAGES, read_as, token=TOKEN), body=body)


def signed_by_sendgrid(body: bytes) -> Hook:
    """Events of these very bytes with a good signature."""
    made = events([])
    stamp = made.headers["x-twilio-email-event-webhook-timestamp"]
    signature = base64.b64encode(KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return replace(made, body=body, headers={**made.headers, "x-twilio-email-event-webhook-signature": signature})


def statuses(application: Application) -> list[tuple[str, str]]:
    return [(row.status, row.remark) for row in stored(application)]


# ------------------------------------------------------------ bytes that are no text, genuinely signed


@pytest.mark.parametrize(
    ("written", "is_read_as"),
    [
        (b"%FF%FE%C3%28", "\ufffd\ufffd\ufffd("),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"%ED%A0%80", "\ufffd\ufffd\ufffd"),  # half of a surrogate pair
        (b"what%00happened", "what\0happened"),
        (b"", ""),
    ],
)
def test_a_text_that_is_no_utf8_is_stored_and_answered_and_those_behind_it_too(
    written: bytes, is_read_as: str, post: Application, send: Send
) -> None:
    form = {"MessageSid": "SM1", "From": PATIENT["sms"], "To": OWN["sms"], "Body": is_read_as}
    start = b"MessageSid=SM1&From=%2B" + PATIENT["sms"][1:].encode() + b"&To=%2B" + OWN["sms"][1:].encode() + b"&Body="
    assert send(signed_by_twilio(start + written, form)).status_code == 200
    assert send(MAKERS["whatsapp"].turn("What happened?", "SM2")).is_success
    read(post)
    assert statuses(post) == [(HookStatus.APPLIED, "")] * 2
    assert (count(post, Turn), count(post, Reply)) == (2, 2)


@pytest.mark.parametrize(
    "body",
    [b'[{"event":"\xff\xfe","candour":"x"}]', b"\xff\xfe[]", b"", b"{}", b"null", b"[" * 100_000, b'[{"event":{"a":[]}},7,null]'],
)
def test_events_that_cannot_be_read_are_kept_and_stop_nothing(body: bytes, post: Application, send: Send) -> None:
    if b"\xff" in body:  # SendGrid's own validator signs texts: bytes that are none have no good signature
        assert send(signed_by_sendgrid(body)).status_code == 403
        assert stored(post) == []
        return
    assert send(signed_by_sendgrid(body)).status_code == 204
    assert send(MAKERS["email"].turn("What happened?", "M1")).is_success
    read(post)
    assert statuses(post) == [(HookStatus.IGNORED, "nothing_known"), (HookStatus.APPLIED, "")]


@pytest.mark.parametrize("field", ["text", "subject", "headers", "charsets", "envelope", "from"])
def test_an_email_with_bytes_that_are_no_text_is_stored_and_what_can_be_read_is_answered(
    field: str, post: Application, send: Send
) -> None:
    fields = {**mail_fields("What happened?", subject="My data"), "charsets": "{}"}
    hook = letter(fields)
    cut = hook.body.index(f'name="{field}"\r\n\r\n'.encode()) + len(f'name="{field}"\r\n\r\n')
    spoilt = replace(hook, body=hook.body[:cut] + b"\xff\xfe\x00\xc3(" + hook.body[cut:])
    assert send(spoilt).status_code == 204
    assert send(MAKERS["sms"].turn("What happened?", "SM2")).is_success
    read(post)
    assert [status for status, _ in statuses(post)][1] == HookStatus.APPLIED
    assert statuses(post)[0] in ((HookStatus.APPLIED, ""), (HookStatus.IGNORED, "no_sender"))
    assert (statuses(post)[0][1] == "no_sender") <= (field == "from")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "multipart/form-data", f"{FORM}; charset=big5"])
def test_an_email_of_another_content_type_is_acknowledged_and_ignored(content_type: str, post: Application, send: Send) -> None:
    hook = letter(mail_fields("What happened?"))
    assert send(replace(hook, headers={"content-type": content_type})).status_code == 204
    read(post)
    assert statuses(post) == [(HookStatus.IGNORED, "no_sender")]
    assert count(post, Thread) == 0


def test_five_megabytes_are_refused_at_every_door_but_that_of_letters(post: Application, send: Send) -> None:
    assert send(signed_by_sendgrid(b" " * 5_000_000)).status_code == 413
    assert send(replace(MAKERS["sms"].event("delivered", "x", "SM1"), body=b"x" * 5_000_000)).status_code == 413
    assert send(replace(letter({}), body=b"x" * 32 * 1024 * 1024)).status_code == 413
    assert stored(post) == []
    words = "What happened? " + "好" * 1_600_000  # 5 MB of words: the beginning is read
    assert send(letter(mail_fields(words))).status_code == 204
    read(post)
    assert statuses(post) == [(HookStatus.APPLIED, "")]
    assert (count(post, Turn), count(post, Reply)) == (1, 1)


def test_a_number_of_ours_that_no_setting_names_and_a_sender_without_one_lose_nothing(post: Application, send: Send) -> None:
    form = {"MessageSid": "SM1", "From": PATIENT["sms"], "To": "+85269999999", "Body": "What happened?"}
    for sid, more in (("SM1", {}), ("SM2", {"From": "BANK"}), ("SM3", {"From": "Anonymous"}), ("SM4", {"From": ""})):
        assert send(twilio(HookKind.TWILIO_MESSAGES, {**form, "MessageSid": sid, **more})).is_success
    read(post)
    assert statuses(post)[:2] == [(HookStatus.APPLIED, ""), (HookStatus.IGNORED, "no_number")]
    with post.database.reading() as session:
        assert [part.channel for part in session.scalars(select(Part))][:1] == ["sms"]
        assert [thread.own_address for thread in session.scalars(select(Thread))] == ["+85269999999"]


# ------------------------------------------------------------ bombs


def from_whom(number: int, **more: str) -> dict[str, str]:
    """An e-mail of a stranger of their own."""
    their = f"someone{number}@bomb.example"
    fields = mail_fields("What happened?", sender=their, **more)
    return {**fields, "headers": fields["headers"].replace("<m1@", f"<bomb{number}@")}


def nested(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))


BOMBS: list[Callable[[int], Hook]] = [
    lambda n: letter(from_whom(n), files={f"{i}.jpg": b"x" * 100 for i in range(500)}),
    lambda n: letter(from_whom(n), files={"a.zip": base64.b64encode(b"PK\3\4" + bytes(600_000))}),
    lambda n: letter(from_whom(n), files={"deep.eml": nested(3000)}),
    lambda n: letter(from_whom(n), files={"empty.txt": b"\n" * 800_000}),
    lambda n: letter({**from_whom(n), "text": "", "html": "<a <!-- " * 25_000}),
    lambda n: letter({**from_whom(n), "text": "A" * 300_000}),
    lambda n: letter({**from_whom(n), "to": "(" * 100_000, "headers": "X: y\n" * 30_000}),
    lambda n: letter({**from_whom(n), "email": nested(2000).decode()}),
]


def test_a_bomb_of_hundreds_of_letters_is_stored_and_read_by_measure_and_the_others_are_answered(
    post: Application, send: Send
) -> None:
    bombs = [BOMBS[number % len(BOMBS)](number) for number in range(240)]
    patients = [
        twilio(
            HookKind.TWILIO_MESSAGES,
            {"MessageSid": f"SM{n}", "From": f"+8529{n:07d}", "To": OWN["sms"], "Body": "What happened?"},
        )
        for n in range(10)
    ]
    room, stop = PostRoom(post, "test"), threading.Event()
    running = threading.Thread(target=room.run, args=(stop,))
    running.start()
    try:
        with ThreadPoolExecutor(12) as pool:
            wave = [pool.submit(send, bomb) for bomb in bombs]
            for turn in patients:
                assert send(turn).is_success
            eventually(lambda: answered(post, "sms") == len(patients), 60)
            assert all(one.result().is_success for one in wave)
        room.wake()
        eventually(lambda: not [row for row in stored(post) if row.status == HookStatus.STORED], 120)
    finally:
        stop.set()
        room.wake()
        running.join(60)
    kept = [row for row in stored(post) if row.kind == HookKind.SENDGRID_INBOUND]
    assert len(kept) == len(bombs)  # nothing is lost, nothing twice
    assert {row.status for row in kept} == {HookStatus.APPLIED, HookStatus.HELD}
    assert len([row for row in kept if row.status == HookStatus.APPLIED]) == DOMAIN
    assert max(len(row.sealed_content) for row in kept) < 2_000_000


def answered(application: Application, channel: str) -> int:
    with application.database.reading() as session:
        found = select(Reply.thread_id).join(Thread, Thread.id == Reply.thread_id).where(Thread.channel == channel).distinct()
        return len(session.scalars(found).all())


def test_three_hundred_bounces_and_machines_are_kept_and_answered_by_nobody(post: Application, send: Send) -> None:
    def bounce(number: int) -> Hook:
        fields = from_whom(number)
        match number % 4:
            case 0:  # the null sender of a delivery report
                fields["envelope"] = '{"to": ["care@clinic.example"], "from": ""}'
            case 1:
                fields["from"] = f"MAILER-DAEMON@mx{number}.example"
            case 2:
                fields["headers"] += "Content-Type: multipart/report; report-type=delivery-status\nAuto-Submitted: auto-replied\n"
            case _:
                fields["headers"] += "Return-Path: <>\nPrecedence: bulk\n"
        return letter(fields, files={"original.eml": b"From: care@clinic.example\r\n\r\nDear patient"})

    with ThreadPoolExecutor(8) as pool:
        assert all(answer.status_code == 204 for answer in pool.map(send, map(bounce, range(300))))
    assert send(MAKERS["email"].turn("What happened?", "M1")).is_success
    for _ in range(3):
        read(post)
    machines = stored(post)[:300]
    assert {row.status for row in machines} == {HookStatus.IGNORED}
    assert {row.remark for row in machines} == {"bounce", "robot", "auto_submitted"}
    assert (count(post, Thread), count(post, Reply)) == (1, 1)


def test_a_letter_whose_end_never_comes_keeps_no_other_waiting(post: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.hooks.READ_S", 1.0)
    with serving(post) as web, ExitStack() as open_sockets:
        to = urlsplit(web)
        path = letter({}).url.removeprefix(PUBLIC)
        for _ in range(12):  # more than there are places for large ones
            half = open_sockets.enter_context(socket.create_connection((to.hostname, to.port)))
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n"
            half.sendall(f"{head}Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\nabc".encode())
        with httpx.Client(base_url=web, trust_env=False, timeout=30) as client:
            large = letter(from_whom(1), files={"scan.jpg": b"x" * 1_000_000})  # once the stalled ones have given up
            for hook in (MAKERS["email"].turn("What happened?", "M1"), MAKERS["sms"].turn("What happened?", "SM1"), large):
                answer = client.post(hook.url.removeprefix(PUBLIC), content=hook.body, headers=dict(hook.headers))
                assert answer.is_success
    assert {row.kind for row in stored(post)} == {HookKind.SENDGRID_INBOUND, HookKind.TWILIO_MESSAGES}
