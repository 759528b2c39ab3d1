"""`bench webhooks`: turns posted as Twilio signs them, until they are stored and acknowledged by a real web process.

The load is open: a post is due at its moment whether or not the ones before it were answered, and its time counts from
that moment, so that a stall cannot hide. One in twenty is posted twice, as providers do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from bench.house import free_ports
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.settings import REPOSITORY, Settings
from bot.base.vault import Vault
from bot.channels.base import HookKind, Kept
from bot.cli import installation, provider, services
from bot.cli.supervisor import surroundings
from bot.conversations.post import hooks

SENDERS = 48
ALONE = 300
REPEATED = 20  # one in so many comes twice
PATH = "/hooks/twilio/messages"
TOKEN = "a-token-of-the-bench"  # noqa: S105 - opens nothing


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database on a server of this run's own, as durable as the operating system ships it."""
    from tests.servers import PostgresServer

    server = PostgresServer(durable=True)
    try:
        yield server.url(server.make())
    finally:
        server.stop()


def run(home: Path, *, per_s: int, seconds: int, worker: bool, database_url: str) -> dict[str, Any]:
    """Post `per_s` turns a second; returns the keys per_s, p99_ms, sent, stored, lost and more about them."""
    settings, load_before = _prepared(home, database_url), os.getloadavg()[0]
    with _process(settings, "bot.web"), _process(settings, "bot.worker") if worker else nullcontext():
        address = services.web_address(settings)
        _wait(address)
        _post(address, [_form(-n) for n in range(1, 33)], per_s)  # warm: connections, imports
        forms = [form for n in range(per_s * seconds) for form in [_form(n)] * (2 if n % REPEATED == 0 else 1)]
        times, refused, took = _post(address, forms, per_s)
    one_by_one = _one_by_one(settings)
    sent = {form["MessageSid"] for form in forms}
    stored = _stored(settings)
    times.sort()
    return {
        "per_s": round((len(forms) - refused) / took, 1),
        "p50_ms": round(times[len(times) // 2] * 1000, 1),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
        "sent": len(sent),
        "posts": len(forms),
        "stored": len([one for one in stored if one in sent]),  # a list: one that is doubled counts twice
        "lost": len(sent.difference(stored)),
        "refused": refused,
        "one_by_one_per_s": round(one_by_one, 1),
        "with_worker": worker,
        "load_before": round(load_before, 1),
        "database": "sqlite" if settings.database.startswith("sqlite") else "postgresql",
    }


def _prepared(home: Path, database_url: str) -> Settings:
    web, nowhere = free_ports(2)
    settings = Settings(
        _env_file=None,
        home=home,
        database_url=database_url,
        web_port=web,
        engine_url=f"http://127.0.0.1:{nowhere}",
        twilio_url=f"http://127.0.0.1:{nowhere}",
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token=SecretStr(TOKEN),
    )
    home.mkdir(parents=True, exist_ok=True)
    return installation.prepare(settings, lambda _: None, _silent).settings


@contextmanager
def _silent(title: str) -> Iterator[Any]:
    yield lambda step, of, words: None


@contextmanager
def _process(settings: Settings, module: str) -> Iterator[None]:
    names = ("home", "database_url", "web_port", "engine_url")
    told = {f"CANDOUR_{name.upper()}": str(getattr(settings, name)) for name in names if getattr(settings, name)}
    environment = surroundings({**told, **provider.told(settings)}, bare=True)
    with (settings.home / f"{module}.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", module], cwd=REPOSITORY, env=environment, stdout=log, stderr=log)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _wait(address: str) -> None:
    ends = time.monotonic() + 60
    while not services.answers(address + services.WEB_HEALTH)():
        if time.monotonic() > ends:
            raise RuntimeError("the web process did not come up")
        time.sleep(0.05)


def _form(number: int) -> dict[str, str]:
    their = f"+8529{number % 10_000_000:07d}"
    sid = f"SM{number & (2**64 - 1):032x}"
    return {"MessageSid": sid, "From": their, "To": "+85264500001", "Body": "What happened at the clinic?", "NumMedia": "0"}


def _post(address: str, forms: list[dict[str, str]], per_s: int) -> tuple[list[float], int, float]:
    validator = RequestValidator(TOKEN)
    signed = [(urlencode(form).encode(), validator.compute_signature(address + PATH, form)) for form in forms]
    due: Queue[tuple[float, bytes, str] | None] = Queue()
    times: list[float] = []
    refused: list[int] = []
    threads = [threading.Thread(target=_send, args=(address, due, times, refused)) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    for place, (body, signature) in enumerate(signed):
        at = began + place / per_s
        time.sleep(max(0.0, at - time.perf_counter()))
        due.put((at, body, signature))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    return times, len(refused), time.perf_counter() - began


def _send(address: str, due: Queue[tuple[float, bytes, str] | None], times: list[float], refused: list[int]) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(base_url=address, trust_env=False, timeout=30, headers=headers) as client:
        while (item := due.get()) is not None:
            at, body, signature = item
            try:
                answer = client.post(PATH, content=body, headers={"X-Twilio-Signature": signature})
                status = answer.status_code
            except httpx.HTTPError:
                status = 0
            times.append(time.perf_counter() - at)
            if status != httpx.codes.OK:
                refused.append(status)


def _one_by_one(settings: Settings) -> float:
    """The yardstick: hooks a second that a single writer stores when each has a transaction of its own, without any HTTP."""
    database, vault = Database(settings.database), Vault(settings.secret("vault_keys"))
    try:
        began = time.perf_counter()
        for number in range(ALONE):
            kept = Kept(f"alone-{number}", {"body": "x" * 300, "reference": ""})
            with database.writing() as session:
                hooks.store(session, vault, [(HookKind.TWILIO_MESSAGES, kept)], system_clock())
        return ALONE / (time.perf_counter() - began)
    finally:
        database.close()


def _stored(settings: Settings) -> list[str]:
    database = Database(settings.database)
    try:
        with database.reading() as session:
            return list(session.scalars(text("SELECT provider_id FROM hook_deliveries")))
    finally:
        database.close()
