"""What all doors need to read requests and write answers without ever failing on rubbish."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from simulator.world import World

Handler = Callable[[Request], Awaitable[Response]]


class TooLarge(Exception):
    """The body is larger than this door takes."""


class NotUnderstood(Exception):
    """The body is not what this door takes."""


def world_of(request: Request) -> World:
    """The simulator this request came to."""
    world: World = request.app.state.world
    return world


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(body, status, headers, media_type="application/json")


async def body_of(request: Request, most: int) -> bytes:
    """The whole body; raises TooLarge, or NotUnderstood when the sender went away.

    Of what is too large the rest is read and dropped, so that the sender can finish and hear why; but not without end.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size <= most:
                parts.append(part)
            else:
                parts.clear()
            if size > 4 * most:
                raise TooLarge
    except ClientDisconnect:
        raise NotUnderstood from None
    if size > most:
        raise TooLarge
    return b"".join(parts)


async def json_of(request: Request, most: int = 1_000_000) -> Any:
    """The body as JSON; raises TooLarge or NotUnderstood."""
    return loaded(await body_of(request, most))


def loaded(body: bytes) -> Any:
    """Strict JSON; raises NotUnderstood (also for NaN, lone surrogates and endless nesting)."""
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_refuse)
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise NotUnderstood from None
    return content


async def object_of(request: Request, most: int = 1_000_000) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object; raises TooLarge or NotUnderstood."""
    body = await body_of(request, most)
    content = loaded(body) if body.strip() else {}
    if not isinstance(content, dict):
        raise NotUnderstood
    return content


async def form_of(request: Request, most: int = 200_000) -> list[tuple[str, str]]:
    """The pairs of an urlencoded form, in order; raises TooLarge or NotUnderstood."""
    body = await body_of(request, most)
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise NotUnderstood from None


def basic_of(request: Request) -> tuple[str, str]:
    """Name and password of HTTP basic authentication; empty when there is none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    return name, password


def same(given: str, wanted: str) -> bool:
    """Compare secrets without telling by time how far they agree; an empty secret agrees with nothing."""
    return bool(wanted) and hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def whole(text: str | None, *, default: int, least: int, most: int) -> int:
    """A whole number from a query, put between its bounds; the default when it is none."""
    if text is None or not text.lstrip("-").isdecimal() or len(text) > 12:
        return default
    return min(max(int(text), least), most)


def _refuse(name: str) -> Any:
    raise ValueError(name)
