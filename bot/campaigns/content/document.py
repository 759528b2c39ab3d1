"""The words of a full notice as blocks: what an e-mail, its plain part and a letter are all made of.

The signs at the beginning of a line: `# ` a heading, `1. ` a step, `- ` a point, `= ` a line in a box, `@ N1 N2` the items of the
checklist that the following blocks carry. An empty line ends a block. Only what a template says itself makes structure: a value
stands between signs and is never looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.campaigns.content import marks

_STEP = re.compile(r"\d{1,2}\. +")


class Kind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    TEXT = "text"  # one paragraph; its lines are kept apart
    STEPS = "steps"  # numbered; a line is a step
    POINTS = "points"  # a line is a point
    BOX = "box"  # set apart from the rest


@dataclass(frozen=True)
class Block:
    """Some lines that belong together, and the items of the checklist they carry."""

    kind: Kind
    lines: tuple[str, ...]
    items: frozenset[str] = frozenset()


def parse(marked: str) -> tuple[Block, ...]:
    """The blocks of a rendered text, in order."""
    blocks: list[Block] = []
    items: frozenset[str] = frozenset()
    kind, lines = Kind.TEXT, list[str]()

    def end() -> None:
        if lines:
            blocks.append(Block(kind, tuple(lines), items))
            lines.clear()

    for line in [*marked.splitlines(), ""]:
        line = line.strip()
        if not marks.plain(line):
            end()
            continue
        if line.startswith("@"):
            end()
            items = frozenset(line[1:].split())
            continue
        its, words = _kind(line)
        if its != kind or its is Kind.HEADING:
            end()
            kind = its
        lines.append(marks.plain(words))
    return tuple(blocks)


def _kind(line: str) -> tuple[Kind, str]:
    for sign, kind in (("# ", Kind.HEADING), ("- ", Kind.POINTS), ("= ", Kind.BOX)):
        if line.startswith(sign):
            return kind, line[len(sign) :]
    if step := _STEP.match(line):
        return Kind.STEPS, line[step.end() :]
    return Kind.TEXT, line


def carried(blocks: tuple[Block, ...]) -> frozenset[str]:
    """The items of the checklist that have words under them; a heading alone says nothing."""
    return frozenset().union(*(block.items for block in blocks if block.kind is not Kind.HEADING), frozenset())


def unbroken(line: str) -> str:
    """The line with its telephone numbers kept on one line."""
    return re.sub(r"(?<=\d) (?=\d)", "\u00a0", line)


def as_text(blocks: tuple[Block, ...], *, wide: bool) -> str:
    """The blocks as plain text for an e-mail; `wide` characters are underlined at double width."""
    parts: list[str] = []
    for block in blocks:
        match block.kind:
            case Kind.HEADING:
                parts.append(f"{block.lines[0]}\n{'-' * min(60, len(block.lines[0]) * (2 if wide else 1))}")
            case Kind.STEPS:
                parts.append("\n".join(f"{place}. {line}" for place, line in enumerate(block.lines, start=1)))
            case Kind.POINTS:
                parts.append("\n".join(f"* {line}" for line in block.lines))
            case Kind.BOX:
                parts.append("\n".join(f"    {line}" for line in block.lines))
            case Kind.TEXT:
                parts.append("\n".join(block.lines))
    return "\n\n".join(parts) + "\n"
