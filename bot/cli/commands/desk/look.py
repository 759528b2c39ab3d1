"""How the desk stands, in words for an operator: for `doctor` and for `desk show`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.errors import NotPublished
from bot.base.settings import Settings
from bot.base.vault import Vault
from bot.conversations.speaking.publication import Library
from bot.desk.alarm.paging import trouble
from bot.desk.hours.calendar import DEFAULT_HOURS, desk_hours
from bot.desk.hours.switches import switched_on
from bot.desk.integrations.endpoints import resting
from bot.desk.records import Switch
from bot.desk.sight.handled import not_handled
from bot.desk.sight.load import load
from bot.desk.staff.models import StaffAccount
from bot.desk.surge.suggesting import is_suggested

Said = tuple[str, bool | None, str]
"""What was looked at, whether it is well (None: a remark), and what is said of it."""


def look(settings: Settings, database: Database) -> Iterator[Said]:
    """The team, who waits, what nobody handled, calls for help, what is switched, and how long words are kept."""
    at = system_clock()
    with database.reading() as session:
        if not session.scalar(select(func.count()).select_from(StaffAccount)):
            yield "desk", None, "nobody is on the team yet: `./candour staff first-admin` makes the first account"
            return
        try:
            hours = desk_hours(Library().current(session, at).content)
        except NotPublished:
            hours = DEFAULT_HOURS
        now = load(session, at, hours)
        waits = f"{now.waiting} wait unclaimed ({now.urgent_waiting} urgent), {now.breached} overdue, {now.staff_on_duty} on duty"
        yield "desk", not now.urgent_waiting or None, waits
        if is_suggested(now):
            yield "surge", None, f"{now.per_person:.0f} cases for each person on duty: whoever leads may switch surge on"
        lost = len(not_handled(session, at))
        yield (
            "not handled",
            not lost,
            f"{lost} messages that nobody handled" + (": see the desk's page of that name" if lost else ""),
        )
        yield _pager(settings, session)
        for one in resting(session):
            since = in_hong_kong(one.failing_since).strftime("%d %b %H:%M") if one.failing_since else "a day"
            told = f"{one.name} took nothing since {since} ({one.problem}): mend it and switch it on, its events wait"
            yield f"webhook {one.id}", False, told
        switches = switched_on(session)
        for switch, row in switches.items():
            since = in_hong_kong(row.since).strftime("%d %b %Y %H:%M")
            yield f"switch {switch.value}", None, f"on since {since}, by {row.on_by}"
        kept = f"words are emptied {settings.transcripts_kept_days} days after the last turn"
        held = "; a legal hold is on: nothing is emptied" if Switch.LEGAL_HOLD in switches else ""
        yield "transcripts", None, kept + held


def _pager(settings: Settings, session: Session) -> Said:
    found = trouble(session, Vault(settings.secret("vault_keys")), system_clock())
    if found.failed or found.stuck:
        return "calls for help", False, f"{found.failed} failed and {found.stuck} do not leave: check the SMS and e-mail accounts"
    if found.nobody:
        return "calls for help", False, "nobody who leads or is on duty has a mobile number or e-mail address"
    return "calls for help", True, "they leave, and somebody can be called"
