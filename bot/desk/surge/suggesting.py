"""Whoever leads hears that the load has crossed its limit and that surge may help; nothing is ever switched by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.vault import Vault
from bot.desk.hours.calendar import DEFAULT_HOURS, Hours
from bot.desk.records import Page, PageAbout
from bot.desk.sight.load import Load, load
from bot.desk.staff import accounts
from bot.desk.staff.roles import Role

CASES_A_PERSON = 15
"""Live cases for each person on duty from which on waiting turns into hours (eight minutes a case)."""
LEAST = 10
"""Cases that wait below which nothing is suggested, however few are on duty."""
REPEAT = timedelta(hours=4)


def is_suggested(found: Load) -> bool:
    """Whether surge should be offered to whoever leads now."""
    return found.is_open and not found.surge and found.waiting >= LEAST and found.per_person > CASES_A_PERSON


def suggest(session: Session, vault: Vault, at: datetime, hours: Hours = DEFAULT_HOURS) -> int:
    """Lay down a page to the leads on duty when the load is over its limit; once in four hours. Returns how many."""
    last = session.scalar(select(func.max(Page.made_at)).where(Page.about == PageAbout.SURGE.value))
    if last is not None and at - last < REPEAT:
        return 0
    found = load(session, at, hours)
    if not is_suggested(found):
        return 0
    pages = [
        Page(
            staff_id=account.id, channel="email" if profile.email else "sms", text=words(found), about=PageAbout.SURGE, made_at=at
        )
        for account in accounts.on_duty(session, Role.LEAD)
        if (profile := accounts.profile_of(account, vault)).email or profile.mobile
    ]
    session.add_all(pages)
    if pages:
        content = {"waiting": found.waiting, "live": found.live, "on_duty": found.staff_on_duty}
        audit.record(session, at=at, actor="desk", kind="desk.surge_suggested", subject="desk", content=content, vault=vault)
    return len(pages)


def words(found: Load) -> str:
    """What the page says, in both languages of the console."""
    return (
        f"Candour: {found.waiting} patients wait, {found.staff_on_duty} on duty. Surge offers them calls at set times: "
        f"switch it on in the console. {found.waiting} 人正在等候，當值 {found.staff_on_duty} 人，可在控制台開啟高峰模式。"
    )
