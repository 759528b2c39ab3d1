"""A page of the console: template, words, moments, navigation and the line that says how the desk stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.base.clock import in_hong_kong
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.desk.alarm.paging import trouble
from bot.desk.hours.switches import switched_on
from bot.desk.records import Switch
from bot.desk.staff.accounts import profile_of
from bot.desk.staff.roles import Permission
from bot.desk.work import queue
from bot.web.console.door import FORM_HOURS, PREFIX, Staff, Visitor, form_cookie, give_cookie
from bot.web.console.live import state_of
from bot.web.console.notices import cookie, take_notices
from bot.web.console.words import SPOKEN, word
from bot.web.patient import asset

_templates = Environment(
    loader=FileSystemLoader(REPOSITORY / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


SWITCHES = (Switch.TYPHOON, Switch.BLACK_RAIN, Switch.SURGE)
"""What leads switch for the whole desk, and everybody sees."""


@dataclass(frozen=True)
class Entry:
    """A place in the navigation: the word `nav.<name>`, where it leads, who sees it, and its place from left to right."""

    name: str
    href: str
    permission: Permission | None
    place: int
    key: str = ""  # pressed after `g`
    group: str = ""  # the menu it stands in, the word `nav.<group>`; in none without


def page(visitor: Visitor, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page out of `templates/`, in the visitor's language, with what every page has; notices are shown once."""
    now, language = visitor.now, visitor.language
    given: dict[str, Any] = {
        "visitor": visitor,
        "staff": visitor if isinstance(visitor, Staff) else None,
        "language": language,
        "languages": SPOKEN,
        "t": partial(word, language),
        "when": partial(when, language, now=now),
        "span": partial(span, language),
        "day_of": partial(day_of, language, now=now),
        "asset": asset,
        "language_name": _own_name,
        "now": now,
        "csrf_token": visitor.csrf,
        "here": visitor.request.url.path,
        "back": _here(visitor),
        "notices": take_notices(visitor),
        "P": Permission,
        "entries": [],
        "menus": [],
        "bar": None,
        "my_name": "",
    }
    if isinstance(visitor, Staff) and not visitor.is_locked:
        given |= _of_the_desk(visitor)
    html = _templates.get_template(template).render({**given, **values})
    answer = HTMLResponse(html, status, headers={"Content-Language": language.value})
    if not isinstance(visitor, Staff):
        give_cookie(visitor.door, answer, form_cookie(visitor.door), visitor.csrf, seconds=FORM_HOURS * 3600)
    if given["notices"]:
        give_cookie(visitor.door, answer, cookie(visitor.door), "", seconds=0)
    return answer


def entries_for(staff: Staff) -> list[Entry]:
    """The navigation that this person sees."""
    found: Sequence[Entry] = staff.request.app.state.console_entries
    return [one for one in found if one.permission is None or one.permission in staff.may]


def menus(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """The navigation as it stands in the line: a page by itself without a name, or a menu of several under one."""
    found: dict[str, list[Entry]] = {}
    for one in entries:
        found.setdefault(one.group or one.href, []).append(one)
    return [(held[0].group if len(held) > 1 else "", held) for held in found.values()]


def when(language: Language, at: datetime | None, *, now: datetime) -> str:
    """A moment on a Hong Kong clock: the hour alone today, with the day otherwise; a dash for none."""
    if at is None:
        return "–"
    local, today = in_hong_kong(at), in_hong_kong(now)
    clock = f"{local:%H:%M}"
    if local.date() == today.date():
        return clock
    if language is Language.ZH_HANT:
        day = f"{local.month}月{local.day}日"
        return f"{day} {clock}" if local.year == today.year else f"{local.year}年{day} {clock}"
    day = f"{local.day} {local:%b}"
    return f"{day} {clock}" if local.year == today.year else f"{day} {local.year} {clock}"


def day_of(language: Language, day: date, *, now: datetime) -> str:
    """A Hong Kong day with its weekday, and said as such when it is today or tomorrow."""
    local = in_hong_kong(day).date() if isinstance(day, datetime) else day
    far = (local - in_hong_kong(now).date()).days
    weekday = word(language, f"base.weekday_{local.weekday()}")
    named = f"{local.month}月{local.day}日（{weekday}）" if language is Language.ZH_HANT else f"{weekday} {local.day} {local:%b}"
    return f"{word(language, ('base.today', 'base.tomorrow')[far])}, {named}" if far in (0, 1) else named


def span(language: Language, long: timedelta) -> str:
    """How long something lasts, in at most two units, rounded down; less than a minute is said as such."""
    minutes = max(0, int(long / timedelta(minutes=1)))
    if minutes == 0:
        return word(language, "base.under_a_minute")
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    units = (("base.days", days), ("base.hours", hours), ("base.minutes", minutes))
    parts = [word(language, name, n=number) for name, number in units if number]
    first = next(place for place, (_, number) in enumerate(units) if number)
    return " ".join(parts[: 2 if first < 2 and units[first + 1][1] else 1])


def _of_the_desk(staff: Staff) -> dict[str, Any]:
    with staff.database.reading() as session:
        bar = None
        if Permission.SEE_QUEUE in staff.may:
            # Before the numbers: they are at least as new as the state that the page knows.
            state = state_of(session, "queue", staff.now)
            numbers = queue.counts(session, staff.now)
            bar = {
                "state": state,
                "unclaimed": numbers.unclaimed,
                "held": numbers.held,
                "breached": numbers.breached,
                "oldest": staff.now - numbers.waiting_since if numbers.waiting_since else None,
                "pager_trouble": trouble(session, staff.vault, staff.now).is_there,
                "switches": [one.value for one in switched_on(session)],
            }
    entries = entries_for(staff)
    return {"bar": bar, "entries": entries, "menus": menus(entries), "my_name": profile_of(staff.account, staff.vault).name}


def _own_name(code: str) -> str:
    return Language(code).own_name


def _here(visitor: Visitor) -> str:
    """Where a form on this page leads back to: its address, or for the answer to a form, where that one stood."""
    if visitor.request.method != "GET":
        return own_place(visitor.sent.raw("back"))
    query = visitor.request.url.query
    return visitor.request.url.path + (f"?{query}" if query else "")


def own_place(address: str) -> str:
    """An address within the console; the queue's for any other."""
    is_ours = address == PREFIX or address.startswith((f"{PREFIX}/", f"{PREFIX}?"))
    is_plain = len(address) < 500 and address.isascii() and address.isprintable() and "\\" not in address
    return address if is_ours and is_plain else PREFIX
