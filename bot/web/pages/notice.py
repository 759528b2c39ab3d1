"""The notice page, where patients begin: readable without any script, in print and on an old telephone.

Every earlier version stays at an address of its own. Where nothing is published, or nothing that holds a
notice, the chat's page stands in its place: it shows whom to call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from bot.base.clock import in_hong_kong
from bot.base.languages import Language
from bot.conversations.speaking import wording
from bot.conversations.speaking.notice import Archive, Notice, Version, notice
from bot.conversations.speaking.publication import Library, Published
from bot.desk.surge.delay import delay_told
from bot.web.door import CHANNEL, Door, door_of
from bot.web.labels import all_labels
from bot.web.patient import clinic_name, help_lines, language_for, page_of, rendered
from bot.web.shield import LOADER_INTEGRITY, LOADER_PATH

router = APIRouter(tags=["pages"])

TEMPLATE = "patient/notice.html"
CHECK = "/check"
"""Where a patient can ask whether a message is really from us; the page links to it where that is served."""
_STEP = re.compile(r"^\d+\. ")
# What a line is about: up to the first colon, when that comes soon and within the first sentence.
_COLON = re.compile(r"^([^:：。.]{1,60}[:：]) ?(.+)$")
_NUMBER = re.compile(r"\+?\d[\d ]{1,14}\d")

_Asked = Annotated[str | None, Query(description="The language; without it the thread's or the browser's.")]
_AtDoor = Annotated[Door, Depends(door_of)]


@dataclass(frozen=True)
class Line:
    """A line of a text: what stands out at its beginning, and the rest in pieces, of which some are links."""

    lead: str
    pieces: list[tuple[str, str]]  # (text, href or nothing)


@dataclass(frozen=True)
class Block:
    """Lines that belong together; `kind` is `steps`, `lines` or `words`."""

    kind: str
    lines: list[Line]


@router.get("/", response_class=HTMLResponse, summary="The notice: what a patient reads first")
def start(request: Request, door: _AtDoor, lang: _Asked = None) -> HTMLResponse:
    """The notice in force, in the language asked for, of the thread, or of the browser, in this order."""
    found = _page(request, door, lang, None)
    return found or rendered(request, door, "patient/page.html", asked=lang, values={"is_framed": False})


@router.get("/notice/{number}", response_class=HTMLResponse, summary="An earlier version of the notice")
def version(request: Request, door: _AtDoor, number: int, lang: _Asked = None) -> HTMLResponse:
    """The notice as one publication said it; a publication that never was in force has none."""
    found = _page(request, door, lang, number)
    if found is None:
        raise HTTPException(404)
    return found


def _page(request: Request, door: Door, asked: str | None, number: int | None) -> HTMLResponse | None:
    library = door.application.library
    with door.application.database.reading() as session:
        language = language_for(request, door.thread(session, request), asked=asked)
        versions = _archive(library).versions(session, door.application.clock())
        here = next(
            (each for each in versions if (each.until is None if number is None else each.publication_id == number)), None
        )
        if here is None:
            return None
        newest = door.published(session)
        # What is in force says it, also where an older publication said the same words first.
        published = library.get(session, here.publication_id) if here.until else newest
        said = notice(published, language, CHANNEL)
        delay = "" if here.until else delay_told(session, newest, language, CHANNEL, door.application.clock())
    values = _about(published, newest, said, language) | _times(versions, here, language)
    values["delay"] = delay
    values["check"] = CHECK if any(getattr(route, "path", "") == CHECK for route in request.app.routes) else ""
    return page_of(TEMPLATE, language, values)


@lru_cache(maxsize=4)
def _archive(library: Library) -> Archive:
    return Archive(library, CHANNEL)


def _about(published: Published, newest: Published, said: Notice, language: Language) -> dict[str, Any]:
    targets = _targets(published.content)
    blank = published.content["wordings"]["not_known_yet"]["texts"]
    not_known = str((blank.get(language.value) or blank["en"])["text"])
    pending = all_labels()[language].labels["notice_pending"]
    return {
        "heading": said.heading,
        "opening": list(_blocks(said.opening, targets)),
        "parts": {
            name: [_gathered(block, not_known, pending) for block in _blocks(text, targets)] for name, text in said.parts.items()
        },
        "clinic": clinic_name(newest.content, language),
        # Whom to call is today's, also on an old version.
        "lines": help_lines(newest.content, language),
        "is_framed": False,
        "is_published": True,
        "loader": {"href": LOADER_PATH, "integrity": LOADER_INTEGRITY},
    }


def _times(versions: list[Version], here: Version, language: Language) -> dict[str, Any]:
    labels = all_labels()[language].labels
    since = _moment(here.since, language)
    until = _moment(here.until, language) if here.until else ""
    return {
        "own_address": f"/notice/{here.publication_id}" if here.until else "/",
        "is_current": here.until is None,
        "updated": labels["notice_updated"].replace("{moment}", since),
        "replaced": labels["notice_replaced"].replace("{since}", since).replace("{until}", until),
        "earlier": [
            (f"/notice/{each.publication_id}", _moment(each.since, language)) for each in versions if each.until and each != here
        ],
    }


def _moment(at: datetime, language: Language) -> str:
    local = in_hong_kong(at)
    day = wording.spoken({"date": local.date().isoformat()}, language)
    return f"{day} {local:%H:%M}" if language in (Language.ZH_HANT, Language.ZH_HANS) else f"{day}, {local:%H:%M}"


def _targets(content: Mapping[str, Any]) -> dict[str, str]:
    """Telephone numbers and addresses that are published as such, and where a press on them leads."""
    found = {}
    for fact in (*content["contacts"].values(), content["facts"].get("hotline", {})):
        value = fact.get("value")
        if isinstance(value, str) and (_NUMBER.fullmatch(value) or value == "999"):
            found[value] = "tel:" + value.replace(" ", "")
    email = content["facts"].get("enquiry_email", {}).get("value")
    if isinstance(email, str) and re.fullmatch(r"[^\s@<>?&]+@[^\s@<>?&]+", email):
        found[email] = f"mailto:{email}"
    return found


def _blocks(text: str, targets: Mapping[str, str]) -> Iterator[Block]:
    for part in text.split("\n\n"):
        lines = part.split("\n")
        if all(_STEP.match(line) for line in lines):
            yield Block("steps", [Line("", _linked(_STEP.sub("", line), targets)) for line in lines])
        elif len(lines) == 1:
            yield Block("words", [Line("", _linked(part, targets))])
        else:
            yield Block("lines", [_line(line, targets) for line in lines])


def _gathered(block: Block, not_known: str, pending: str) -> Block:
    """The same lines, but those that end in nothing but `not known yet` told in one."""
    if block.kind != "lines":
        return block
    open_ones = [line for line in block.lines if line.lead and "".join(text for text, _ in line.pieces).strip(".。") == not_known]
    if len(open_ones) < 2:
        return block
    names = " · ".join(line.lead.rstrip(":：") for line in open_ones)
    known = [line for line in block.lines if line not in open_ones]
    return Block("lines", [*known, Line(pending, [(names, "")])])


def _line(text: str, targets: Mapping[str, str]) -> Line:
    parted = _COLON.match(text)
    return Line(parted[1], _linked(parted[2], targets)) if parted else Line("", _linked(text, targets))


def _linked(text: str, targets: Mapping[str, str]) -> list[tuple[str, str]]:
    if not targets:
        return [(text, "")]
    longest = sorted(map(re.escape, targets), key=len, reverse=True)
    pieces = re.split(rf"(?<![\w@.])({'|'.join(longest)})(?![\d@])", text)
    return [(piece, targets.get(piece, "") if place % 2 else "") for place, piece in enumerate(pieces) if piece]
