"""What people do about what nobody handled: into a case with it, or read by hand what could not be read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.conversations.models import Turn
from bot.conversations.post.hooks import CONTENT
from bot.conversations.post.models import HookDelivery, HookStatus
from bot.desk.cases import open_case
from bot.desk.hours.calendar import DEFAULT_HOURS, Hours
from bot.desk.models import Case
from bot.desk.reasons import reason
from bot.desk.sight.handled import ATTENDED
from bot.desk.trail import log

REASON = "engine_failed"
"""Why a person is needed: the assistant did not do its part."""
LONGEST = 20_000
"""Characters of what could not be read that are shown."""


def into_case(session: Session, vault: Vault, turn_id: int, *, staff_id: int, at: datetime, hours: Hours = DEFAULT_HOURS) -> Case:
    """Put the thread of a missed turn into a case, so that it waits in the queue; raises NoResultFound for none."""
    turn = session.get_one(Turn, turn_id)
    opened = open_case(session, thread_id=turn.thread_id, reason=reason(REASON), turn_id=turn.id, at=at, hours=hours)
    log(session, vault, opened.case, "rescued", staff_id=staff_id, at=at, turn=turn.id)
    return opened.case


def read_by_hand(session: Session, vault: Vault, hook_id: int, *, why: str, staff_id: int, at: datetime) -> str:
    """What a provider posted and no program could read, with a reason, in the log."""
    if not 8 <= len(why.strip()) <= 300:
        raise BadInput("Say why, in 8 to 300 characters.")
    hook = _broken(session, hook_id)
    content, subject = {"why": why.strip(), "kind": hook.kind}, f"hook:{hook_id}"
    audit.record(session, at=at, actor=f"staff:{staff_id}", kind="hook.read", subject=subject, content=content, vault=vault)
    return vault.open(hook.sealed_content, CONTENT)[:LONGEST] if hook.sealed_content else ""


def attended(session: Session, vault: Vault, hook_id: int, *, staff_id: int, at: datetime) -> None:
    """It was seen to by a person, and is off the list."""
    hook = _broken(session, hook_id)
    hook.remark = ATTENDED
    subject, actor = f"hook:{hook_id}", f"staff:{staff_id}"
    audit.record(session, at=at, actor=actor, kind="hook.attended", subject=subject, content={"kind": hook.kind}, vault=vault)


def _broken(session: Session, hook_id: int) -> HookDelivery:
    hook = session.get_one(HookDelivery, hook_id, with_for_update=True)
    if hook.status != HookStatus.BROKEN:
        raise BadInput("This was read by now.")
    return hook
