"""The table of letters that tells English, Tagalog and Indonesian apart, and how it is learnt."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bench.learning import letters
from bot.base.text import latin
from tests.growth import grows_like_its_input

CORPUS = [("en", ["the", "three", "thin"]), ("tl", ["ang", "mga", "anong"]), ("id", ["yang", "yakin", "saya"])] * 4


def test_a_word_is_cut_into_runs_of_up_to_four_letters_with_its_ends() -> None:
    assert list(latin.runs("po")) == ["_", "p", "o", "_", "_p", "po", "o_", "_po", "po_", "_po_"]


def test_words_of_each_language_speak_for_it() -> None:
    for code, words in {"en": "when will you call", "tl": "kailan po kayo tatawag", "id": "kapan anda akan menelepon"}.items():
        assert latin.ranked(words.split())[0][1] == code


def test_nothing_is_said_about_letters_nobody_knows() -> None:
    assert latin.ranked([]) == []
    assert latin.ranked(["þþ"]) in ([], latin.ranked(["_"]))


def test_the_table_names_only_runs_that_a_word_can_have() -> None:
    rows = json.loads(latin.TABLE.read_text(encoding="utf-8"))
    for weights, listed in rows.items():
        assert len(weights.split()) == len(latin.CODES)
        assert all(0 < len(run) <= latin.LONGEST for run in listed.split())
    names = [run for listed in rows.values() for run in listed.split()]
    assert len(names) == len(set(names))


def test_what_is_seen_in_one_language_only_speaks_for_it() -> None:
    table = letters.learn(CORPUS)
    assert max(zip(table["th"], latin.CODES, strict=True))[1] == "en"
    assert max(zip(table["mga"], latin.CODES, strict=True))[1] == "tl"
    assert max(zip(table["ya"], latin.CODES, strict=True))[1] == "id"


def test_a_line_the_table_is_unsure_of_teaches_nothing() -> None:
    table = letters.learn(CORPUS)
    assert letters.judged(table, [["o"], []]) == []
    assert [code for code, _ in letters.judged(table, [["the", "three"] * 9])] == ["en"]


def test_a_table_is_kept_as_it_is_read(tmp_path: Path) -> None:
    letters.write({"_a": (1, -2, 9), "b": (1, -2, 9), "c_": (7, 0, -7)}, tmp_path / "table.json")
    assert json.loads((tmp_path / "table.json").read_text()) == {"1 -2 9": "_a b", "7 0 -7": "c_"}


@given(st.lists(st.text(max_size=40), max_size=8))
def test_no_word_can_break_it(words: list[str]) -> None:
    assert len(latin.ranked(words)) in (0, len(latin.CODES))


def test_work_grows_with_the_letters() -> None:
    assert grows_like_its_input(lambda text: latin.ranked([text]), "kailangan", 400)
