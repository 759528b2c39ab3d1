"""What is looked after in the post: answers that did not arrive, letters that wait for room, hooks whose time is over.

Of many workers one does it, under a lease. Everything is marked in the rows in the transaction that does it, so that
doing it twice changes nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.assembly import Application
from bot.base import audit, leases
from bot.base.vault import Vault
from bot.conversations.models import Reply
from bot.conversations.post import floods, outbox, retention
from bot.desk.cases import open_case
from bot.desk.hours.switches import is_on
from bot.desk.reasons import REASONS
from bot.desk.records import Switch

log = logging.getLogger(__name__)

LEASE = "post.aftercare"
LEASE_S = 60.0
EVERY = timedelta(seconds=10)
NOT_DELIVERED = "reply_undelivered"
TOO_MANY = "too_many_letters"


class Aftercare:
    """The rounds of one worker; `look` does nothing while it is not time yet or another worker does them."""

    def __init__(self, application: Application, holder: str) -> None:
        self._application = application
        self._holder = holder
        self._due = application.clock()

    def look(self) -> None:
        """Do one round, if it is time and the lease is ours."""
        application, now = self._application, self._application.clock()
        if now < self._due:
            return
        self._due = now + EVERY
        vault = application.vault
        with application.database.writing() as session:
            if not leases.take(session, name=LEASE, holder=self._holder, at=now, seconds=LEASE_S):
                return
            told = see_to(session, vault, now)
            floods.release(session, floods.Limits.of(application.settings), now)
        if told:
            log.warning("%d parts of answers did not arrive; people were told", told)
        kept = timedelta(days=application.settings.hooks_kept_days)
        while self._emptied(now - kept):
            pass

    def _emptied(self, before: datetime) -> bool:
        with self._application.database.reading() as session:
            if is_on(session, Switch.LEGAL_HOLD) or not retention.due(session, before=before):
                return False
        with self._application.database.writing() as session:
            return retention.empty(session, before=before, at=self._application.clock()) == retention.BATCH


def see_to(session: Session, vault: Vault, at: datetime) -> int:
    """Open a case for answers that did not arrive, so that nobody is left in silence; returns how many parts."""
    parts = outbox.overdue(session, at=at)
    for part in parts:
        reply = session.get_one(Reply, part.reply_id)
        tell(session, vault, part.thread_id, reply.turn_id, NOT_DELIVERED, at)
        part.attended_at = at
    return len(parts)


def tell(session: Session, vault: Vault, thread_id: int, turn_id: int | None, code: str, at: datetime) -> None:
    """Have a person look at a conversation for a reason; once per case and reason."""
    opened = open_case(session, thread_id=thread_id, reason=REASONS[code], turn_id=turn_id, at=at)
    if opened.is_new or opened.reason_is_new:
        kind = "case.opened" if opened.is_new else "case.reason_added"
        content = {"case": opened.case.number, "reason": code, "priority": opened.case.priority}
        audit.record(session, at=at, actor="assistant", kind=kind, subject=f"thread:{thread_id}", content=content, vault=vault)
