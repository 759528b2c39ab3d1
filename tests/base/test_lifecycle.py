"""Statuses move only along their tables."""

from __future__ import annotations

import pytest

import bot.conversations.speaking.publication
from bot.base.database import Base
from bot.base.errors import IllegalMove
from bot.base.lifecycle import may_move, move
from bot.conversations.models import Turn, TurnStatus
from bot.desk.models import Case, CaseStatus

assert bot.conversations.speaking.publication  # imported so that all tables are known


def test_an_allowed_move_is_made() -> None:
    turn = Turn(status=TurnStatus.STORED)
    assert may_move(turn, TurnStatus.ANSWERED)
    move(turn, TurnStatus.ANSWERED)
    assert turn.status == TurnStatus.ANSWERED


@pytest.mark.parametrize("to", [TurnStatus.STORED, TurnStatus.ANSWERED, TurnStatus.QUEUED])
def test_any_other_move_is_refused_and_changes_nothing(to: TurnStatus) -> None:
    turn = Turn(status=TurnStatus.FAILED)
    with pytest.raises(IllegalMove, match="Turn may not go from failed"):
        move(turn, to)
    assert turn.status == TurnStatus.FAILED


def test_a_status_as_it_comes_from_the_database_moves_too() -> None:
    case = Case(status="open")
    move(case, CaseStatus.CLAIMED)
    assert case.status == CaseStatus.CLAIMED


def test_a_status_nobody_knows_goes_nowhere() -> None:
    assert not may_move(Case(status="lost"), CaseStatus.OPEN)


WITH_STATUS = [model for model in Base.__subclasses__() if "status" in model.__table__.columns]


@pytest.mark.parametrize("model", WITH_STATUS, ids=lambda model: model.__name__)
def test_every_status_has_a_table_of_moves_between_members_of_one_enum(model: type[Base]) -> None:
    moves = model.MOVES  # type: ignore[attr-defined]
    named = {*moves, *(to for targets in moves.values() for to in targets)}
    (enum,) = {type(member) for member in named}
    assert named == set(enum)
    assert model.__table__.columns["status"].default.arg in enum
