"""Turns that were not understood, and a person's label for one: the only way from what patients write into training.

Nothing goes into an example but the guarded text, and nothing that held a private detail goes at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.conversations.models import Reply, Turn, TurnStatus
from bot.conversations.reading import guard
from bot.conversations.transcript import TURN_TEXT
from bot.desk.models import CaseReason

ASKED = frozenset({"clarify", "not_understood"})
LONGEST = 400
"""Characters of an example; a longer text is a story, and a story tells who wrote it."""
HARMLESS = "harmless"


@dataclass(frozen=True)
class Miss:
    """A turn that was not understood: its masked text, what became of it, and the topics that were considered."""

    turn_id: int
    at: datetime
    language: str
    what: str
    text: str
    topics: tuple[tuple[str, float], ...]


def misses(session: Session, vault: Vault, official: frozenset[str], limit: int) -> Iterator[Miss]:
    """The latest turns that fell back, were asked back or were handed over unanswered, newest first."""
    given_up = set(session.scalars(select(CaseReason.turn_id).where(CaseReason.reason == "not_understood")))
    rows = select(Turn, Reply.say).join(Reply, Reply.turn_id == Turn.id).where(Turn.sealed_text.is_not(None))
    found = 0
    for turn, said in session.execute(rows.order_by(Turn.id.desc())):
        what = _what(turn, said, given_up)
        if what is None:
            continue
        text = guard.mask(vault.open(turn.sealed_text or "", TURN_TEXT), official=official)
        yield Miss(turn.id, turn.received_at, turn.language or "", what, text, _first_three(turn.ranking))
        found += 1
        if found == limit:
            return


def _what(turn: Turn, said: list[str], given_up: set[int | None]) -> str | None:
    if turn.status == TurnStatus.FAILED.value:
        return "failed"
    if turn.id in given_up:
        return "handed over"
    return "asked back" if ASKED & set(said) else None


def _first_three(ranking: list[dict[str, Any]] | None) -> tuple[tuple[str, float], ...]:
    return tuple((guess["topic"], guess["confidence"]) for guess in (ranking or [])[:3])


def example_of(session: Session, vault: Vault, official: frozenset[str], turn_id: int) -> str:
    """A turn's text as an example; BadInput when it is not there, held a private detail, or is none."""
    turn = session.get(Turn, turn_id)
    if turn is None or not turn.sealed_text:
        raise BadInput(f"There is no turn {turn_id} with a text.")
    guarded = guard.clean(vault.open(turn.sealed_text, TURN_TEXT), official=official)
    if guarded.hidden:
        raise BadInput(f"Turn {turn_id} holds a private detail ({', '.join(guarded.hidden)}): it cannot become an example.")
    text = " ".join(guarded.text.split())
    if guarded.empty or guarded.cut or len(text) > LONGEST:
        raise BadInput(f"Turn {turn_id} is empty or longer than {LONGEST} characters: it cannot become an example.")
    return text


def add_example(data: Path, topic: str, text: str) -> Path:
    """Put an example behind the others of its topic; returns the file, BadInput when no file has the topic."""
    for path in _places(data, topic):
        lines = path.read_text(encoding="utf-8").splitlines()
        end = _end_of_examples(lines, topic)
        if end is not None:
            indent = lines[end - 1][: len(lines[end - 1]) - len(lines[end - 1].lstrip())]
            if f"{indent}- {text}" in lines:
                raise BadInput(f"{path.name} has this example already.")
            lines.insert(end, f"{indent}- {text}")
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            return path
    raise BadInput(f"There is no topic '{topic}'.")


def _places(data: Path, topic: str) -> list[Path]:
    if topic == HARMLESS:
        return [data / "danger" / "harmless.yml"]
    return sorted([*(data / "faq").glob("*.yml"), *(data / "flows").glob("*.yml")])


def _end_of_examples(lines: list[str], topic: str) -> int | None:
    """Behind which line the topic's block of examples ends."""
    heads = (f"- intent: {topic}", f"topic: {topic}")
    starts = [number for number, line in enumerate(lines) if line.strip() in heads]
    if not starts:
        return None
    inside = starts[0] + 1
    while inside < len(lines) and lines[inside].strip() != "examples: |":
        inside += 1
    end = inside + 1
    while end < len(lines) and lines[end].strip().startswith("- ") and lines[end].startswith(" "):
        end += 1
    return end if end > inside + 1 else None
