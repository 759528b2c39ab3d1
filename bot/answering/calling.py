"""Calls at a set time where they meet the rows: which times are free, and what becomes of a choice.

Everything here runs within the inbox's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.answering import speakable
from bot.answering.surge import called
from bot.answering.work import Answer, Work
from bot.base.vault import Vault
from bot.desk.hours.calendar import Hours, desk_hours
from bot.desk.hours.switches import calendar, is_on
from bot.desk.models import Case
from bot.desk.records import Switch
from bot.desk.surge import slots


def times(session: Session, content: Mapping[str, Any], at: datetime) -> tuple[bool, tuple[str, ...]]:
    """Whether the desk is in surge, and the choices of times it can offer then."""
    if not is_on(session, Switch.SURGE):
        return False, ()
    return True, tuple(slots.offers(session, calendar(session, at, desk_hours(content)), at))


def carried_out(session: Session, vault: Vault, said: Answer, work: Work, case: Case, hours: Hours, at: datetime) -> Answer:
    """Book the call a patient chose, or give it up, and what is said of it; raises NotPublished without the wordings."""
    known = calendar(session, at, hours)
    done = called(
        said,
        work,
        lambda slot: slots.book(session, vault, case, slot, known, at),
        lambda: slots.cancel(session, vault, case, at),
    )
    return speakable(done, work.content, is_verified=work.verified is not None)
