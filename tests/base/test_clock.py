"""Time is aware and in UTC inside, Hong Kong's at the doors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.base.clock import in_hong_kong, system_clock
from tests.make import FakeClock


def test_the_machines_time_is_aware_and_in_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)
    assert abs(system_clock() - datetime.now(UTC)) < timedelta(seconds=5)


def test_hong_kong_is_eight_hours_ahead_the_whole_year() -> None:
    for month in (1, 7):
        assert in_hong_kong(datetime(2023, month, 8, 16, 30, tzinfo=UTC)).isoformat() == f"2023-0{month}-09T00:30:00+08:00"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        in_hong_kong(datetime(2023, 5, 8))


def test_a_fake_clock_moves_only_when_told() -> None:
    clock = FakeClock()
    before = clock()
    assert clock() == before
    assert clock.advance(minutes=31) - before == timedelta(minutes=31)
    assert clock() == before + timedelta(minutes=31)
