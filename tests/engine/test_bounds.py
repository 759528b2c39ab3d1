"""The engine's memory stays bounded, however many conversations come by."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.recent import Recent
from tests.engine.running import ROOT, running_engine

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcdefgh")),
        st.tuples(st.just("get"), st.sampled_from("abcdefgh")),
        st.tuples(st.just("forget"), st.sampled_from("abcdefgh")),
        st.tuples(st.just("wait"), st.integers(0, 20)),
    ),
    max_size=60,
)


@given(steps=STEPS, most=st.integers(1, 5), seconds=st.integers(1, 30))
def test_the_recent_is_what_was_touched_last_and_not_long_ago(
    steps: list[tuple[str, str | int]], most: int, seconds: int
) -> None:
    now = 0.0
    recent: Recent[int] = Recent(most=most, seconds=seconds, clock=lambda: now)
    model: OrderedDict[str, tuple[float, int]] = OrderedDict()
    for count, (step, what) in enumerate(steps):
        if step == "wait":
            now += float(what)
        for key in [key for key, (touched, _) in model.items() if touched < now - seconds]:
            del model[key]
        key = str(what)
        if step == "put":
            recent.put(key, count)
            model[key] = (now, count)
            model.move_to_end(key)
            while len(model) > most:
                model.popitem(last=False)
        elif step == "forget":
            recent.forget(key)
            model.pop(key, None)
        elif step == "get":
            expected = model.get(key)
            assert recent.get(key) == (expected and expected[1])
            if expected:
                model[key] = (now, expected[1])
                model.move_to_end(key)
        assert len(recent) <= most
    recent.get("")  # whoever looks drops what has become too old
    assert list(recent) == list(model)


@pytest.mark.parametrize(("most", "seconds"), [(0, 1.0), (1, 0.0), (-1, 5.0)])
def test_a_memory_without_room_or_time_is_refused(most: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="room"):
        Recent[int](most=most, seconds=seconds, clock=lambda: 0.0)


@pytest.mark.engine
def test_two_thousand_conversations_leave_the_engine_as_large_as_it_was(model: Path, tmp_path: Path) -> None:
    small = tmp_path / "endpoints.yml"
    small.write_text((ROOT / "endpoints.yml").read_text().replace("most: 2000", "most: 100"))
    with running_engine(model, options=("--endpoints", str(small))) as engine:
        for count in range(400):
            assert engine.turn(f"early-{count}", topic="data_types").status_code == 200
        before = engine.resident_mb()
        for count in range(1600):
            assert engine.turn(f"later-{count}", topic="data_types").status_code == 200
        assert engine.resident_mb() - before < 12
        assert engine.turn("early-0", topic="speak_human").status_code == 200


@pytest.mark.engine
def test_a_forgotten_conversation_starts_anew(model: Path, tmp_path: Path) -> None:
    small = tmp_path / "endpoints.yml"
    small.write_text((ROOT / "endpoints.yml").read_text().replace("most: 2000", "most: 2"))
    with running_engine(model, options=("--endpoints", str(small))) as engine:
        engine.turn("first", topic="extortion")
        engine.turn("second", topic="data_types")
        assert engine.turn("first", topic="speak_human").json()["do"][0]["reason"] == "extortion"
        engine.turn("third", topic="data_types")
        engine.turn("fourth", topic="data_types")
        assert engine.turn("first", topic="speak_human").json()["do"][0]["reason"] == "patient_wish"
