"""Statuses: the one place that writes them.

A status is a `StrEnum` with a comment per member and, directly beneath it, the table of allowed
moves. `move` is the only writer of `.status` in the code base, an architecture test keeps it so;
`moving` is its form for many rows at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from sqlalchemy import Update, update

from bot.base.errors import IllegalMove


class HasStatus(Protocol):
    """A row with a status and the table of its moves."""

    status: Any
    MOVES: ClassVar[Mapping[Any, frozenset[Any]]]


def may_move(row: HasStatus, to: StrEnum) -> bool:
    """Whether the row's table allows this move from where it is now."""
    return to in row.MOVES.get(row.status, frozenset())


def move(row: HasStatus, to: StrEnum) -> None:
    """Set the row's status; raises IllegalMove when its table has no such move."""
    if not may_move(row, to):
        raise IllegalMove(f"{type(row).__name__} may not go from {row.status} to {to}")
    row.status = to


def moving(table: Any, to: StrEnum) -> Update:
    """An UPDATE that moves rows of a table with a status to where their table allows it, and leaves all others alone."""
    sources = [source for source, targets in table.MOVES.items() if to in targets]
    return update(table).where(table.status.in_([str(source) for source in sources])).values(status=str(to))
