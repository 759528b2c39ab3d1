"""What stands before every SendGrid endpoint: the key, the rate limits, the size, and errors as JSON.

Docs: API Reference, Authentication; Rate Limits (X-RateLimit headers, 429); Responses (401, 403, 413, 415).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.doors import NotUnderstood, TooLarge, answer, same, world_of
from simulator.sendgrid.errors import UNAUTHORIZED, Refused
from simulator.world import World

Door = Callable[[Request, World], Awaitable[Any]]
TOO_MANY = "too many requests"


class Limit:
    """Requests in the running second or minute of real time."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._window = 0
        self._count = 0

    def count(self, most: int) -> dict[str, str]:
        """Count a request; returns the headers; raises Refused with 429 when it is one too many."""
        window = int(time.time()) // self._seconds
        if window != self._window:
            self._window, self._count = window, 0
        self._count += 1
        headers = limit_headers(most, most - self._count, (window + 1) * self._seconds)
        if self._count > most:
            raise Limited(headers)
        return headers


class Limited(Refused):
    """429, with the headers that tell when to come back."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(429, [{"field": None, "message": TOO_MANY}])
        self.headers = headers


def limit_headers(most: int, left: int, reset: float) -> dict[str, str]:
    """The three headers of a rate limit; reset is in seconds since 1970."""
    return {"X-RateLimit-Limit": str(most), "X-RateLimit-Remaining": str(max(0, left)), "X-RateLimit-Reset": str(int(reset))}


def route(path: str, method: str, door: Door, status: int = 200, *, is_send: bool = False) -> Route:
    """A guarded endpoint; the door returns JSON content, None (no body), or a whole response."""
    return Route(path, guarded(door, status, is_send=is_send), methods=[method])


def guarded(door: Door, status: int, *, is_send: bool) -> Callable[[Request], Awaitable[Response]]:
    """The door behind its guards."""

    async def serve(request: Request) -> Response:
        world = world_of(request)
        headers: dict[str, str] = {}
        try:
            if not same(_bearer(request), world.credentials.sendgrid_api_key):
                raise Refused.single(401, UNAUTHORIZED)
            settings = world.configuration.sendgrid
            limits: dict[str, Limit] = request.app.state.limits
            name, most = ("send", settings.mail_send_per_second) if is_send else ("other", settings.other_per_minute)
            headers = limits[name].count(most)
            left = world.burst_left_s("sendgrid")
            if left:
                raise Limited(limit_headers(most, 0, time.time() + left + 1))
            with_body = await door(request, world)
            response = with_body if isinstance(with_body, Response) else _written(with_body, status)
        except Limited as limited:
            headers = limited.headers
            response = answer(limited.content(), 429)
        except Refused as refused:
            response = answer(refused.content(), refused.status)
        except TooLarge:
            response = answer(
                Refused.single(413, "The JSON payload you have included in your request is too large.").content(), 413
            )
        except NotUnderstood:
            response = answer(Refused.single(400, "Bad Request").content(), 400)
        response.headers.update(headers)
        return response

    return serve


def _bearer(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _written(content: Any, status: int) -> Response:
    return Response(status_code=status) if content is None else answer(content, status)


def missing(status: int) -> Response:
    """The answer to an address or method that is not there."""
    message = "method not allowed" if status == 405 else "Not Found"
    return answer(Refused.single(status, message).content(), status)
