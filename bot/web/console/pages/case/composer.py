"""What the composer shows: the chosen texts, the responder's own words, what speaks against them, how the patient reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.conversations.models import Thread
from bot.conversations.speaking.publication import Published
from bot.desk.models import Case
from bot.desk.sight import catalogue
from bot.desk.work.answers import thread_for
from bot.desk.work.composing import Composed, Preview, preview
from bot.desk.work.speech import Flaw, Objection
from bot.web.console.door import Staff
from bot.web.console.pages.case.tools import rules_of


@dataclass(frozen=True, repr=False)
class Chosen:
    """A text that was chosen."""

    name: str
    label: str
    is_translated: bool


@dataclass(frozen=True, repr=False)
class Composer:
    """The part of the composer that changes with every word."""

    thread: Thread
    chosen: Sequence[Chosen]
    preview: Preview
    wrong: Sequence[str]  # sentences
    in_english: bool
    lacks_translation: bool


def composer(staff: Staff, session: Session, published: Published, case: Case, composed: Composed) -> Composer:
    """The composer with these words in it; nothing is said of an empty one."""
    thread = thread_for(session, case, composed.thread_id)
    made = preview(session, rules_of(staff, published), published, case, thread, composed, staff.now)
    content = published.content
    chosen = [
        Chosen(
            name,
            catalogue.topic_label(content, name, staff.language),
            thread.language in content["wordings"].get(name, {}).get("texts", {}),
        )
        for name in composed.names
    ]
    wrong = [in_words(staff, one) for one in made.objections if one.flaw is not Flaw.EMPTY]
    lacks = any(not one.is_translated for one in chosen)
    return Composer(thread, chosen, made, wrong, composed.in_english, lacks)


def in_words(staff: Staff, objection: Objection) -> str:
    """What speaks against a reply, as a sentence."""
    what = objection.what
    if objection.flaw is Flaw.OTHER_LANGUAGE:
        what = Language(what).own_name
    if objection.flaw is Flaw.PRIVATE:
        what = staff.t(f"case.private_{what}")
    return staff.t(f"case.flaw_{objection.flaw.value}", what=what)
