"""Carries webhooks to the customer: faults, signatures, retries as each provider does them, and a log of every attempt."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urldefrag

import httpx

from simulator.faults import CALLBACKS
from simulator.sendgrid.multipart import encoded
from simulator.world import World

log = logging.getLogger(__name__)

FLYING_MOST = 16
ANSWER_MOST = 64_000
TWILIO, INBOUND, EVENTS, PARSE = "twilio", "twilio_inbound", "sendgrid_events", "sendgrid_parse"
EVENT_RETRY_S, PARSE_RETRY_S = 24 * 3_600.0, 72 * 3_600.0
RANKS = {
    "queued": 0,
    "processed": 0,
    "sending": 1,
    "deferred": 1,
    "sent": 2,
    "delivered": 3,
    "undelivered": 3,
    "failed": 3,
    "bounce": 3,
    "read": 4,
}

Replied = Callable[[World, str, bytes], None]


@dataclass(frozen=True)
class Letter:
    """One webhook to be posted: `payload` is a form, a list of events, or the parts of a parsed e-mail."""

    kind: str
    url: str
    payload: Any
    subject: str
    event: str = ""


def copies(world: World, key: str, event: str, forced: Collection[str] = ()) -> list[float]:
    """At how many seconds from now a callback comes: once at once, or as its faults want it (never: an empty list).

    SendGrid is known to repeat an event up to 46 times; Twilio says callbacks may come out of order.
    """
    faults, key = world.faults, f"{key}|{event}"
    happens = {name for name in CALLBACKS if name in forced or faults.draw(name, key)}
    if "lose" in happens:
        return []
    wait = 0.0
    if "delay" in happens:
        wait += faults.delay_s * (0.1 + 0.9 * faults.share("delay_by", key))
    if "reorder" in happens:
        # The later in life, the sooner it comes: with everybody's callbacks reordered the order is reversed.
        wait += 20.0 - 5.0 * RANKS.get(event, 2)
    number = 2 + int(faults.share("repeat_by", key) * (faults.repeat_most - 1)) if "repeat" in happens else 1
    return [wait + 0.3 * place for place in range(number)]


def send(world: World, letter: Letter, *, waits: Collection[float] = (0.0,)) -> None:
    """Put a webhook into the post, in the caller's transaction; without an address nothing happens."""
    if not letter.url:
        return
    now, token = world.clock.now(), secrets.token_hex(16)
    payload = json.dumps(letter.payload, ensure_ascii=False)
    if not waits:
        note(world, letter.kind, letter.url, letter.subject, problem="lost by a fault")
    world.store.insert_all(
        "posts",
        [
            {
                "due": now + wait,
                "first": now + wait,
                "attempt": 1,
                "kind": letter.kind,
                "url": letter.url,
                "payload": payload,
                "token": token,
                "subject": letter.subject,
            }
            for wait in waits
        ],
    )


def note(world: World, kind: str, url: str, subject: str, **more: Any) -> None:
    """Write an attempt, or the lack of one, into the log of calls."""
    row = {
        "at": world.clock.now(),
        "kind": kind,
        "url": url,
        "subject": subject,
        "attempt": 1,
        "status": None,
        "problem": "",
        "took_ms": 0,
    }
    world.store.insert("calls", {**row, **more})


class Courier:
    """Posts what is due, a limited number at a time."""

    def __init__(self, world: World, replied: Replied) -> None:
        self._world = world
        self._replied = replied
        self._flying: dict[int, asyncio.Task[None]] = {}
        limits = httpx.Limits(max_connections=FLYING_MOST, max_keepalive_connections=FLYING_MOST)
        self._client = httpx.AsyncClient(limits=limits, trust_env=False, follow_redirects=False)

    @property
    def flying(self) -> int:
        """How many posts are on their way now."""
        return len(self._flying)

    def launch(self) -> bool:
        """Start posting what is due; returns whether anything was started."""
        room = FLYING_MOST - len(self._flying)
        if self._world.held or room <= 0:
            return False
        statement = "SELECT * FROM posts WHERE due <= ? ORDER BY due, n LIMIT ?"
        rows = self._world.store.all(statement, [self._world.clock.now(), room + len(self._flying)])
        started = False
        for row in rows:
            if row["n"] not in self._flying and len(self._flying) < FLYING_MOST:
                self._flying[row["n"]] = asyncio.create_task(self._carry(dict(row)))
                started = True
        return started

    async def close(self) -> None:
        """Give up what is on its way; it is posted again after a restart with the same data."""
        for task in list(self._flying.values()):
            task.cancel()
        await asyncio.gather(*self._flying.values(), return_exceptions=True)
        await self._client.aclose()

    async def _carry(self, row: dict[str, Any]) -> None:
        began = time.monotonic()
        status, problem, content = None, "", b""
        try:
            status, content = await self._post(row)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            problem = "connect"
        except httpx.TimeoutException:
            problem = "timeout"
        except Exception as wrong:
            problem = type(wrong).__name__
        finally:
            self._flying.pop(row["n"], None)
        if self._world.store.one("SELECT 1 FROM posts WHERE n = ?", [row["n"]]) is None:
            return  # a reset came between
        took = int((time.monotonic() - began) * 1000)
        with self._world.store.transaction():
            note(
                self._world,
                row["kind"],
                row["url"],
                row["subject"],
                attempt=row["attempt"],
                status=status,
                problem=problem,
                took_ms=took,
            )
            self._settle(row, status, problem)
            if row["kind"] == INBOUND and status is not None and 200 <= status < 300:
                self._replied(self._world, row["subject"], content)
        self._world.changed()

    def _settle(self, row: dict[str, Any], status: int | None, problem: str) -> None:
        again = retry_after_s(row, status, problem, self._world.clock.now())
        if again is None:
            self._world.store.run("DELETE FROM posts WHERE n = ?", [row["n"]])
            if row["kind"] == INBOUND and not (status is not None and 200 <= status < 400):
                self._fall_back(row, status)
            return
        due = self._world.clock.now() + again
        self._world.store.run("UPDATE posts SET due = ?, attempt = attempt + 1 WHERE n = ?", [due, row["n"]])

    def _fall_back(self, row: dict[str, Any], status: int | None) -> None:
        """Twilio docs: Programmable Messaging, Webhooks: the fallback address gets what the first one failed to take."""
        form = json.loads(row["payload"])
        sender = self._world.configuration.twilio.sender(form.get("To", ""))
        if sender and sender.fallback_url and sender.fallback_url != row["url"]:
            code = "11200" if status else "11205"
            form.update(ErrorCode=code, ErrorUrl=row["url"])
            send(self._world, Letter(INBOUND, sender.fallback_url, form, row["subject"]))

    async def _post(self, row: dict[str, Any]) -> tuple[int, bytes]:
        url, _ = urldefrag(row["url"])
        headers, content = self._written(row, url)
        timeout = httpx.Timeout(15.0, connect=5.0) if row["kind"] in (TWILIO, INBOUND) else httpx.Timeout(20.0, connect=5.0)
        async with self._client.stream("POST", url, content=content, headers=headers, timeout=timeout) as response:
            parts, size = [], 0
            async for part in response.aiter_raw():
                size += len(part)
                if size > ANSWER_MOST:
                    break
                parts.append(part)
            return response.status_code, b"".join(parts)

    def _written(self, row: dict[str, Any], url: str) -> tuple[dict[str, str], bytes]:
        payload, stamp = json.loads(row["payload"]), str(int(row["first"]))
        if row["kind"] in (TWILIO, INBOUND):
            content = str(httpx.QueryParams(payload)).encode("ascii")
            headers = {
                **self._world.signer.twilio(url, payload),
                "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
                "User-Agent": "TwilioProxy/1.1",
                "I-Twilio-Idempotency-Token": row["token"],
                "X-Home-Region": "us1",
            }
            return headers, content
        settings = self._world.configuration.sendgrid
        if row["kind"] == EVENTS:
            # One event a line, as SendGrid writes it: whoever parses and writes it anew breaks the signature.
            content = ("[" + ",\r\n".join(json.dumps(event, ensure_ascii=False) for event in payload) + "]\r\n").encode()
            headers, is_signed = {"Content-Type": "application/json"}, settings.event_signed
        else:
            kind, content = encoded(payload, row["token"])
            headers, is_signed = {"Content-Type": kind}, settings.parse_signed
        headers["User-Agent"] = "SendGrid Event API" if row["kind"] == EVENTS else "SendGrid/1.0"
        # A retry carries the stamp of the first attempt.
        return {**headers, **(self._world.signer.sendgrid(content, stamp) if is_signed else {})}, content


def retry_after_s(row: dict[str, Any], status: int | None, problem: str, now: float) -> float | None:
    """Simulated seconds until a webhook is tried again, or none.

    Twilio docs: Webhooks, Connection Overrides (`#rc=2&rp=all`; by default once, when no connection was made).
    SendGrid docs: Event Webhook (retried for 24 hours), Inbound Parse (5xx retried for 3 days, 4xx dropped).
    """
    if status is not None and 200 <= status < 300:
        return None
    if row["kind"] in (TWILIO, INBOUND):
        overrides = parse_qs(urldefrag(row["url"]).fragment)
        count = overrides.get("rc", ["1"])[0]
        policies = set(overrides.get("rp", ["ct"])[0].split(","))
        met = {"connect": "ct", "timeout": "rt"}.get(problem, f"{(status or 0) // 100}xx")
        is_met = bool(policies & {"all", met}) and (status is None or status >= 400)
        return 0.5 if is_met and count.isdecimal() and row["attempt"] <= min(int(count), 5) else None
    if row["kind"] == PARSE and status is not None and 400 <= status < 500:
        return None
    longest = EVENT_RETRY_S if row["kind"] == EVENTS else PARSE_RETRY_S
    wait: float = min(30.0 * 2 ** (row["attempt"] - 1), 3_600.0)
    return wait if now + wait - row["first"] <= longest else None
