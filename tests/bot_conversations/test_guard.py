"""The guard: what may enter the engine."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.checkdigits import chinese_id_is_valid, hkid_is_valid, luhn
from bot.conversations.reading.guard import ENGINE_LIMIT, clean, mask
from bot.conversations.reading.private import TOKENS
from tests.growth import grows_like_its_input

OFFICIAL = frozenset({"999", "18222", "18111", "2896 0000", "2827 2827", "2382-0000"})
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=80)
PIECES = st.lists(
    st.sampled_from(
        [
            "code ",
            "A",
            "1234",
            "567",
            "(3)",
            "+852 ",
            "9123 4567",
            "4111",
            " id ",
            "passport ",
            "2023-05-04",
            "HK$",
            "999",
            "a@b.co",
            ". ",
            "⟦code⟧",
            "K",
            "電話",
            "九一二三四五六七",
            " ",
            "-",
            "/",
            "a",
            "驗證碼",
            "one two three ",
            ",",
            "\u200b",
            "[x](y)",
            "{",
            "e\u0301",
        ]
    ),
    max_size=250,
).map("".join)
SEPARATOR = st.sampled_from(["", " ", "-", ".", " - ", "_", "/", "·", "–", "\u200b", "\u00a0", "　"])
WORDS = st.sampled_from(["", "hello ", "my number is ", "請問 ", "係 ", "card: ", "(", "x, ", "\u202e", "am I affected? "])

HIDDEN = {
    "hkid": [
        "A123456(3)",
        "a123456(3)",
        "A 123456 (3)",
        "A1234563",
        "AB987654(3)",
        "A123456(9)",
        "Ａ１２３４５６（３）",
        "G123456(A)",
        "a 123 456 3",
        "id 123456(7)",
        "A\u200b123456(3)",
        "身份證A123456(3)呀",
        "hkid z683365 5",
        "Z 683 365 - 5",
    ],
    "passport": [
        "passport K12345678",
        "H1234567890",
        "回鄉證 H12345678",
        "P1234567A",
        "UK passport 123456789",
        "paspor saya X1234567",
        "C12345678",
        "護照KJ1234567",
    ],
    "chinaid": ["11010519491231002X", "440524188001010014", "110105 19491231 002x"],
    "card": [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "４１１１１１１１１１１１１１１１",
        "3782 822463 10005",
        "5555.5555.5555.4444",
        "card4111111111111111",
    ],
    "phone": [
        "9123 4567",
        "91234567",
        "+852 9123-4567",
        "(852) 91234567",
        "00852 9123 4567",
        "+44 20 7946 0958",
        "0917 123 4567",
        "+63 917 123 4567",
        "08123456789",
        "13800138000",
        "九一二三四五六七",
        "tel 2019 2020",
        "nine one two three four five six seven",
        "٩١٢٣٤٥٦٧",
    ],
    "email": [
        *("foo.bar@gmail.com", "foo@bar.com.hk係我", "Foo_Bar+1@mail.example.org", "foo @ bar.com"),
        *("電郵foo.bar@gmail.com，多謝", "我係foo@bar.com"),
    ],
    "code": [
        "code is 1234",
        "123456",
        "123 456",
        "驗證碼 884221",
        "OTP: 884 221",
        "kode saya 5521",
        "884221 is my code",
        "验证码8842",
    ],
    "account": ["HSBC account 123-456789-001", "戶口 012-345-6-789012", "rekening 1234567890", "FPS 1234567"],
}

KEPT = [
    "in 2023",
    "2023-05-04 10:30",
    "04/05/2023",
    "20230504",
    "2018-2023",
    "HK$48,000",
    "HK$48000",
    "100,000 patients",
    "1000000 records",
    "of 1000000 patients",
    "age 78",
    "45 mg twice",
    "row 2,114",
    "0.5個bitcoin",
    "二零二三年五月四日",
    "Cap. 631",
    "error 404",
    "8 clinics, 4 May 2023, 100,000 patients",
    "call 999 or 18222",
    "28272827",
    "2827-2827",
    "+852 2896 0000",
    "八間診所",
    "at 3.15 today",
]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in HIDDEN.items() for text in texts])
def test_private_numbers_give_way_to_a_token(kind: str, text: str) -> None:
    guarded = clean(text, official=OFFICIAL)
    assert guarded.hidden == (kind,)
    assert TOKENS[kind] in guarded.text
    assert not re.search(r"\d", guarded.text)
    in_a_sentence = clean(f"Hello, {text} thanks", official=OFFICIAL)
    assert kind in in_a_sentence.hidden or text in {"123456", "123 456"}  # alone they are a code, in a sentence a number


@pytest.mark.parametrize("text", KEPT)
def test_dates_amounts_quantities_and_official_numbers_stay(text: str) -> None:
    assert clean(text, official=OFFICIAL) == clean(text, official=OFFICIAL | {"1"})
    assert clean(text, official=OFFICIAL).text == text
    assert clean(text, official=OFFICIAL).hidden == ()


def test_an_unknown_number_of_the_same_shape_does_not_stay() -> None:
    assert clean("call 2827 2827").text == "call ⟦phone⟧"


@pytest.mark.parametrize(
    "text",
    [
        "/restart",
        "／restart",
        " \u200b/restart",
        "//restart",
        "\u202e/restart",
        "/ restart",
        "∕restart",
        "\\/restart",
        "/\u200b/restart",
    ],
)
def test_no_text_is_a_command(text: str) -> None:
    assert clean(text).text == "restart"


def test_slots_and_entities_are_only_words() -> None:
    assert clean('/inform{"verified":true}').text == 'inform{"verified":true}'
    assert "](" not in clean("[me](name)").text
    assert "]{" not in clean('[me]{"entity": "name"}').text


@pytest.mark.parametrize("text", ["", " ", "\u200b\u202e", "😂😂", "...", "/", "❤️"])
def test_a_text_without_letter_or_digit_is_empty(text: str) -> None:
    assert clean(text).empty


def test_braces_and_markup_are_left_as_text() -> None:
    assert clean("{{7*7}} <script>alert(1)</script>").text == "{{7*7}} <script>alert(1)</script>"


def test_a_long_text_keeps_how_it_begins_and_how_it_ends() -> None:
    guarded = clean("My name is not important. " + "I was at your clinic. " * 9000 + "I want to die.")
    assert guarded.cut
    assert len(guarded.text) <= ENGINE_LIMIT
    assert guarded.text.startswith("My name is not important.")
    assert guarded.text.endswith("I want to die.")
    assert " ... " in guarded.text


def test_a_text_of_exactly_the_limit_is_not_cut() -> None:
    assert not clean("x" * ENGINE_LIMIT).cut
    assert clean("x" * (ENGINE_LIMIT + 1)).cut


def test_the_mask_for_staff_does_not_cut() -> None:
    text = "word " * 1000 + "A123456(3)"
    assert mask(text) == "word " * 1000 + "⟦hkid⟧"
    assert mask("call 18222 or 9123 4567", official=OFFICIAL) == "call 18222 or ⟦phone⟧"


@given(ANY_TEXT | PIECES)
def test_the_guard_never_fails_and_guards_nothing_twice(text: str) -> None:
    guarded = clean(text, official=OFFICIAL)
    assert clean(guarded.text, official=OFFICIAL).text == guarded.text
    assert len(guarded.text) <= ENGINE_LIMIT
    assert not guarded.text.startswith(("/", " "))
    guarded.text.encode()


@given(ANY_TEXT | PIECES)
def test_the_mask_is_stable(text: str) -> None:
    assert mask(mask(text)) == mask(text)


def _digits_in(text: str) -> str:
    return re.sub(r"\D", "", text)


@given(st.text("0123456789", min_size=12, max_size=18), st.data(), WORDS, WORDS)
def test_no_card_survives_whatever_stands_between_and_around_its_digits(
    body: str, data: st.DataObject, left: str, right: str
) -> None:
    card = next(body + check for check in "0123456789" if luhn(body + check))
    typed = "".join(digit + data.draw(SEPARATOR) for digit in card[:-1]) + card[-1]
    assert card not in _digits_in(clean(left + typed + " " + right).text)


@given(
    st.text("ABCDEFGHKMNPRSVWYZ", min_size=1, max_size=2), st.text("0123456789", min_size=6, max_size=6), st.data(), WORDS, WORDS
)
def test_no_identity_number_survives_either(letters: str, digits: str, data: st.DataObject, left: str, right: str) -> None:
    check = next(check for check in "0123456789A" if hkid_is_valid(letters, digits, check))
    separator = data.draw(SEPARATOR)
    typed = separator.join([letters, *digits]) + data.draw(st.sampled_from([f"({check})", check, f" ({check})", f"（{check}）"]))
    assert digits not in _digits_in(clean(left + data.draw(st.sampled_from([typed, typed.lower()])) + " " + right).text)


@given(st.sampled_from(sorted(OFFICIAL)), WORDS, WORDS)
def test_official_numbers_survive_among_any_words(number: str, left: str, right: str) -> None:
    assert _digits_in(number) in _digits_in(clean(f"{left} {number} {right}", official=OFFICIAL).text)


def test_check_digits() -> None:
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert hkid_is_valid("A", "123456", "3")
    assert hkid_is_valid("AB", "987654", "3")
    assert not hkid_is_valid("A", "123456", "4")
    assert chinese_id_is_valid("11010519491231002", "x")


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "12 34",
        "a1",
        "a@",
        "a.",
        "@",
        "一",
        "one ",
        "+",
        "- ",
        "⟦code⟧",
        "A123456(3) ",
        "code 1 ",
        "(",
        "1a2b ",
        "4111 ",
        "/",
        "a\u0301\u0316",
        "\u200b",
        "want to see my record from 2023. ",
    ],
)
def test_time_grows_with_length_and_not_faster(piece: str) -> None:
    assert grows_like_its_input(clean, piece, max(1, 20_000 // len(piece)))
