"""SMS segments, at every edge that costs money."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.segments import segments


@pytest.mark.parametrize(
    ("text", "count", "encoding"),
    [
        ("", 1, "GSM-7"),
        ("a" * 160, 1, "GSM-7"),
        ("a" * 161, 2, "GSM-7"),
        ("a" * 306, 2, "GSM-7"),
        ("a" * 307, 3, "GSM-7"),
        ("€" * 80, 1, "GSM-7"),
        ("€" * 81, 2, "GSM-7"),
        # 152 places and then a pair that does not fit the last place of its part
        ("a" * 152 + "€" + "a" * 152, 3, "GSM-7"),
        ("字" * 70, 1, "UCS-2"),
        ("字" * 71, 2, "UCS-2"),
        ("字" * 134, 2, "UCS-2"),
        ("字" * 135, 3, "UCS-2"),
        ("😀" * 35, 1, "UCS-2"),
        ("😀" * 36, 2, "UCS-2"),
        ("字" * 66 + "😀" + "字" * 66, 3, "UCS-2"),
        ("curly ’ quote", 1, "UCS-2"),
        ("tab\t", 1, "UCS-2"),
    ],
)
def test_a_text_is_counted_as_carriers_count_it(text: str, count: int, encoding: str) -> None:
    counted = segments(text)
    assert (counted.count, counted.encoding) == (count, encoding)


@given(st.text(max_size=400), st.text(max_size=100))
def test_a_longer_text_never_takes_fewer_segments(text: str, more: str) -> None:
    assert segments(text + more).count >= segments(text).count
