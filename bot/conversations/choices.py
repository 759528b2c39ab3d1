"""Choices: the buttons of a reply, their ids, and the ways in which a patient takes one.

A choice is issued by the server with an id that tells nothing; it dies with its session and with
its publication. On channels without buttons the digit, the Chinese numeral or the label is taken.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.models import Reply, Turn

_NUMERALS = {numeral: position for position, numeral in enumerate("一二三四五六七八九")}

_AROUND = ".．。、)(（）\ufe0f\u20e3"
"""What people and their keyboards put around a number."""


@dataclass(frozen=True)
class Chosen:
    """A choice taken by the patient: the topic it leads to, and whether it is still good."""

    topic: str
    expired: bool


def issue(reply_number: int, offered: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """The stored form of choices, given as (label, topic), for the reply with this number."""
    return [{"id": f"{reply_number}-{secrets.token_urlsafe(9)}", "label": label, "topic": topic} for label, topic in offered]


def label_of(session: Session, thread_id: int, choice_id: str) -> str | None:
    """The words on a button of this thread; None when it was never issued here."""
    issued = _issued(session, thread_id, choice_id)
    return issued[1]["label"] if issued else None


def pressed(session: Session, turn: Turn, publication_id: int) -> Chosen | None:
    """What a pressed button leads to; None when it was never issued in this thread."""
    issued = _issued(session, turn.thread_id, turn.choice or "")
    if issued is None:
        return None
    reply, choice = issued
    expired = reply.session_id != turn.session_id or reply.publication_id != publication_id
    return Chosen(choice["topic"], expired)


def typed(text: str, choices: Sequence[dict[str, str]]) -> str | None:
    """The topic of the choice that a typed text means: its place as a digit or numeral, or its label."""
    said = text.strip().strip(_AROUND).casefold()
    for position, choice in enumerate(choices):
        if said == choice["label"].casefold():
            return choice["topic"]
        if len(said) == 1 and (_NUMERALS.get(said) == position or (said.isdecimal() and int(said) == position + 1)):
            return choice["topic"]
    return None


def _issued(session: Session, thread_id: int, choice_id: str) -> tuple[Reply, dict[str, str]] | None:
    number = choice_id.partition("-")[0]
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        return None
    reply = session.scalars(select(Reply).where(Reply.thread_id == thread_id, Reply.number == int(number))).first()
    found = [
        choice for choice in (reply.choices if reply else []) if secrets.compare_digest(choice["id"].encode(), choice_id.encode())
    ]
    return (reply, found[0]) if reply and found else None
