"""Paging: whoever leads on duty is called by SMS and e-mail while cases lie unclaimed, again and again until they are taken.

A page is a row first; it is sent outside any transaction, and says nothing about any patient.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.clock import Clock
from bot.base.database import Database
from bot.base.errors import ChannelError
from bot.base.languages import Language
from bot.base.lifecycle import move
from bot.base.settings import REPOSITORY
from bot.base.vault import Vault
from bot.channels.base import Channel, Outgoing
from bot.desk.alarm.unclaimed import waited
from bot.desk.hours.calendar import Calendar
from bot.desk.hours.deadlines import ClockState, clocks
from bot.desk.models import Case
from bot.desk.reasons import URGENT
from bot.desk.records import Page, PageAbout, PageStatus
from bot.desk.staff import accounts
from bot.desk.staff.models import AccountStatus, StaffAccount
from bot.desk.staff.roles import Role

REPEAT_URGENT = timedelta(minutes=5)
REPEAT = timedelta(minutes=15)
TRIES = 3
LATELY = timedelta(hours=24)
STUCK_AFTER = timedelta(minutes=2)
BY = (("sms", "mobile"), ("email", "email"))
"""Channels of pages, and which part of a profile is the address."""
TEXTS = REPOSITORY / "templates" / "notifications" / "staff_page"
BODY = {"sms": "sms.txt", "email": "full.txt"}
_PLACE = re.compile(r"\{\{ personal\.(\w+) \}\}")

logger = logging.getLogger(__name__)


def calls_for_page(cases: Sequence[Case], known: Calendar, at: datetime) -> list[Case]:
    """Of unclaimed cases, those for which somebody is called: urgent ones, and others whose first answer is nearly due."""
    late = (ClockState.WARNING, ClockState.BREACHED)
    return [case for case in cases if case.priority <= URGENT or any(face.state in late for face in clocks(case, known, at)[:1])]


def page(session: Session, vault: Vault, cases: Sequence[Case], known: Calendar, at: datetime) -> int:
    """Lay down pages for these cases to whoever is to be called now; returns how many. None when it was done lately."""
    if not cases:
        return 0
    urgent = sum(case.priority <= URGENT for case in cases)
    last = session.scalar(select(func.max(Page.made_at)).where(Page.about == PageAbout.CASES.value))
    if last is not None and at - last < (REPEAT_URGENT if urgent else REPEAT):
        return 0
    longest = max(waited(case, known, at) for case in cases)
    made = calls_to(session, vault, partial(words, number=len(cases), urgent=urgent, longest=longest), PageAbout.CASES, at)
    content = {"cases": [case.number for case in cases[:50]], "pages": made}
    audit.record(session, at=at, actor="desk", kind="desk.paged", subject="desk", content=content, vault=vault)
    if not made:
        logger.error("%d cases lie unclaimed and there is nobody to page", len(cases))
    return made


def calls_to(session: Session, vault: Vault, text: Callable[[StaffAccount, str], str], about: PageAbout, at: datetime) -> int:
    """Lay down a call by every way to everybody who is to be called now; returns how many that are."""
    pages = [
        Page(staff_id=account.id, channel=channel, text=text(account, channel), about=about, made_at=at)
        for account in whom(session)
        for channel, field in BY
        if getattr(accounts.profile_of(account, vault), field)
    ]
    session.add_all(pages)
    return len(pages)


def whom(session: Session) -> list[StaffAccount]:
    """Leads on duty; without one, everybody on duty; without anybody, all leads: an emergency must not wait for a roster."""
    leads = accounts.on_duty(session, Role.LEAD)
    everybody = [one for one in accounts.everybody(session) if one.status == AccountStatus.ACTIVE]
    return leads or accounts.on_duty(session) or [one for one in everybody if Role.LEAD.value in one.roles]


def words(account: StaffAccount, channel: str, number: int, urgent: int, longest: timedelta) -> str:
    """What a page says to somebody, in the language they work in; the text is the notice `staff_page`."""
    language = account.language if (TEXTS / account.language).is_dir() else Language.EN.value
    text = (TEXTS / language / BODY[channel]).read_text(encoding="utf-8").strip()
    values = {"waiting": number, "urgent": urgent, "minutes": int(longest / timedelta(minutes=1))}
    return _PLACE.sub(lambda place: str(values[place[1]]), text)


def send_pages(
    database: Database, vault: Vault, channels: Mapping[str, Channel], own: Mapping[str, str], clock: Clock, limit: int = 20
) -> int:
    """Send the pages that wait, with no transaction open; returns how many the providers took."""
    with database.reading() as session:
        waiting = select(Page).where(Page.status == PageStatus.WAITING.value).order_by(Page.id).limit(limit)
        pages = [(row.id, row.channel, row.text, _address(session, vault, row)) for row in session.scalars(waiting)]
    sent = 0
    for page_id, channel, text, their in pages:
        problem = _call(channels.get(channel), own.get(channel, ""), their, text)
        with database.writing() as session:
            row = session.get_one(Page, page_id, with_for_update=True)
            row.attempts += 1
            row.reason = problem[:120]
            if row.status == PageStatus.WAITING and not problem:
                move(row, PageStatus.SENT)
                row.sent_at = clock()
                sent += 1
            elif row.status == PageStatus.WAITING and row.attempts >= TRIES:
                move(row, PageStatus.FAILED)
                logger.error("page %d could not be sent", page_id)
    return sent


@dataclass(frozen=True)
class Trouble:
    """What is wrong with calling for help: calls that failed lately, calls that do not leave, nobody to call."""

    failed: int
    stuck: int
    nobody: bool

    @property
    def is_there(self) -> bool:
        """Whether somebody has to look at it."""
        return bool(self.failed or self.stuck or self.nobody)


def trouble(session: Session, vault: Vault, at: datetime) -> Trouble:
    """How calling for help stands: what failed lately, what waits too long, whether anybody can be called.

    A call that arrived ends the trouble before it.
    """
    arrived = session.scalar(select(func.max(Page.id)).where(Page.status == PageStatus.SENT.value)) or 0
    lately = select(func.count()).select_from(Page).where(Page.made_at > at - LATELY)
    failed = session.scalar(lately.where(Page.status == PageStatus.FAILED.value, Page.id > arrived)) or 0
    stuck = session.scalar(lately.where(Page.status == PageStatus.WAITING.value, Page.made_at <= at - STUCK_AFTER)) or 0
    reached = any(getattr(accounts.profile_of(account, vault), field) for account in whom(session) for _, field in BY)
    return Trouble(failed, stuck, not reached)


def _call(channel: Channel | None, own: str, their: str, text: str) -> str:
    if channel is None or not own or not their:
        return "this channel is not set up"
    try:
        channel.send(
            Outgoing(own=own, their=their, text=text, reference=secrets.token_urlsafe(18), letter={"subject": "Candour"})
        )
    except ChannelError as failed:
        return failed.reason or type(failed).__name__
    return ""


def _address(session: Session, vault: Vault, row: Page) -> str:
    profile = accounts.profile_of(session.get_one(StaffAccount, row.staff_id), vault)
    return str(getattr(profile, dict(BY)[row.channel]))
