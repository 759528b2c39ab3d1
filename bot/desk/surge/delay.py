"""How long a person will probably take, said on pages while the desk is in surge; nothing otherwise."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Published
from bot.desk.hours.calendar import desk_hours
from bot.desk.hours.estimates import WaitKind, values, wait_now
from bot.desk.hours.switches import is_on
from bot.desk.records import Switch

DELAY = "expected_wait"


def delay_told(session: Session, published: Published, language: Language, channel: str, at: datetime) -> str:
    """The published sentence about the wait of somebody who would ask for a person now; empty when there is nothing to say."""
    if DELAY not in published.content["wordings"] or not is_on(session, Switch.SURGE):
        return ""
    wait = wait_now(session, at, desk_hours(published.content))
    if wait.kind is WaitKind.UNKNOWN:
        return ""
    return wording.render(published.content, DELAY, language, channel, values(wait, language)).text
