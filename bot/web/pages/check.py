"""Is this message really from us? A page without scripts: a text or a reference goes in, approved sentences come out.

What is sent stays nowhere: it is in no address, no log, no row, and it is not shown again. No cookie is given or read.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from bot.base.errors import NotPublished, TooMany
from bot.base.languages import Language
from bot.conversations.speaking import wording
from bot.deeds.checking import LONGEST, findings
from bot.web.door import CHANNEL, Door, door_of
from bot.web.labels import all_labels
from bot.web.pages.notice import CHECK
from bot.web.patient import clinic_name, help_lines, language_for, page_of
from bot.web.refusals import answer

router = APIRouter(tags=["pages"])

TEMPLATE = "patient/check.html"
NOTHING_TO_GO_BY = ("check_not_ours", "check_official")
"""Said of a text in which there is no reference, address or number."""

_AtDoor = Annotated[Door, Depends(door_of)]
_Asked = Annotated[str | None, Query(description="The language; without it the browser's.")]


async def _typed(request: Request) -> str:
    """What stands in the form's field; empty for any other body."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return ""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qs(body, max_num_fields=8).get("text", [""])[0][:LONGEST]
    except ValueError:
        return ""


@router.get(CHECK, response_class=HTMLResponse, summary="Is this message really from us?")
def form(request: Request, door: _AtDoor, lang: _Asked = None) -> HTMLResponse:
    """The empty form, with what is ours by the published facts."""
    return _page(request, door, lang, ("check_official",))


@router.post(CHECK, response_class=HTMLResponse, summary="What can be said of a text or a reference")
def check(request: Request, door: _AtDoor, text: Annotated[str, Depends(_typed)], lang: _Asked = None) -> Any:
    """The same page with the answer above the form; foreign pages and rude callers are refused."""
    language = language_for(request, None, asked=lang)
    if not _is_own(request, door):
        return answer("foreign_origin", language)
    try:
        door.limiter.count("address_turns", request.state.address)
    except TooMany as many:
        page = _page(request, door, lang, (), refusal=all_labels()[language].refusals["too_many"])
        page.status_code, page.headers["Retry-After"] = 429, str(many.retry_after_s)
        return page
    if not text.strip():
        return _page(request, door, lang, ("check_official",))
    with door.application.database.reading() as session:
        try:
            content = door.published(session).content
        except NotPublished:
            return _page(request, door, lang, ())
        said = findings(session, door.application.index, content, text)
    return _page(request, door, lang, said or NOTHING_TO_GO_BY, is_answer=True)


def _is_own(request: Request, door: Door) -> bool:
    """Whether the form was ours: other sites may not use their visitors' allowance. Our own pages say `null` (no referrer)."""
    origin = request.headers.get("origin", "null")
    if origin == "null":
        return request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")
    own = door.application.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return origin.lower() == own.rstrip("/").lower()


def _page(
    request: Request, door: Door, asked: str | None, said: tuple[str, ...], *, refusal: str = "", is_answer: bool = False
) -> HTMLResponse:
    language = language_for(request, None, asked=asked)
    values: dict[str, Any] = {"said": [], "intro": "", "clinic": "", "lines": [], "is_published": False, "own_address": CHECK}
    with door.application.database.reading() as session:
        try:
            content = door.published(session).content
            values |= {
                "said": [_text(content, name, language) for name in said],
                "intro": _text(content, "check_intro", language),
                "clinic": clinic_name(content, language),
                "lines": help_lines(content, language),
                "is_published": True,
            }
        except NotPublished:
            refusal = refusal or all_labels()[language].refusals["not_ready"]
    return page_of(TEMPLATE, language, {**values, "refusal": refusal, "is_answer": is_answer, "is_framed": False})


def _text(content: Any, name: str, language: Language) -> str:
    return wording.render(content, name, language, CHANNEL, {}).text
