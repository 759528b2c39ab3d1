"""plain and fold: one reading of every text."""

from hypothesis import given
from hypothesis import strategies as st

from bot.base.text import MARKS_KEPT, fold, plain
from tests.growth import grows_like_its_input

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@given(ANY_TEXT)
def test_reading_a_text_twice_changes_nothing(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert fold(fold(text)) == fold(text)
    plain(text).encode()  # no lone surrogate is left


def test_what_cannot_be_seen_is_removed() -> None:
    assert plain("a\u200bb\u202ec\U000e0041d\ufe0fe\x00f\ud800g\u2060\ufeff") == "abcdefg"


def test_widths_digits_and_spaces_have_one_form() -> None:
    assert plain("Ａ１２３　\n  ٤５\t६") == "A123 45 6"


def test_a_flood_of_marks_is_cut_to_what_a_language_needs() -> None:
    flooded = plain("z" + "\u0316\u0301" * 500 + "x")
    assert len(flooded) <= 2 + MARKS_KEPT
    assert plain("Nguye\u0302\u0303n") == "Nguyễn"


def test_one_character_never_becomes_many() -> None:
    assert len(plain("\ufdfa" * 1000)) == 1000


def test_time_grows_with_length_and_not_faster() -> None:
    for piece in ("a\u0301\u0316", "\u0301\u0316", "\ufdfaa\u200b", "想，", "\ud800a"):
        assert grows_like_its_input(fold, piece, 3_000), piece
