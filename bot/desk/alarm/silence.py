"""Silence: patients write and get no answer, or nothing but apologies. Somebody is called, whatever the reason is."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.vault import Vault
from bot.conversations.models import Turn, TurnStatus
from bot.desk.alarm import paging
from bot.desk.records import Page, PageAbout

AFTER = timedelta(minutes=2)
"""A turn that nobody has answered for so long; the same time in which nobody got more than an apology."""
ENOUGH = 3
"""Turns that failed one after the other before it is called silence."""
REPEAT = timedelta(minutes=5)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Silence:
    """What is heard of the assistant: turns that wait for too long, and turns that got an apology alone."""

    unanswered: int
    since: datetime | None
    only_apologies: int

    @property
    def is_there(self) -> bool:
        """Whether patients write and nobody is answered."""
        return bool(self.unanswered or self.only_apologies)


def heard(session: Session, at: datetime) -> Silence:
    """How it stands now; apologies count when every turn of the last minutes, and several, got nothing else."""
    late = (Turn.status == TurnStatus.STORED.value, Turn.received_at <= at - AFTER)
    unanswered, since = session.execute(select(func.count(), func.min(Turn.received_at)).where(*late)).one()
    ended = (TurnStatus.ANSWERED.value, TurnStatus.FAILED.value)
    lately = select(Turn.status).where(Turn.status.in_(ended), Turn.received_at > at - 2 * AFTER)
    statuses = session.scalars(lately.order_by(Turn.id.desc()).limit(200)).all()
    failed = len(statuses) if len(statuses) >= ENOUGH and set(statuses) == {TurnStatus.FAILED.value} else 0
    return Silence(unanswered or 0, since, failed)


def alarm(session: Session, vault: Vault, at: datetime) -> int:
    """Call whoever leads when the assistant answers nobody, again every five minutes; returns how many calls were laid down."""
    found = heard(session, at)
    if not found.is_there:
        return 0
    last = session.scalar(select(func.max(Page.made_at)).where(Page.about == PageAbout.SILENCE.value))
    if last is not None and at - last < REPEAT:
        return 0
    text = words(found)
    calls = paging.calls_to(session, vault, lambda _account, _channel: text, PageAbout.SILENCE, at)
    content = {"unanswered": found.unanswered, "only_apologies": found.only_apologies, "pages": calls}
    audit.record(session, at=at, actor="desk", kind="desk.silence", subject="desk", content=content, vault=vault)
    logger.error("the assistant is silent: %d turns wait, %d got an apology alone", found.unanswered, found.only_apologies)
    return calls


def words(found: Silence) -> str:
    """What the call says, in both languages of the console."""
    number = found.unanswered + found.only_apologies
    return (
        f"Candour: the assistant does not answer. {number} messages of patients are affected. Please look at the desk and call "
        f"the operator. 自動助理沒有回應，涉及 {number} 則病人訊息，請查看控制台並通知技術人員。"
    )
