"""What the endpoints of a case share: its router, its address, and what replies are checked against."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Path as InPath
from fastapi import Response
from sqlalchemy.orm import Session

from bot.assembly import official_numbers
from bot.base.settings import Settings
from bot.conversations.speaking.publication import Published
from bot.desk.hours.calendar import Hours, desk_hours
from bot.desk.sight.casefile import fingerprint
from bot.desk.staff.roles import Permission
from bot.desk.work.speech import NeverSay, Rules, load_never_say
from bot.web.console.answers import console_router, go_to
from bot.web.console.door import PREFIX, Staff
from bot.web.console.live import topic
from bot.web.console.notices import Notice
from bot.web.shield import embed_origins

router = console_router()
CASE = "/cases/{case_id}"
CaseId = Annotated[int, InPath(ge=1, lt=2**31)]
OFFICIAL_DOMAINS = "official_domains"
"""The fact that names our own websites."""


def _state(session: Session, number: int, at: datetime) -> str:
    return fingerprint(session, number, at)


topic("case", Permission.SEE_QUEUE, _state)


def address(case_id: int, anchor: str = "", **query: object) -> str:
    """Where the page of a case is."""
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{PREFIX}/cases/{case_id}" + (f"?{asked}" if asked else "") + (f"#{anchor}" if anchor else "")


def to_case(staff: Staff, case_id: int, *notices: Notice, anchor: str = "", **query: object) -> Response:
    """Back to the page of a case, which says the notices."""
    return go_to(staff, address(case_id, anchor, **query), *notices)


def published_of(staff: Staff, session: Session) -> Published:
    """What may be said now; raises NotPublished."""
    return staff.door.application.library.current(session, staff.now)


def hours_of(published: Published) -> Hours:
    """When the desk is open, as published."""
    return desk_hours(published.content)


def official_of(published: Published) -> frozenset[str]:
    """Telephone numbers that everybody may read."""
    return official_numbers(published.content)


def rules_of(staff: Staff, published: Published) -> Rules:
    """What a responder's own words are checked against."""
    return rules_for(staff.door.application.settings, published)


def rules_for(settings: Settings, published: Published) -> Rules:
    """The same by the settings, for other doors."""
    listed = (published.content["facts"].get(OFFICIAL_DOMAINS) or {}).get("value") or ()
    named = [listed] if isinstance(listed, str) else [str(one) for one in listed]
    hosts = {urlsplit(one).hostname or "" for one in (settings.public_url, *embed_origins(settings))}
    sites = {one.strip().casefold().removeprefix("www.") for one in named} | hosts
    return Rules(_never_say(settings.data / "never_say.yml"), official_of(published), frozenset(sites - {""}))


@lru_cache(maxsize=2)
def _never_say(path: Path) -> NeverSay:
    return load_never_say(path)
