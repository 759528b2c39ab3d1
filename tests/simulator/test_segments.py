"""How texts are cut into SMS, against a second, slower way of counting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.twilio.segments import BASIC, EXTENDED, cut, smart

GSM = st.text(alphabet=sorted(BASIC | EXTENDED), max_size=500)
ANY = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400)


def by_filling(units: list[int], single: int, part: int) -> int:
    """Fill segment after segment with whole characters."""
    if sum(units) <= single:
        return 1
    segments: list[list[int]] = [[]]
    for unit in units:
        if sum(segments[-1]) + unit > part:
            segments.append([])
        segments[-1].append(unit)
    return len(segments)


@given(GSM)
def test_gsm_texts_are_cut_at_160_and_153_with_escapes_kept_whole(text: str) -> None:
    found = cut(text)
    assert found.encoding == "gsm7"
    assert found.segments == by_filling([2 if letter in EXTENDED else 1 for letter in text], 160, 153)


@given(ANY.filter(lambda text: any(letter not in BASIC | EXTENDED for letter in text)))
def test_other_texts_are_cut_at_70_and_67_units_with_surrogate_pairs_kept_whole(text: str) -> None:
    found = cut(text)
    assert found.encoding == "ucs2"
    assert found.units == len(text.encode("utf-16-le")) // 2
    assert found.segments == by_filling([len(letter.encode("utf-16-le")) // 2 for letter in text], 70, 67)


@given(ANY, ANY)
def test_a_longer_text_never_needs_fewer_segments_of_its_alphabet(first: str, second: str) -> None:
    whole = cut(first + second)
    if whole.encoding == cut(first).encoding:
        assert whole.segments >= cut(first).segments


@given(ANY)
def test_smart_encoding_changes_nothing_unless_all_of_it_then_fits(text: str) -> None:
    changed = smart(text)
    assert changed == text or cut(changed).encoding == "gsm7"


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("你" * 70, 1),
        ("你" * 71, 2),
        ("你" * 134, 2),
        ("你" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("你" * 66 + "😀" + "你" * 66, 3),
        ("a" * 69 + "’", 1),
        ("a" * 70 + "’", 2),
        ("\u00a0", 1),
    ],
)
def test_known_texts_have_known_segments(text: str, segments: int) -> None:
    assert cut(text).segments == segments
