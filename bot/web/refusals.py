"""The one place where errors become HTTP answers: a code for programs and a sentence for the patient.

No answer holds a stack, an error's own text or anything of what was sent.
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from bot.base.errors import BadInput, CandourError, Misconfigured, NotAuthentic, NotPublished, TooMany
from bot.base.languages import Language
from bot.web.labels import refusal, wanted
from bot.web.schemas import Refused

log = logging.getLogger(__name__)

STATUS = {
    "no_session": 401,
    "foreign_origin": 403,
    "not_found": 404,
    "wrong_method": 405,
    "too_large": 413,
    "wrong_type": 415,
    "not_json": 400,
    "bad_input": 422,
    "too_many": 429,
    "not_ready": 503,
    "failed": 500,
}
"""Every reason for a refusal, and its HTTP status."""

BY_CLASS: dict[type[CandourError], str] = {
    BadInput: "bad_input",
    NotAuthentic: "no_session",
    TooMany: "too_many",
    NotPublished: "not_ready",
    Misconfigured: "not_ready",
}
_BY_STATUS = {status: code for code, status in STATUS.items()}
_RETRY_S = 5


def describe(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the refusals that an endpoint may give, besides those every endpoint gives."""
    return {STATUS[code]: {"model": Refused, "description": code} for code in sorted({*codes, "too_many", "not_ready", "failed"})}


def as_json(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The same for an endpoint whose success is not JSON."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refused"}}}
    return {
        status: {"description": described["description"], "content": content} for status, described in describe(*codes).items()
    }


def answer(code: str, language: Language, *, retry_after_s: int | None = None) -> JSONResponse:
    """The answer for one reason, in the patient's language."""
    headers = {"Content-Language": language.value}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return JSONResponse({"error": {"code": code, "text": refusal(code, language)}}, STATUS[code], headers)


def language_of(request: Request) -> Language:
    """The language to refuse in: the thread's where it is known by now, else the browser's."""
    known: Language | None = getattr(request.state, "language", None)
    return known or wanted(request.headers.get("accept-language", ""))


def install(app: FastAPI) -> None:
    """Have all errors of the application answered here."""
    app.add_exception_handler(CandourError, _candour_error)
    app.add_exception_handler(RequestValidationError, _not_as_described)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OperationalError, _database_busy)
    app.add_exception_handler(PoolTimeout, _database_busy)
    app.add_exception_handler(Exception, _failed)


def _candour_error(request: Request, error: Exception) -> JSONResponse:
    code = next((BY_CLASS[kind] for kind in type(error).__mro__ if kind in BY_CLASS), "failed")
    if STATUS[code] >= 500:
        log.error("%s: %s", code, type(error).__name__, exc_info=error)
    wait = error.retry_after_s if isinstance(error, TooMany) else _RETRY_S if code == "not_ready" else None
    return answer(code, language_of(request), retry_after_s=wait)


def _not_as_described(request: Request, error: Exception) -> JSONResponse:
    kinds = {problem["type"] for problem in error.errors()} if isinstance(error, RequestValidationError) else set()
    code = "bad_input"
    if "json_invalid" in kinds:
        code = "not_json"
    elif "string_too_long" in kinds:
        code = "too_large"
    elif not _says_json(request):
        code = "wrong_type"
    return answer(code, language_of(request))


def _says_json(request: Request) -> bool:
    if request.method in ("GET", "HEAD"):
        return True
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _http_error(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    # A body that cannot be parsed at all (not UTF-8, nested too deep) arrives here as a bare 400.
    return answer(_BY_STATUS.get(status, "failed" if status >= 500 else "bad_input"), language_of(request))


def _database_busy(request: Request, error: Exception) -> JSONResponse:
    log.error("the database does not answer: %s", type(error).__name__)
    return answer("not_ready", language_of(request), retry_after_s=_RETRY_S)


def _failed(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises it again after this answer, and uvicorn logs it: without its text (logs.py).
    return answer("failed", language_of(request))
