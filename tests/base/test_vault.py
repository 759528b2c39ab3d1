"""Sealed fields and blind indexes: what opens, what is found, what is refused."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.base.errors import BadInput, Misconfigured, Tampered
from bot.base.vault import BlindIndex, KeyRing, Vault, new_key

OLD, NEW = new_key("old"), new_key("new")
VAULT = Vault(NEW + "," + OLD)
INDEX = BlindIndex(NEW + "," + OLD)

anything = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates too


@given(text=anything)
def test_what_was_sealed_opens(text: str) -> None:
    assert VAULT.open(VAULT.seal(text, "turns.text"), "turns.text") == text


@given(text=st.text(min_size=4), context=st.text(max_size=20))
def test_a_token_opens_only_in_its_own_context(text: str, context: str) -> None:
    assume(context != "turns.text")
    with pytest.raises(Tampered):
        VAULT.open(VAULT.seal(text, "turns.text"), context)


@given(text=st.text(max_size=40), where=st.integers(0, 500), letter=st.sampled_from("AZaz09-_=.*é"))
def test_a_changed_token_never_opens_to_something_else(text: str, where: int, letter: str) -> None:
    token = VAULT.seal(text, "turns.text")
    where %= len(token)
    changed = token[:where] + letter + token[where + 1 :]
    with contextlib.suppress(Tampered):
        assert VAULT.open(changed, "turns.text") == text


@pytest.mark.parametrize("token", ["", ".", "new", "new.", "new.AAAA", "gone.AAAA", "new.ÄÖÜ", "new.A", "new." + "A" * 64])
def test_rubbish_is_tampered_and_nothing_else(token: str) -> None:
    with pytest.raises(Tampered):
        VAULT.open(token, "turns.text")


def test_the_same_text_never_gives_the_same_token() -> None:
    assert len({VAULT.seal("same", "c") for _ in range(1000)}) == 1000


def test_a_token_cannot_be_passed_off_as_one_of_another_key() -> None:
    token = VAULT.seal("text", "c")
    with pytest.raises(Tampered):
        VAULT.open(token.replace("new.", "old.", 1), "c")


def test_an_old_key_still_opens_and_is_said_to_need_rotation() -> None:
    before = Vault(OLD).seal("text", "c")
    assert VAULT.open(before, "c") == "text"
    assert VAULT.needs_rotation(before)
    after = VAULT.seal(VAULT.open(before, "c"), "c")
    assert not VAULT.needs_rotation(after)
    assert Vault(NEW).open(after, "c") == "text"
    with pytest.raises(Tampered, match="not in the ring"):
        Vault(NEW).open(before, "c")


# ---------------------------------------------------------------- keys

GOOD = base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("", "there is no key"),
        (" , ", "there is no key"),
        (GOOD, "entry 1 must be `id:base64`"),
        (f"a b:{GOOD}", "entry 1 must be"),
        (f"UPPER:{GOOD}", "entry 1 must be"),
        (f"far-too-long-id:{GOOD}", "entry 1 must be"),
        (f"a.b:{GOOD}", "entry 1 must be"),
        (f"{NEW},b:***", "entry 2 is not valid base64"),
        (f"{NEW},b:{GOOD[:20]}", "entry 2 has 15 bytes"),
        (f"a:{GOOD}{GOOD}", "entry 1 "),
        (f"{NEW},new:{GOOD}", "entry 2 repeats"),
        (f"a:{GOOD},b:{GOOD}", "entry 2 repeats"),
        ("a:" + base64.b64encode(bytes(32)).decode(), "not random"),
    ],
)
@pytest.mark.parametrize("make", [Vault, BlindIndex])
def test_wrong_keys_are_refused_with_their_place_and_never_shown(make: type[Vault | BlindIndex], keys: str, says: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        make(keys)
    assert says in str(caught.value)
    assert GOOD[:16] not in str(caught.value)


def test_a_ring_does_not_print_its_keys() -> None:
    ring = KeyRing("vault_keys", NEW)
    assert NEW.partition(":")[2][:10] not in f"{ring!r} {ring} {VAULT!r} {INDEX!r}"


def test_spaces_line_ends_and_the_other_base64_alphabet_are_understood() -> None:
    odd = base64.urlsafe_b64encode(b"\xfb\xff" + bytes(range(30))).decode()
    assert "-" in odd
    assert "_" in odd
    ring = KeyRing("vault_keys", f" {NEW} ,\n odd:{odd}\n")
    assert [key_id for key_id, _ in ring.items()] == ["new", "odd"]


def test_a_key_id_that_cannot_be_used_is_refused_when_made() -> None:
    with pytest.raises(Misconfigured):
        new_key("2023/05")


# ---------------------------------------------------------------- blind indexes


def test_an_entry_names_key_and_normaliser_and_fits_its_column() -> None:
    entry = INDEX.index("web", "token")
    assert entry.startswith("new.1.")
    assert "token" not in entry
    assert len(BlindIndex(new_key("a" * 12)).index("web", "token")) <= 80


def test_a_look_up_asks_under_all_live_keys() -> None:
    stored = BlindIndex(OLD).index("email", "chan@example.hk")
    assert stored in INDEX.every("email", "chan@example.hk")
    assert INDEX.needs_rotation("email", stored)
    assert INDEX.every("email", "chan@example.hk")[0] == INDEX.index("email", "chan@example.hk")
    assert not INDEX.needs_rotation("email", INDEX.index("email", "chan@example.hk"))


def test_the_same_value_in_another_kind_is_another_entry() -> None:
    assert INDEX.index("text", "85291234567") != INDEX.index("phone", "85291234567") != INDEX.index("web", "85291234567")


def test_without_the_key_nobody_can_make_the_entry() -> None:
    assert BlindIndex(new_key("new")).index("web", "token") != INDEX.index("web", "token")


def test_a_web_token_is_taken_as_it_is() -> None:
    assert INDEX.index("web", "AbC ") != INDEX.index("web", "abc")


@pytest.mark.parametrize(
    "written",
    [
        "91234567",
        "9123 4567",
        "9123-4567",
        "+852 9123 4567",
        "+85291234567",
        "00852 9123 4567",
        "852 9123 4567",
        "(852) 9123-4567",
        "９１２３ ４５６７",
        "\u200b9123\u00a04567\ufeff",
        "+852\u20119123\u20134567",
    ],
)
def test_one_hong_kong_number_has_one_entry_however_it_is_written(written: str) -> None:
    assert INDEX.index("phone", written) == INDEX.index("phone", "+85291234567")


def test_numbers_from_elsewhere_keep_their_country() -> None:
    assert INDEX.index("phone", "+44 (0)20 7946 0000") == INDEX.index("phone", "0044 20 7946 0000")
    assert INDEX.index("phone", "+86 138 1234 5678") != INDEX.index("phone", "+1 381 234 5678")


@pytest.mark.parametrize(
    "written", ["", "12", "ring me", "13812345678", "+0123456789", "9123 4567 ext 8", "+" + "1" * 16, "٩١٢٣٤٥٦٧"]
)
def test_what_is_no_number_is_refused_without_being_repeated(written: str) -> None:
    with pytest.raises(BadInput) as caught:
        INDEX.index("phone", written)
    assert not written or written not in str(caught.value)


@pytest.mark.parametrize(
    "written",
    ["Chan.Tai-Man@Example.HK", " chan.tai-man@example.hk\n", "ｃhan.tai-man@example.hk", "chan.tai-man\u200b@example.hk"],
)
def test_one_e_mail_address_has_one_entry_however_it_is_written(written: str) -> None:
    assert INDEX.index("email", written) == INDEX.index("email", "chan.tai-man@example.hk")


@pytest.mark.parametrize("written", ["", "chan", "@example.hk", "chan@", "chan tai@example.hk"])
def test_what_is_no_e_mail_address_is_refused(written: str) -> None:
    with pytest.raises(BadInput):
        INDEX.index("email", written)


@given(value=anything)
def test_writing_it_in_capitals_or_with_more_spaces_changes_no_text_entry(value: str) -> None:
    assert INDEX.index("text", value) == INDEX.index("text", f"  {value.casefold()} ")


@given(value=anything, kind=st.sampled_from(["phone", "email", "text", "web"]))
def test_no_value_breaks_an_index(value: str, kind: str) -> None:
    try:
        assert INDEX.index(kind, value) == INDEX.every(kind, value)[0]
    except BadInput:
        assert kind in ("phone", "email")
