"""How a reply is cut into parts: nothing lost, nothing altered, in order, within the limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.base.languages import Language
from bot.channels.segments import segments
from bot.channels.shapes import REPLY_WITH, SMS_SEGMENTS, TWILIO_MOST, fits_sms, fits_whatsapp, shape, split
from bot.conversations.choices import typed

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
    assert parts == ["Choose:\n\nReply with a number:\n1. What happened?\n2. Talk to a person"]
    long = shape("sms", "我們會盡快回覆你。" * 30, [f"選項{n}" for n in range(1, 5)])
    assert "\n".join(long).endswith("1. 選項1\n2. 選項2\n3. 選項3\n4. 選項4")


def test_an_email_is_one_part() -> None:
    assert len(shape("email", "A sentence. " * 1000, ["One"])) == 1


def test_a_joined_emoji_is_not_torn_apart() -> None:
    family = "👨‍👩‍👧"
    parts = split(family * 120, fits_sms)
    assert len(parts) > 1
    assert all(part.startswith("👨") and part.endswith("👧") for part in parts)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_of_two_numberings_only_the_choices_keep_theirs_and_a_line_says_what_it_is_for(channel: str, language: Language) -> None:
    text = "Do this:\n1. Ring 18222.\n2) Keep the message.\n３．Tell us.\n10. Wait. Of 2 codes, 1. counts."
    [part] = shape(channel, text, ["One", "Two"], language)
    steps, choices = part.split("\n\n")
    assert steps == "Do this:\n- Ring 18222.\n- Keep the message.\n- Tell us.\n- Wait. Of 2 codes, 1. counts."
    assert choices == f"{REPLY_WITH[language]}\n1. One\n2. Two"
    assert re.findall(r"(?m)^1\.", part) == ["1."]
    assert shape(channel, text, []) == [text], "without choices the steps keep their numbers"


@pytest.mark.parametrize("language", Language)
def test_what_stands_above_choices_costs_latin_texts_no_wider_alphabet(language: Language) -> None:
    assert set(REPLY_WITH) == set(Language)
    is_latin = language in (Language.EN, Language.TL, Language.ID)
    assert (segments(REPLY_WITH[language]).count, REPLY_WITH[language].isascii()) == (1, is_latin)
    assert len(REPLY_WITH[language]) <= 24


@pytest.mark.parametrize("said", ["2", "２", "二", "2.", "２．", "(2)", "（2）", "2、", "2️⃣", "Two", "two."])
def test_a_choice_is_taken_however_its_number_is_typed(said: str) -> None:
    offered = [{"id": "1-a", "label": "One", "topic": "first"}, {"id": "1-b", "label": "Two", "topic": "second"}]
    assert typed(said, offered) == "second"


@pytest.mark.parametrize("said", ["3", "0", "22", "2 1", "", "."])
def test_any_other_number_takes_no_choice(said: str) -> None:
    offered = [{"id": "1-a", "label": "One", "topic": "first"}, {"id": "1-b", "label": "Two", "topic": "second"}]
    assert typed(said, offered) is None
