"""How a reply is cut into parts: nothing lost, nothing altered, in order, within the limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.segments import segments
from bot.channels.shapes import SMS_SEGMENTS, TWILIO_MOST, fits_sms, fits_whatsapp, shape, split

SENTENCES = st.lists(
    st.sampled_from(
        [
            "We are sorry. ",
            "Your records may be affected; we tell you as soon as we know. ",
            "請致電 2827 2827。",
            "我們會盡快回覆你！",
            "1. Change your password.\n",
            "Is that clear? ",
            "€[]{}~ and \\ take two places. ",
            "家庭👨‍👩‍👧 and flags 🇭🇰. ",
            "A" * 700 + " ",
            "\n\n",
        ]
    ),
    max_size=60,
).map("".join)


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("fits", [fits_sms, fits_whatsapp])
@given(text=st.one_of(SENTENCES, st.text(max_size=3000)))
@settings(max_examples=150, deadline=None)
def test_nothing_is_lost_altered_or_moved_and_every_part_fits(fits: object, text: str) -> None:
    parts = split(text, fits)  # type: ignore[arg-type]
    assert bare("".join(parts)) == bare(text)
    assert all(fits(part) for part in parts)  # type: ignore[operator]
    position = 0
    for part in parts:  # each part stands in the text as it is
        found = text.find(part, position)
        assert found >= position
        position = found + len(part)


@given(text=SENTENCES)
@settings(max_examples=100, deadline=None)
def test_an_sms_is_never_longer_than_four_segments(text: str) -> None:
    assert all(segments(part).count <= SMS_SEGMENTS and len(part) <= TWILIO_MOST for part in shape("sms", text, []))


def test_sentences_stay_whole_when_they_can() -> None:
    text = " ".join(f"This is sentence number {n} of a rather long text that will not fit." for n in range(1, 30))
    parts = shape("sms", text, [])
    assert len(parts) > 1
    assert all(part.endswith("fit.") and part.startswith("This is sentence") for part in parts)


def test_chinese_sentences_stay_whole() -> None:
    text = "我們的系統受到網絡攻擊，部分病人資料可能被盜取。" * 30
    parts = shape("sms", text, [])
    assert len(parts) > 1
    assert all(part.endswith("。") for part in parts)


def test_choices_become_numbered_lines_that_are_not_cut() -> None:
    parts = shape("sms", "Choose:", ["What happened?", "Talk to a person"])
    assert parts == ["Choose:\n\n1. What happened?\n2. Talk to a person"]
    long = shape("sms", "我們會盡快回覆你。" * 30, [f"選項{n}" for n in range(1, 5)])
    assert "\n".join(long).endswith("1. 選項1\n2. 選項2\n3. 選項3\n4. 選項4")


def test_an_email_is_one_part() -> None:
    assert len(shape("email", "A sentence. " * 1000, ["One"])) == 1


def test_a_joined_emoji_is_not_torn_apart() -> None:
    family = "👨‍👩‍👧"
    parts = split(family * 120, fits_sms)
    assert len(parts) > 1
    assert all(part.startswith("👨") and part.endswith("👧") for part in parts)
