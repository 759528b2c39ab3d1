"""Writing requests: done once, in one transaction with the memory of it, and not on a case that has changed since."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.orm import Session

from bot.desk import cases
from bot.desk.integrations import repeats
from bot.desk.models import Case
from bot.web.api.door import Caller, Writer
from bot.web.api.problems import Problem

Shown = TypeVar("Shown", bound=BaseModel)


def act(
    caller: Writer,
    work: Callable[[Session], BaseModel],
    *,
    sent: BaseModel | None = None,
    status: int = 200,
    needs_key: bool = False,
) -> Response:
    """Do `work` and answer with what it returns; a repeat under the same key is answered from memory.

    `needs_key`: a repeat would be a second reply, note or call. Raises Problem without one.
    """
    if needs_key and caller.key is None:
        raise Problem("key_missing")
    asked = f"{caller.asked} {sent.model_dump_json() if sent else ''}"
    with caller.database.writing() as session:
        if caller.key is not None:
            before = repeats.begin(session, caller.vault, caller.id, caller.key, asked, caller.now)
            if before is not None:
                return _answer(before.answer, before.status_code, is_repeat=True)
        text = work(session).model_dump_json()
        if caller.key is not None:
            repeats.keep(session, caller.vault, caller.id, caller.key, status, text)
    return _answer(text, status)


def case_of(session: Session, number: str) -> Case:
    """The case with this number; raises Problem for none."""
    case = cases.by_number(session, number)
    if case is None:
        raise Problem("not_found")
    return case


def fresh(session: Session, caller: Writer, number: str) -> Case:
    """The same, locked, and as the program knows it where it said so; raises Problem when it was changed since."""
    case = cases.locked(session, case_of(session, number).id)
    if caller.if_match is not None:
        named = {one.strip().removeprefix("W/").strip('"') for one in caller.if_match.split(",")}
        if not named & {"*", str(case.version)}:
            raise Problem("stale_version", version=case.version)
    return case


def not_remembered(caller: Caller, work: Callable[[Session], Shown]) -> Shown:
    """The same for what shows personal data or a secret: nothing of the answer is kept."""
    with caller.database.writing() as session:
        return work(session)


def _answer(text: str, status: int, *, is_repeat: bool = False) -> JSONResponse:
    content = json.loads(text)
    headers = {"Idempotent-Replayed": "true"} if is_repeat else {}
    if isinstance(content.get("version"), int):
        headers["ETag"] = f'"{content["version"]}"'
    return JSONResponse(content, status, headers)
