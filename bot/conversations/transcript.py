"""The transcript: turns and replies of a thread as one numbered sequence of lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.vault import Vault
from bot.conversations.models import Reply, Turn

TURN_TEXT = "turns.text"
REPLY_TEXT = "replies.text"
"""What sealed texts are bound to, so that one cannot stand in the other's place."""


@dataclass(frozen=True)
class Line:
    """One line of a transcript as its reader may see it."""

    number: int
    kind: str  # "turn" or "reply"
    text: str
    language: str | None
    at: datetime
    author: str  # "patient", or the owner who replied
    choices: tuple[tuple[str, str], ...] = ()  # (id, label)
    external_id: str | None = None
    status: str | None = None


def lines_after(session: Session, vault: Vault, thread_id: int, number: int, limit: int = 200) -> list[Line]:
    """Up to `limit` lines that follow line `number`, in order and without a gap."""
    turns = session.scalars(
        select(Turn).where(Turn.thread_id == thread_id, Turn.number > number).order_by(Turn.number).limit(limit)
    )
    replies = session.scalars(
        select(Reply).where(Reply.thread_id == thread_id, Reply.number > number).order_by(Reply.number).limit(limit)
    )
    lines = [*(_turn_line(vault, turn) for turn in turns), *(_reply_line(vault, reply) for reply in replies)]
    return sorted(lines, key=lambda line: line.number)[:limit]


def _turn_line(vault: Vault, turn: Turn) -> Line:
    return Line(
        number=turn.number,
        kind="turn",
        text=vault.open(turn.sealed_text, TURN_TEXT) if turn.sealed_text else "",
        language=turn.language,
        at=turn.received_at,
        author="patient",
        external_id=turn.external_id,
        status=turn.status,
    )


def _reply_line(vault: Vault, reply: Reply) -> Line:
    return Line(
        number=reply.number,
        kind="reply",
        text=vault.open(reply.sealed_text, REPLY_TEXT),
        language=reply.language,
        at=reply.created_at,
        author=reply.author,
        choices=tuple((choice["id"], choice["label"]) for choice in reply.choices),
    )
