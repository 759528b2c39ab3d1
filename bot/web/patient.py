"""The chat's page, made on the server: what must be readable before, or without, any script.

What it says about the incident is rendered from the publication in force; its own words are labels.
Without a publication it still shows whom to call.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.base.errors import NotPublished
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.conversations.models import Thread
from bot.conversations.speaking import wording
from bot.conversations.speaking.opening import Opening, opening
from bot.conversations.speaking.publication import Published
from bot.web.door import CHANNEL, Door, door_of
from bot.web.labels import all_labels, wanted

router = APIRouter(tags=["pages"])

STATIC = Path(__file__).parent / "static"
CHAT = "/chat"
PRIVACY = "privacy_of_chat"
EMERGENCY = "999"
SAFE_PAGE = "https://www.hko.gov.hk/"
"""Where "leave quickly" goes: the Observatory's weather page, which anybody may be looking at."""
ASSETS = ("chat.js", "own.js", "page.css", "notice.css", "check.css", "icon.svg", "widget/frame.js", "widget/frame.css")

# What is shown of the published contacts and facts: (section, name, label, kind of link). Unknown ones are left out.
_LINES = (
    ("contacts", "emergency", "line_emergency", "tel"),
    ("contacts", "mental_health_line", "line_mental_health", "tel"),
    ("contacts", "antiscam_line", "line_antiscam", "tel"),
    ("facts", "hotline", "line_clinic", "tel"),
    ("facts", "enquiry_email", "line_email", "mailto"),
)

_pages = Environment(
    loader=FileSystemLoader(REPOSITORY / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Line:
    """One way to get help: its label, what it says and where it leads."""

    label: str
    value: str
    href: str


@dataclass(frozen=True)
class Asset:
    """A static file with the digest that a browser checks it against."""

    href: str
    integrity: str


@router.get(CHAT, response_class=HTMLResponse, summary="The chat")
def page(
    request: Request,
    door: Annotated[Door, Depends(door_of)],
    lang: Annotated[str | None, Query(description="The language; without it the thread's or the browser's.")] = None,
) -> HTMLResponse:
    """The page in the language asked for, of the thread, or of the browser, in this order."""
    return rendered(request, door, "patient/page.html", asked=lang, values={"is_framed": False})


def rendered(
    request: Request, door: Door, template: str, *, asked: str | None, values: Mapping[str, Any], site: str | None = None
) -> HTMLResponse:
    """A page of the chat: in the language asked for, of the thread, of the site around it, or of the browser."""
    with door.application.database.reading() as session:
        thread = door.thread(session, request)
        language = language_for(request, thread, asked=asked, site=site)
        try:
            said = _said(door.published(session), language)
        except NotPublished:
            said = _unsaid(language)
    known_thread = {"last_number": thread.last_number if thread else 0, "is_known": thread is not None}
    return page_of(template, language, {**said, **known_thread, **values})


def page_of(template: str, language: Language, values: Mapping[str, Any]) -> HTMLResponse:
    """A page out of a template, whose own words, addresses and digests every page has."""
    page = _pages.get_template(template).render({**_own(language), **values})
    return HTMLResponse(page, headers={"Content-Language": language.value})


def language_for(request: Request, thread: Thread | None, *, asked: str | None, site: str | None = None) -> Language:
    """The language asked for, else the thread's, the surrounding site's or the browser's."""
    chosen = next((language for language in Language if language.value.lower() == (asked or "").lower()), None)
    if chosen is not None:
        return chosen
    return Language(thread.language) if thread else wanted(site or request.headers.get("accept-language", ""))


def _own(language: Language) -> dict[str, Any]:
    words = all_labels()[language]
    return {
        "language": language,
        "languages": list(Language),
        "labels": words.labels,
        "spoken": {**words.labels, "refusal_failed": words.refusals["failed"]},
        "assets": {name: asset(name) for name in ASSETS},
        "emergency": EMERGENCY,
        "safe_page": SAFE_PAGE,
        "chat": CHAT,
    }


def _said(published: Published, language: Language) -> dict[str, Any]:
    said: Opening = opening(published, language, CHANNEL)
    content = published.content
    try:
        privacy = wording.render(content, PRIVACY, language, CHANNEL, {}).text
    except NotPublished:
        privacy = ""
    return {
        "clinic": clinic_name(content, language),
        "statement": said.statement,
        "greeting": said.greeting,
        "topics": [label for label, _ in said.topics],
        "privacy": privacy,
        "lines": help_lines(content, language),
        "is_published": True,
        "not_ready": "",
    }


def _unsaid(language: Language) -> dict[str, Any]:
    words = all_labels()[language]
    only = Line(words.labels["line_emergency"], EMERGENCY, f"tel:{EMERGENCY}")
    empty: dict[str, Any] = dict.fromkeys(("clinic", "statement", "greeting", "privacy"), "")
    return {**empty, "topics": [], "lines": [only], "is_published": False, "not_ready": words.refusals["not_ready"]}


def clinic_name(content: Mapping[str, Any], language: Language) -> str:
    """The clinic's name, or nothing while it is not published."""
    value = content["facts"].get("clinic_name", {}).get("value")
    return wording.spoken(value, language) if value else ""


def help_lines(content: Mapping[str, Any], language: Language) -> list[Line]:
    """The published telephone lines and addresses that stand at the top of every page."""
    found = []
    for section, name, label, scheme in _LINES:
        value = content[section].get(name, {}).get("value")
        if value is None:
            continue
        text = wording.spoken(value, language)
        target = "".join(c for c in text if c.isdigit() or c == "+") if scheme == "tel" else text
        found.append(Line(all_labels()[language].labels[label], text, f"{scheme}:{target}"))
    return found


@lru_cache(maxsize=16)
def asset(name: str) -> Asset:
    """A static file's address, which changes with its content, and its integrity digest."""
    digest = hashlib.sha384((STATIC / name).read_bytes()).digest()
    return Asset(f"/static/{name}?v={digest.hex()[:12]}", f"sha384-{base64.b64encode(digest).decode()}")
