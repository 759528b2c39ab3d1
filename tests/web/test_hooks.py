"""The providers' doors over HTTP: only what is genuine is stored, once, at once, and nothing of it is logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from bot.assembly import Application
from bot.channels.base import Hook, HookKind
from bot.channels.registry import channels
from bot.conversations.models import Reply, Thread, Turn
from bot.conversations.post import hooks
from bot.conversations.post.models import HookDelivery, HookStatus
from bot.postroom import PostRoom
from tests.channels.signing import MAKERS, OWN, PATIENT, account, events, letter, mail_fields, twilio
from tests.make import FakeClock
from tests.web.conftest import serving

TURN = {"MessageSid": "SM1", "From": PATIENT["sms"], "To": OWN["sms"], "Body": "What happened?"}


@pytest.fixture
def post(published: Application, tmp_path: Path, clock: FakeClock) -> Application:
    """The application with an account at every provider."""
    settings = account(tmp_path)
    return replace(published, settings=settings, channels=channels(settings, clock))


@pytest.fixture
def send(post: Application) -> Iterator[Callable[[Hook], httpx.Response]]:
    """Posts a hook to the web process, as a proxy passes it on."""
    with serving(post) as web, httpx.Client(base_url=web, trust_env=False, timeout=30) as client:

        def put(hook: Hook, **headers: str) -> httpx.Response:
            parts = urlsplit(hook.url)
            return client.post(
                f"{parts.path}?{parts.query}" if parts.query else parts.path,
                content=hook.body,
                headers={**hook.headers, **headers},
            )

        yield put


def stored(application: Application) -> list[HookDelivery]:
    with application.database.reading() as session:
        return list(session.scalars(select(HookDelivery).order_by(HookDelivery.id)))


def count(application: Application, table: type) -> int:
    with application.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def read(application: Application) -> None:
    """One round of a post room's reading, with all answers given."""
    room = PostRoom(application, "test")
    room.read()
    room._answerers.shutdown(wait=True)
    room._senders.shutdown(wait=True)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_a_genuine_turn_is_stored_acknowledged_at_once_and_answered_later(
    name: str, post: Application, send: Callable[[Hook], httpx.Response], logged: Callable[[], str]
) -> None:
    assert send(MAKERS[name].turn("What happened to my records?", "M1")).is_success
    assert [row.status for row in stored(post)] == [HookStatus.STORED]
    assert count(post, Turn) == 0
    read(post)
    assert [row.status for row in stored(post)] == [HookStatus.APPLIED]
    assert (count(post, Turn), count(post, Reply)) == (1, 1)
    for private in (PATIENT[name], "records"):
        assert private not in logged()
        assert private not in " ".join(f"{vars(row)}" for row in stored(post))


def test_a_turn_of_twilios_is_answered_with_empty_twiml(send: Callable[[Hook], httpx.Response]) -> None:
    answer = send(twilio(HookKind.TWILIO_MESSAGES, TURN))
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text.endswith("<Response/>")


@pytest.mark.parametrize(
    "forged",
    [
        replace(twilio(HookKind.TWILIO_MESSAGES, TURN), headers={"content-type": "application/x-www-form-urlencoded"}),
        twilio(HookKind.TWILIO_MESSAGES, TURN, token="f" * 32),
        replace(twilio(HookKind.TWILIO_MESSAGES, TURN), body=b"Body=other"),
        replace(twilio(HookKind.TWILIO_MESSAGES, TURN), body=b"\xff\xfe%ff"),
        replace(twilio(HookKind.TWILIO_MESSAGES, TURN), body=b""),
        replace(
            twilio(HookKind.TWILIO_MESSAGES, TURN),
            headers={**twilio(HookKind.TWILIO_MESSAGES, TURN).headers, "content-type": "application/json"},
        ),
        replace(events([{"event": "delivered"}]), body=b"[]"),
        letter(mail_fields("hello"), "wrong"),
        letter(mail_fields("hello"), "%ff%00"),
    ],
)
def test_what_is_not_genuine_gets_403_and_leaves_a_count_only(
    forged: Hook, post: Application, send: Callable[[Hook], httpx.Response], logged: Callable[[], str]
) -> None:
    assert send(forged).status_code == 403
    assert stored(post) == []
    assert "1 since the start" in logged()
    assert not [line for line in logged().splitlines() if " bot." in line and "wrong" in line]


def test_a_body_that_is_too_large_is_refused_and_an_email_with_attachments_is_not(
    post: Application, send: Callable[[Hook], httpx.Response]
) -> None:
    assert send(replace(twilio(HookKind.TWILIO_MESSAGES, TURN), body=b"x" * 5_000_000)).status_code == 413
    assert stored(post) == []
    assert send(letter(mail_fields("What happened?"), files={"scan.jpg": b"x" * 5_000_000})).is_success
    [row] = stored(post)
    assert len(row.sealed_content) < 5_000


def test_the_same_turn_twenty_times_at_once_is_one_turn_with_one_answer(
    post: Application, send: Callable[[Hook], httpx.Response]
) -> None:
    hook = twilio(HookKind.TWILIO_MESSAGES, TURN)
    with ThreadPoolExecutor(20) as pool:
        assert all(answer.is_success for answer in pool.map(send, [hook] * 20))
    read(post)
    read(post)
    assert (len(stored(post)), count(post, Turn), count(post, Reply)) == (1, 1, 1)


def test_an_email_that_is_posted_again_in_other_wrapping_is_one_turn(
    post: Application, send: Callable[[Hook], httpx.Response]
) -> None:
    hook = letter(mail_fields("What happened?"))
    again = replace(
        hook, body=hook.body.replace(b"xYzZY", b"QqQqQ"), headers={"content-type": "multipart/form-data; boundary=QqQqQ"}
    )
    assert send(hook).is_success
    assert send(again).is_success
    read(post)
    assert (count(post, Turn), count(post, Reply)) == (1, 1)


def test_a_stale_signature_is_accepted_and_known_again(post: Application, send: Callable[[Hook], httpx.Response]) -> None:
    old = events([{"event": "delivered", "candour": "x", "sg_message_id": "m"}], stamp="1500000000")
    assert send(old).is_success
    assert send(old).is_success
    assert len(stored(post)) == 1


def test_what_cannot_be_applied_is_set_aside_and_stops_nothing(
    post: Application, send: Callable[[Hook], httpx.Response], logged: Callable[[], str]
) -> None:
    send(twilio(HookKind.TWILIO_MESSAGES, {**TURN, "MessageSid": "SM0"}))
    send(twilio(HookKind.TWILIO_MESSAGES, {**TURN, "From": PATIENT["sms"][:-1] + "9"}))
    with post.database.writing() as session:
        first = session.get_one(HookDelivery, stored(post)[0].id)
        first.sealed_content = "spoilt"
    for _ in range(hooks.TRIES):
        read(post)
    assert [row.status for row in stored(post)] == [HookStatus.BROKEN, HookStatus.APPLIED]
    assert count(post, Turn) == 1
    assert "spoilt" not in logged()


def test_events_about_nothing_of_ours_and_machines_are_ignored_with_a_reason(
    post: Application, send: Callable[[Hook], httpx.Response]
) -> None:
    send(MAKERS["sms"].event("delivered", "nobody", "SM9"))
    send(MAKERS["sms"].event("a_new_word", "nobody", "SM9"))
    send(letter(mail_fields("I am away", headers="Auto-Submitted: auto-replied\n")))
    read(post)
    assert [(row.status, row.remark) for row in stored(post)] == [
        (HookStatus.IGNORED, "unknown_reference"),
        (HookStatus.IGNORED, "nothing_known"),
        (HookStatus.IGNORED, "auto_submitted"),
    ]
    assert count(post, Thread) == 0


def test_a_mail_loop_ends_by_itself(post: Application, send: Callable[[Hook], httpx.Response], clock: FakeClock) -> None:
    for number in range(25):
        assert send(MAKERS["email"].turn("again", f"M{number}")).is_success
    read(post)
    assert count(post, Turn) == 20
    assert [row.remark for row in stored(post)][20:] == ["too_many"] * 5
    clock.advance(hours=2)
    send(MAKERS["email"].turn("again", "M99"))
    read(post)
    assert count(post, Turn) == 21


def test_when_nothing_can_be_stored_the_provider_is_told_to_come_again(
    post: Application, send: Callable[[Hook], httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        from sqlalchemy.exc import OperationalError

        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(hooks, "keep", full)
    assert send(twilio(HookKind.TWILIO_MESSAGES, TURN)).status_code == 503
    monkeypatch.undo()
    assert send(twilio(HookKind.TWILIO_MESSAGES, TURN)).is_success
    assert len(stored(post)) == 1


def test_a_provider_we_have_no_account_with_is_refused(published: Application) -> None:
    with serving(published) as web:
        for kind, path in (("twilio", "messages"), ("twilio", "status"), ("sendgrid", "events"), ("sendgrid", "inbound/x")):
            assert httpx.post(f"{web}/hooks/{kind}/{path}", content=b"a=b", trust_env=False, timeout=60).status_code == 403
            assert httpx.get(f"{web}/hooks/{kind}/{path}", trust_env=False, timeout=60).status_code == 405
