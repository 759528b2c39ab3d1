"""Refusals as problem details (RFC 9457): a code for programs, a status, and words for whoever reads the log of one.

No answer holds a stack, an error's own text or anything of what was sent, but for the sentences in which the desk refuses.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, NoResultFound, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from bot.base.errors import BadInput, CandourError, IllegalMove, NotAuthentic, NotPublished, TooMany
from bot.desk.integrations.repeats import OtherRequest

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
MEDIA_TYPE = "application/problem+json"
RETRY_S = 5

KINDS: Mapping[str, tuple[int, str, str]] = {
    "no_token": (401, "No good token", "Send `Authorization: Bearer cdr_…` with a token that is neither over nor revoked."),
    "scope_missing": (403, "The token's scopes do not allow this", "An administrator makes a token with the scope this needs."),
    "foreign_origin": (403, "Not from a web page", "This interface is for programs; pages of other sites may not call it."),
    "not_found": (404, "There is nothing there", "The address is wrong, or what it names is not there or not the case's."),
    "wrong_method": (405, "Not by this method", "See the description of this address."),
    "taken": (409, "Somebody else has the case", "Of several who claim one gets it; `claimed_by` says who."),
    "changed_meanwhile": (409, "It is not as it was", "The state of what was named does not allow this. Read it anew."),
    "stale_reply": (
        409,
        "The patient has written since",
        "Read the transcript; sending again with `last_number` as `seen_number` sends.",
    ),
    "too_late": (409, "It has left", "A reply can be taken back for ten seconds, by whoever wrote it."),
    "key_used": (
        409,
        "This Idempotency-Key was used for another request",
        "Use a fresh key for each request, the same for a repeat.",
    ),
    "stale_version": (412, "The case was changed since", "`If-Match` names an older version. Read the case anew."),
    "too_large": (413, "Too large", "A request has at most 1 MB."),
    "not_as_described": (422, "Not as described", "`errors` says where the request differs from the description."),
    "not_done": (422, "The desk did not do it", "`detail` says why, as a responder would read it."),
    "reply_refused": (422, "The reply cannot be sent", "`objections` says everything that speaks against it."),
    "key_missing": (422, "An Idempotency-Key is needed", "A repeat of this request would be done twice without it."),
    "too_many": (429, "Too many requests", "Wait for the seconds in `Retry-After`."),
    "failed": (500, "A fault of ours", "It was logged. Trying again with the same Idempotency-Key is safe."),
    "not_ready": (503, "Not ready", "The database does not answer, or nothing is published yet. Try again in a while."),
}
"""Every kind of problem: status, title, and what to do about it; served at `/api/v1/problems/<kind>`."""


class Problem(CandourError):
    """A refusal of this interface."""

    def __init__(self, kind: str, detail: str = "", **more: Any) -> None:
        super().__init__(kind)
        self.kind, self.detail, self.more = kind, detail, more


def problem(kind: str, detail: str = "", *, retry_after_s: int | None = None, **more: Any) -> JSONResponse:
    """The answer for one kind of problem."""
    status, title, advice = KINDS[kind]
    content = {"type": f"{PREFIX}/problems/{kind}", "title": title, "status": status, "detail": detail or advice, **more}
    headers = {"Content-Language": "en"}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="candour"'
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have all errors of the interface answered here."""
    for kind in (CandourError, RequestValidationError, HTTPException, NoResultFound, DataError, OverflowError):
        app.add_exception_handler(kind, _answered)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(PoolTimeout, _busy)
    app.add_exception_handler(Exception, _failed)


def _answered(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        return problem(error.kind, error.detail, **error.more)
    if isinstance(error, TooMany):
        return problem("too_many", str(error), retry_after_s=error.retry_after_s)
    if isinstance(error, RequestValidationError):
        return problem("not_as_described", errors=[_where(one) for one in error.errors()[:20]])
    if isinstance(error, HTTPException):
        kind = {404: "not_found", 405: "wrong_method", 413: "too_large"}.get(error.status_code, "not_as_described")
        return problem("failed" if error.status_code >= 500 else kind)
    if isinstance(error, NotPublished):
        return problem("not_ready", retry_after_s=RETRY_S)
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (BadInput, "not_done"),
        (IllegalMove, "changed_meanwhile"),
        (NotAuthentic, "no_token"),
        (OtherRequest, "key_used"),
        (NoResultFound, "not_found"),
        (DataError, "not_as_described"),
        (OverflowError, "not_as_described"),
    )
    found = next((name for kind, name in kinds if isinstance(error, kind)), "failed")
    if found == "failed":
        log.error("the interface could not answer: %s", type(error).__name__, exc_info=error)
    return problem(found, str(error) if found == "not_done" else "")


def _where(error: Mapping[str, Any]) -> dict[str, str]:
    """Where a request differs from the description, without what was sent."""
    return {"where": ".".join(str(part) for part in error["loc"])[:200], "what": str(error["msg"])[:200]}


def _busy(request: Request, error: Exception) -> JSONResponse:
    log.error("the database does not answer: %s", type(error).__name__)
    return problem("not_ready", retry_after_s=RETRY_S)


def _failed(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises it again after this answer, and uvicorn logs it: without its text (logs.py).
    return problem("failed")
