"""What the console answers besides pages: redirects with a notice, and refusals, each in one place.

A page that is refused becomes a page; what the script asks for itself gets the bare status, from which it knows what to do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import DataError, NoResultFound, OperationalError
from starlette.exceptions import HTTPException

from bot.base.errors import BadInput, CandourError, IllegalMove, NotAuthentic, TooMany
from bot.web.console.door import PREFIX, Forbidden, Locked, NotSignedIn, Sent, Visitor
from bot.web.console.notices import Notice, leave_notices, not_done, refused
from bot.web.console.rendering import own_place, page
from bot.web.door import door_of

log = logging.getLogger(__name__)

SIGN_IN = f"{PREFIX}/sign-in"
LOCK = f"{PREFIX}/locked"
REFUSED = (CandourError, HTTPException, RequestValidationError, NoResultFound, OperationalError, DataError, OverflowError)
"""What is answered here; the last two are numbers that no column can hold."""
_STATUS = {NotSignedIn: 401, Locked: 423, Forbidden: 403}


class ConsoleRoute(APIRoute):
    """A route whose errors are answered as the console does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except REFUSED as error:
                return _refusal(request, error)

        return answered


def console_router() -> APIRouter:
    """The router of a page: below `/desk`, with refusals as the console gives them."""
    return APIRouter(prefix=PREFIX, route_class=ConsoleRoute, include_in_schema=False)


def go_to(visitor: Visitor, address: str, *notices: Notice) -> RedirectResponse:
    """Send the browser to a page of the console, which then says the notices."""
    answer = RedirectResponse(own_place(address), 303)
    if notices:
        leave_notices(visitor.door, answer, notices)
    return answer


def go_back(visitor: Visitor, *notices: Notice) -> RedirectResponse:
    """The same, to the page on which the form stood."""
    return go_to(visitor, visitor.sent.raw("back"), *notices)


def _refusal(request: Request, error: Exception) -> Response:
    by_script = "x-by-itself" in request.headers or "text/event-stream" in request.headers.get("accept", "")
    visitor = getattr(request.state, "visitor", None) or Visitor(request, door_of(request), Sent())
    if isinstance(error, NotSignedIn | Locked | Forbidden):
        return _kept_out(visitor, error, by_script=by_script)
    status, notice = _judged(error)
    if by_script:
        return PlainTextResponse("", status)
    if request.method != "GET" and status != 404:
        return go_back(visitor, notice)
    return _page(visitor, status, notice)


def _kept_out(visitor: Visitor, error: CandourError, *, by_script: bool) -> Response:
    if by_script:
        return PlainTextResponse("", _STATUS[type(error)])
    if isinstance(error, Forbidden):
        return _page(visitor, 403, refused(str(error)))
    request = visitor.request
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = urlencode({"back": own_place(here)}) if request.method == "GET" and own_place(here) != PREFIX else ""
    to = LOCK if isinstance(error, Locked) else SIGN_IN
    answer = RedirectResponse(f"{to}?{back}" if back else to, 303)
    if request.method != "GET":
        leave_notices(visitor.door, answer, [refused("base.not_sent")])
    return answer


def _judged(error: Exception) -> tuple[int, Notice]:
    if isinstance(error, TooMany):
        return 429, refused("base.too_many", minutes=max(1, -(-error.retry_after_s // 60)))
    if isinstance(error, BadInput | NotAuthentic):
        return 422, not_done(str(error))
    if isinstance(error, IllegalMove):
        return 409, refused("base.changed_meanwhile")
    if isinstance(error, NoResultFound | RequestValidationError | DataError | OverflowError):
        return 404, refused("base.not_found")
    if isinstance(error, HTTPException):
        return error.status_code, refused("base.not_found" if error.status_code == 404 else "base.not_done")
    log.error("the console could not answer: %s", type(error).__name__, exc_info=error)
    return 503, refused("base.not_ready")


def _page(visitor: Visitor, status: int, notice: Notice) -> HTMLResponse:
    text = visitor.t(notice.key, **notice.values) if notice.key != "answers" else notice.values["sentence"]
    return page(visitor, "console/refused.html", status=status, text=text)
