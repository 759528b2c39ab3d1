"""Opening a thread: the patient is told who collects what before anything is asked.

The greeting is the thread's first line and offers the first topics as choices. Which collection
statement was shown, in which language and out of which publication, is kept as evidence.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.languages import Language
from bot.base.vault import Vault
from bot.conversations import threads
from bot.conversations.models import Reply, Thread
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Published
from bot.conversations.speaking.replies import Said, write_reply

STATEMENT = "collection_statement"
GREETING = "greeting"


@dataclass(frozen=True)
class Opening:
    """What is read before the first turn: approved texts, and the labels of the first topics."""

    publication_id: int
    statement: str
    greeting: str
    topics: tuple[tuple[str, str], ...]  # (label, topic)


def opening(published: Published, language: Language, channel: str) -> Opening:
    """The opening texts in a language; raises NotPublished when they are missing."""
    content = published.content
    return Opening(
        publication_id=published.id,
        statement=wording.render(content, STATEMENT, language, channel, {}).text,
        greeting=wording.render(content, GREETING, language, channel, {}).text,
        topics=tuple((wording.label(content, topic, language), topic) for topic in content["wordings"][GREETING]["next"]),
    )


def open_with_greeting(
    session: Session, thread: Thread, published: Published, said: Opening, language: Language, *, at: datetime, vault: Vault
) -> Reply:
    """Make the greeting the next line of a new thread, and keep which statement was shown with it."""
    greeting = Said((GREETING,), language, thread.channel, offer=[topic for _, topic in said.topics])
    reply = write_reply(
        session,
        vault,
        published,
        greeting,
        thread_id=thread.id,
        session_id=threads.session_for(session, thread.id, at).id,
        turn_id=None,
        at=at,
    )
    shown = {
        "publication": said.publication_id,
        "language": language.value,
        "text_sha256": hashlib.sha256(said.statement.encode()).hexdigest(),
    }
    subject = f"thread:{thread.id}"
    audit.record(session, at=at, actor="assistant", kind="statement.shown", subject=subject, content=shown, vault=vault)
    session.flush()
    return reply
