"""What a responder composes, what speaks against it, and how the patient would read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.base.errors import NotPublished, Withheld
from bot.base.languages import Language
from bot.channels import windows
from bot.channels.segments import segments
from bot.conversations.models import Thread
from bot.conversations.post.invitations import heard_at
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Published
from bot.conversations.speaking.replies import Said, text_of
from bot.desk.models import Case
from bot.desk.work.speech import Flaw, Objection, Rules, objections

SAMPLE: Mapping[str, str] = {"case_number": "", "wait": "unknown", "wait_low": "", "wait_high": "", "wait_opens": ""}
"""The values a responder's texts may ask for; the case number is known, of the wait nothing is said."""


@dataclass(frozen=True)
class Composed:
    """What a responder sends: names of approved texts, own words, and the number of the last line they had seen."""

    names: Sequence[str] = ()
    free: str = field(default="", repr=False)
    seen_number: int = 0
    thread_id: int | None = None  # of a merged case: on which of its threads; the case's own when None
    in_english: bool = False  # texts without a translation go out in English


@dataclass(frozen=True, repr=False)
class Preview:
    """A reply as the patient would read it, and everything that speaks against sending it."""

    text: str
    objections: Sequence[Objection]
    segments: int | None = None  # of an SMS


def values_for(case: Case) -> dict[str, str]:
    """What a text said in a case may ask for."""
    return {**SAMPLE, "case_number": case.number}


def judged(
    session: Session, rules: Rules, content: Mapping[str, Any], thread: Thread, composed: Composed, at: datetime
) -> list[Objection]:
    """Everything that keeps a reply from being sent on a thread now; none when it may go."""
    language = Language(thread.language)
    found = objections(
        rules, content, names=composed.names, free=composed.free, language=language, in_english=composed.in_english
    )
    # Outside the window the provider takes a template only: approved texts wait for the patient, words of one's own do not.
    if composed.free.strip() and not windows.is_open(thread.channel, heard_at(session, thread.id), at):
        found.append(Objection(Flaw.WINDOW_CLOSED))
    return found


def preview(
    session: Session, rules: Rules, published: Published, case: Case, thread: Thread, composed: Composed, at: datetime
) -> Preview:
    """How the patient would read it, in their language and on their channel; texts that cannot be said are left out."""
    language, free = Language(thread.language), composed.free.strip()
    speaks_against = judged(session, rules, published.content, thread, composed, at)
    parts = []
    for name in composed.names:
        try:
            parts.append(text_of(published, Said((name,), language, thread.channel, values=values_for(case))))
        except (NotPublished, Withheld):
            speaks_against.append(Objection(Flaw.NO_SUCH_TEXT, name))
    text = "\n\n".join([*parts, free] if free else parts)
    is_short = thread.channel in wording.SHORT_CHANNELS
    return Preview(text, tuple(dict.fromkeys(speaks_against)), segments(text).count if is_short and text else None)
