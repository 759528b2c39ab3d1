"""Stored hooks over both databases: once per id whoever stores them, read in order, one that breaks stops no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import HookKind, Kept
from bot.channels.registry import channels
from bot.conversations.models import Thread, Turn
from bot.conversations.post import hooks
from bot.conversations.post.models import HookDelivery, HookStatus
from bot.conversations.transcript import TURN_TEXT
from tests.channels.signing import MAKERS, account
from tests.make import FakeClock

KIND = HookKind.TWILIO_MESSAGES


@pytest.fixture
def desk(tmp_path: Path, clock: FakeClock, vault: Vault, index: BlindIndex) -> hooks.Desk:
    return hooks.Desk(channels(account(tmp_path), clock), vault, index)


def kept(desk: hooks.Desk, number: int) -> tuple[HookKind, Kept]:
    return KIND, desk.channels["sms"].keep(MAKERS["sms"].turn(f"question {number}", f"SM{number}"))


def test_the_same_hook_stored_by_many_at_once_is_one_row(database: Database, desk: hooks.Desk, clock: FakeClock) -> None:
    same = [kept(desk, 1), kept(desk, 2)]

    def store(_: int) -> int:
        with database.writing() as session:
            return hooks.store(session, desk.vault, same, clock())

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(store, range(16))) == 2


def test_hooks_become_turns_in_the_order_they_came_and_a_broken_one_stops_none(
    database: Database, desk: hooks.Desk, clock: FakeClock
) -> None:
    with database.writing() as session:
        hooks.store(session, desk.vault, [kept(desk, number) for number in range(10)], clock())
        session.flush()
        third = session.scalars(select(HookDelivery).order_by(HookDelivery.id).offset(3)).first()
        assert third is not None
        third.sealed_content = "spoilt"
    for _ in range(hooks.TRIES):
        with database.writing() as session:
            hooks.apply(session, desk, clock())
    with database.reading() as session:
        assert not hooks.waiting(session)
        texts = [
            desk.vault.open(turn.sealed_text or "", TURN_TEXT) for turn in session.scalars(select(Turn).order_by(Turn.number))
        ]
        statuses = list(session.scalars(select(HookDelivery.status).order_by(HookDelivery.id)))
        assert len(session.scalars(select(Thread)).all()) == 1
    assert texts == [f"question {number}" for number in range(10) if number != 3]
    assert statuses == [HookStatus.BROKEN if number == 3 else HookStatus.APPLIED for number in range(10)]


def test_two_readers_at_once_apply_each_hook_once(database: Database, desk: hooks.Desk, clock: FakeClock) -> None:
    with database.writing() as session:
        hooks.store(session, desk.vault, [kept(desk, number) for number in range(20)], clock())

    def read(_: int) -> int:
        with database.writing() as session:
            return hooks.apply(session, desk, clock()).number

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(read, range(4))) == 20
    with database.reading() as session:
        assert len(session.scalars(select(Turn)).all()) == 20
