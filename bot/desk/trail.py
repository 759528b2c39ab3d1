"""The desk's entries in the sealed log: one shape for everything that happens to a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.vault import Vault
from bot.desk.integrations import events
from bot.desk.models import Case

ASSISTANT = "assistant"
SYSTEM = "desk"
"""The desk itself, when nobody pressed anything."""


def actor(staff_id: int | None) -> str:
    """Who did it, as the log names them: a number, never a name."""
    return SYSTEM if staff_id is None else f"staff:{staff_id}"


def log(session: Session, vault: Vault, case: Case, kind: str, *, staff_id: int | None, at: datetime, **content: Any) -> None:
    """Record what happened to a case, and tell the programs that listen; the content holds ids and codes, nobody's words."""
    audit.record(
        session,
        at=at,
        actor=actor(staff_id),
        kind=f"case.{kind}",
        subject=f"thread:{case.thread_id}",
        content={"case": case.number, **content},
        vault=vault,
    )
    events.note(session, case, kind, at, **content)
