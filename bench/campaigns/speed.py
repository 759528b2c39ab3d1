"""`bench campaign`: freezing an audience, e-mails, texts with callbacks held back and stored, against a plain loop and raw HTTP.

One process sends, as a worker does; simulator and web are processes beside it. The provider's latency of 50 ms is waited out
in our own process before each call for a text.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
from sendgrid import SendGridAPIClient
from sqlalchemy import func, select

from bench.campaigns.house import Installation, awaits, processor_s, resident_mb
from bot.campaigns import life
from bot.campaigns.models import OPEN, Notice, NoticeStatus, Obligation, ObligationStatus
from bot.campaigns.office import Office
from bot.campaigns.plan import Plan
from bot.campaigns.sending.room import NoticeRoom
from bot.channels.base import Channel, Mailing, Outgoing, Sent
from bot.conversations.post import hooks
from bot.patients.models import Way

LATENCY_S = 0.05
PLAIN = 200
"""E-mails of the plain loop: its pace does not depend on how many there are."""
RAW = 40
"""Requests of a hundred e-mails sent without any book-keeping."""
FAST = {Way.EMAIL: 100_000.0, Way.SMS: 10_000.0}


class Slow:
    """A channel whose provider takes its time."""

    def __init__(self, channel: Channel, wait_s: float) -> None:
        self._channel, self._wait_s, self.requests = channel, wait_s, 0
        self._lock = threading.Lock()

    def send(self, outgoing: Outgoing) -> Sent:
        """One text, after the provider's latency."""
        time.sleep(self._wait_s)
        return self._channel.send(outgoing)

    def send_many(self, mailing: Mailing) -> Sent:
        """One request of e-mails."""
        with self._lock:
            self.requests += 1
        sent: Sent = self._channel.send_many(mailing)  # type: ignore[attr-defined]
        return sent


def run(home: Path, *, people: int, texts: int, database_url: str) -> dict[str, Any]:
    """All measurements with so many people; texts go to fewer, because each of them is a call of its own."""
    at = Installation(home, database_url=database_url, speed=600)
    try:
        at.start("simulator", "web")
        at.told("hold", held=True)
        at.people(people)
        mail = Slow(at.office().channels["email"], 0.0)
        plan_s = at.campaign("mails", Plan(ladder=(Way.EMAIL,), waves=(), per_second=FAST, quiet_override="a bench"))
        with _memory() as peak:
            mails_s, mails_cpu = _sent(at, "mails", {"email": mail}, people)
        sys.stderr.write(f"frozen in {plan_s:.2f} s, e-mails handed over in {mails_s:.2f} s\n")
        plain, raw = _plain_loop(at), _raw(at)
        sys.stderr.write(f"plain loop {plain:.0f}/s, bare HTTP {raw:.0f}/s\n")
    finally:
        at.close()
    (held, held_cpu), (with_callbacks, told_cpu) = _texts(home.with_name("texts"), texts, database_url)
    per_s = people / mails_s
    return {
        "people": people,
        "plan_s": round(plan_s, 2),
        "email_people_per_s": round(per_s, 1),
        "sms_per_s": round(held, 1),
        "sms_with_callbacks_per_s": round(with_callbacks, 1),
        "requests": mail.requests,
        "rss_mb": round(max(peak), 1),
        "rss_mb_at_first": round(peak[0], 1),
        "vs_plain_loop": round(per_s / plain, 1),
        "vs_raw_limit": round(per_s / raw, 2),
        "texts": texts,
        "cpu_ms": {
            "email_person": round(mails_cpu / people * 1000, 2),
            "sms": round(held_cpu / texts * 1000, 2),
            **{f"sms_with_callbacks_{name}": round(spent / texts * 1000, 2) for name, spent in told_cpu.items()},
        },
        "database": "sqlite" if at.settings.database.startswith("sqlite") else "postgresql",
    }


def _sent(at: Installation, name: str, slow: dict[str, Slow], number: int) -> tuple[float, float]:
    """Seconds from a campaign's start until so many of its notices were accepted, and our own processor's seconds in them."""
    office = at.office()
    office = replace(office, channels={**office.channels, **cast("dict[str, Channel]", slow)})
    stop, room = threading.Event(), NoticeRoom(office)
    life.start(office, name, by="author")
    began, used = time.perf_counter(), time.process_time()
    work = threading.Thread(target=room.run, args=(stop,))
    work.start()
    try:
        awaits(lambda: not _owes(office, name) and _accepted(office, name) >= number, "everything was handed over", 3600)
        return time.perf_counter() - began, time.process_time() - used
    finally:
        stop.set()
        room.wake()
        work.join()


def _owes(office: Office, name: str) -> bool:
    """Whether something still waits or leaves: asked often, so that the count itself is made at the end alone."""
    with office.database.reading() as session:
        campaign = life.named(session, name)
        waits = select(Notice.id).where(Notice.campaign_id == campaign.id, OPEN, Notice.channel.in_(FAST)).limit(1)
        planned = (ObligationStatus.PLANNED.value, ObligationStatus.OPEN.value)
        due = (Obligation.status.in_(planned), Obligation.campaign_id == campaign.id)
        begins = select(Obligation.id).where(*due, Obligation.rung == 0).limit(1)
        return session.scalar(waits) is not None or session.scalar(begins) is not None


def _accepted(office: Office, name: str) -> int:
    done = (NoticeStatus.ACCEPTED.value, NoticeStatus.DELIVERED.value)
    with office.database.reading() as session:
        campaign = life.named(session, name)
        number = select(func.count()).select_from(Notice).where(Notice.campaign_id == campaign.id, Notice.status.in_(done))
        return session.scalar(number) or 0


def _texts(home: Path, number: int, database_url: str) -> tuple[tuple[float, float], tuple[float, dict[str, float]]]:
    """Texts a second without and with callbacks, on an installation of its own, and the processor's seconds of each."""
    at = Installation(home, database_url=database_url, speed=600)
    try:
        at.start("simulator", "web")
        at.told("hold", held=True)
        at.people(number)
        held = _held(at, number)
        sys.stderr.write(f"texts, callbacks held back {held[0]:.0f}/s\n")
        at.told("reset")  # what it held back would come in between
        return held, _told(at, number)
    finally:
        at.close()


def _held(at: Installation, number: int) -> tuple[float, float]:
    """Texts a second, and the processor's seconds, with callbacks held back and after the provider's latency each."""
    at.campaign("held", Plan(ladder=(Way.SMS,), waves=(number,), per_second=FAST, quiet_override="a bench"), number=2)
    took, used = _sent(at, "held", {"sms": Slow(at.office().channels["sms"], LATENCY_S)}, number)
    return number / took, used


def _told(at: Installation, number: int) -> tuple[float, dict[str, float]]:
    """Texts a second that a worker hands over while every callback of theirs is stored and applied; what each process took."""
    at.told("hold", held=False)
    at.start("worker")
    awaits(lambda: not _stored(at), "nothing is left to apply", 1800)
    at.campaign("told", Plan(ladder=(Way.SMS,), waves=(number,), per_second=FAST, quiet_override="a bench"), number=3)
    names = ("worker", "web", "simulator")
    before = {name: processor_s(at.process_id(name)) for name in names}
    began = time.perf_counter()
    life.start(at.office(), "told", by="author")
    awaits(lambda: _delivered(at.office(), "told") >= number, "callbacks are applied", 1800)
    took = time.perf_counter() - began
    used = {name: processor_s(at.process_id(name)) - before[name] for name in names}
    at.kill("worker")
    return number / took, used


def _stored(at: Installation) -> bool:
    with at.database.reading() as session:
        return hooks.waiting(session)


def _delivered(office: Office, name: str) -> int:
    with office.database.reading() as session:
        campaign = life.named(session, name)
        done = Notice.status == NoticeStatus.DELIVERED.value
        return session.scalar(select(func.count()).select_from(Notice).where(Notice.campaign_id == campaign.id, done)) or 0


def _plain_loop(at: Installation) -> float:
    """People a second of the official library in a plain loop, one e-mail each, nothing remembered."""
    client = SendGridAPIClient(at.settings.sendgrid_api_key.get_secret_value(), host=at.simulator)
    began = time.perf_counter()
    for one in range(PLAIN):
        client.client.mail.send.post(request_body=_mail([f"plain{one}@mail.example"]))
    return PLAIN / (time.perf_counter() - began)


def _raw(at: Installation) -> float:
    """People a second of bare HTTP, a hundred in a request over one connection, nothing remembered."""
    key = at.settings.sendgrid_api_key.get_secret_value()
    with httpx.Client(base_url=at.simulator, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=60) as client:
        began = time.perf_counter()
        for one in range(RAW):
            mail = _mail([f"raw{one}-{person}@mail.example" for person in range(100)])
            client.post("/v3/mail/send", json=mail).raise_for_status()
        return RAW * 100 / (time.perf_counter() - began)


def _mail(addresses: list[str]) -> dict[str, Any]:
    text = "We are sorry. " * 200
    return {
        "personalizations": [{"to": [{"email": one}], "substitutions": {"-name-": one}} for one in addresses],
        "from": {"email": "care@clinic.example"},
        "subject": "A notice",
        "content": [{"type": "text/plain", "value": text}, {"type": "text/html", "value": f"<p>{text * 3}</p>"}],
    }


@contextmanager
def _memory() -> Iterator[list[float]]:
    """The resident memory of this process, looked at twice a second; the first and the highest count."""
    peak, stop = [resident_mb(os.getpid())], threading.Event()

    def look() -> None:
        while not stop.wait(0.5):
            peak.append(resident_mb(os.getpid()))

    watcher: Callable[[], None] = look
    thread = threading.Thread(target=watcher)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
