"""One HTTP POST to another program: to an address that was looked at, within a set time, following nobody elsewhere.

The standard library's client is used because a connection can be made to the very address that was judged, with the name proven
by its certificate: between judging and connecting a name could come to mean another address.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bot.desk.integrations.addresses import Reach, Resolve, Target, Unreachable, resolved

TIMEOUT_S = 15.0
"""Seconds for everything: connecting, writing and the other side's status line and headers."""
AGENT = "Candour-Webhooks/1"


@dataclass(frozen=True)
class Answered:
    """What came of a post: the other side's status, or what was wrong before there was one."""

    status: int | None = None
    problem: str = ""
    retry_after_s: int = 0

    @property
    def is_taken(self) -> bool:
        """Whether the other side has it."""
        return self.status is not None and 200 <= self.status < 300


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    reach: Reach,
    *,
    resolve: Resolve | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Answered:
    """Post and say what came of it; raises nothing that the network or the other side can cause."""
    try:
        addresses = resolved(target.host, target.port, reach, resolve)
    except Unreachable as why:
        return Answered(problem=str(why))
    for address in addresses[:3]:
        answered = _to(target, address, body, headers, timeout_s)
        if answered.problem != "nobody answers":
            return answered
    return answered


def _to(target: Target, address: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answered:
    try:
        plain = socket.create_connection((address, target.port), timeout=timeout_s)
    except TimeoutError:
        return Answered(problem="too slow")
    except OSError:
        return Answered(problem="nobody answers")
    # A socket's own time-out begins anew with every byte: somebody who sends one a second would hold us for ever.
    is_late = threading.Event()
    # A second hold on it: TLS takes the first one over and leaves it empty.
    rope = plain.dup()
    bell = threading.Timer(timeout_s, _cut, (rope, is_late))
    bell.daemon = True
    bell.start()
    try:
        answered = _spoken(target, plain, body, headers)
        # What is cut off in its headers looks whole to the library.
        return Answered(problem="too slow") if is_late.is_set() else answered
    except ssl.SSLError:
        return Answered(problem="too slow" if is_late.is_set() else "its certificate is not good")
    except (OSError, http.client.HTTPException, ValueError):
        return Answered(problem="too slow" if is_late.is_set() else "the connection broke")
    finally:
        bell.cancel()
        bell.join()  # a number that is closed may be another connection's by the time it cuts
        rope.close()
        plain.close()


def _spoken(target: Target, plain: socket.socket, body: bytes, headers: Mapping[str, str]) -> Answered:
    connection = http.client.HTTPConnection(target.host, target.port)
    with contextlib.closing(connection):
        is_secure = target.scheme == "https"
        connection.sock = _context().wrap_socket(plain, server_hostname=target.host) if is_secure else plain
        own = {"Content-Type": "application/json", "User-Agent": AGENT, "Connection": "close", "Host": _host(target)}
        connection.request("POST", target.path, body, {**own, **headers})
        answer = connection.getresponse()
        if 300 <= answer.status < 400:
            return Answered(answer.status, "it points elsewhere, which is not followed")
        if 200 <= answer.status < 300:
            return Answered(answer.status)
        return Answered(answer.status, f"it answered {answer.status}", _seconds(answer.getheader("Retry-After")))


def _host(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == (443 if target.scheme == "https" else 80) else f"{host}:{target.port}"


def _seconds(text: str | None) -> int:
    return min(int(text), 3600) if text and text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _cut(rope: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    with contextlib.suppress(OSError):
        rope.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
