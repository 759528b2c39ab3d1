"""Replies: approved texts rendered, numbered, stored and proven, in one step and one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.languages import Language
from bot.base.vault import Vault
from bot.conversations import choices, threads
from bot.conversations.models import Owner, Reply
from bot.conversations.post import outbox
from bot.conversations.speaking import wording
from bot.conversations.speaking.levels import Level, Verified, level_of
from bot.conversations.speaking.publication import Published
from bot.conversations.transcript import REPLY_TEXT

LANGUAGE = "language:"
"""Begins the topic of a choice that fixes the language."""
CALL_AT = "call_at:"
"""Begins the topic of a choice that books a call at a time, an ISO 8601 moment."""


@dataclass(frozen=True)
class Said:
    """What is to be said: names of wordings in order, topics to offer, values that texts may ask for."""

    names: Sequence[str]
    language: Language
    channel: str
    offer: Sequence[str] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    despite_opt_out: bool = False  # help in an emergency, or the confirmation of a stop
    verified: Verified | None = None  # the proof for wordings that not everybody may read
    free: str = ""  # a responder's own sentence, checked by the desk; comes after the wordings
    staff_id: int | None = None  # the responder who says it; None for the assistant


def text_of(published: Published, said: Said, level: Level = Level.PUBLIC) -> str:
    """The whole text; raises NotPublished when a wording is missing, Withheld when one is above the reader's level."""
    texts = [wording.render(published.content, name, said.language, said.channel, said.values, level).text for name in said.names]
    return "\n\n".join([*texts, said.free] if said.free else texts)


def write_reply(
    session: Session,
    vault: Vault,
    published: Published,
    said: Said,
    *,
    thread_id: int,
    session_id: int | None,
    turn_id: int | None,
    at: datetime,
) -> Reply:
    """Make it the next line of the thread, lay it into the outbox, prove it; raises Withheld where a wording lacks its proof."""
    text = text_of(published, said, level_of(said.verified, session_id, at))
    number = threads.take_number(session, thread_id)
    reply = Reply(
        thread_id=thread_id,
        session_id=session_id,
        turn_id=turn_id,
        number=number,
        author=Owner.BOT.value if said.staff_id is None else Owner.STAFF.value,
        say=list(said.names),
        language=said.language.value,
        publication_id=published.id,
        sealed_text=vault.seal(text, REPLY_TEXT),
        choices=choices.issue(number, [(_label(published, topic, said.language), topic) for topic in said.offer]),
        created_at=at,
    )
    session.add(reply)
    outbox.lay(session, vault, reply, channel=said.channel, text=text, despite_opt_out=said.despite_opt_out, at=at)
    _prove(session, vault, reply, said, text)
    return reply


def _prove(session: Session, vault: Vault, reply: Reply, said: Said, text: str) -> None:
    proof: dict[str, Any] = {
        "say": list(said.names),
        "language": said.language.value,
        "publication": reply.publication_id,
        "number": reply.number,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    if said.free:
        proof["free"] = True
    actor = "assistant" if said.staff_id is None else f"staff:{said.staff_id}"
    subject, at = f"thread:{reply.thread_id}", reply.created_at
    audit.record(session, at=at, actor=actor, kind="reply.said", subject=subject, content=proof, vault=vault)


def _label(published: Published, topic: str, language: Language) -> str:
    if topic.startswith(LANGUAGE):
        return Language(topic.removeprefix(LANGUAGE)).own_name
    if topic.startswith(CALL_AT):
        return wording.spoken_moment(datetime.fromisoformat(topic.removeprefix(CALL_AT)), language)
    return wording.label(published.content, topic, language)
