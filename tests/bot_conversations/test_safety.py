"""The lexicon of emergencies: data/safety.yml as it is shipped, and how mistakes in it are told."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.base.errors import BadInput
from bot.base.languages import Language, identify
from bot.conversations.reading.phrases import KEPT, Phrase, sentences
from bot.conversations.reading.safety import Lexicon
from tests.growth import grows_like_its_input

ROOT = Path(__file__).parents[2]
LEXICON = Lexicon.load(ROOT / "data" / "safety.yml")


def _samples(name: str) -> dict[str, list[str]]:
    samples: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return samples


SAMPLES, PLAIN = _samples("emergencies.yml"), _samples("plain_words.yml")
HARMLESS = SAMPLES.pop("harmless")
LOOKALIKES = PLAIN.pop("harmless")
URGENCY = ["self_harm", "medical_urgent", "dv_safety", "extortion", "phishing_clicked", "attacker_claim"]


def categories(text: str) -> list[str]:
    return [hit.category for hit in LEXICON.scan(text)]


@pytest.mark.parametrize(("category", "text"), [(category, text) for category, texts in SAMPLES.items() for text in texts])
def test_an_emergency_is_noticed(category: str, text: str) -> None:
    assert category in categories(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert LEXICON.scan(text) == ()


@pytest.mark.parametrize(("category", "text"), [(category, text) for category, texts in PLAIN.items() for text in texts])
def test_an_emergency_said_plainly_is_noticed(category: str, text: str) -> None:
    assert category in categories(text)


@pytest.mark.parametrize("text", LOOKALIKES)
def test_a_figure_of_speech_or_an_old_story_is_left_alone(text: str) -> None:
    assert LEXICON.scan(text) == ()


def test_the_samples_are_enough_to_mean_something() -> None:
    assert list(SAMPLES) == URGENCY
    for texts in SAMPLES.values():
        assert len(texts) >= 40
        assert {identify(text, None) for text in texts} == set(Language)
    assert len(HARMLESS) >= 120


def test_hits_come_in_the_order_of_urgency_each_once() -> None:
    assert categories("I gave him my OTP. he beats me. I want to die. I really want to die.") == [
        "self_harm",
        "dv_safety",
        "phishing_clicked",
    ]


def test_a_hit_names_wording_reason_and_priority_and_none_of_the_patients_words() -> None:
    (hit,) = LEXICON.scan("I want to die, says Chan Tai Man")
    assert (hit.wording, hit.reason, hit.priority) == ("self_harm", "self_harm", "P0")
    assert "Chan" not in hit.phrase


def test_money_moving_is_more_urgent_than_a_link_opened() -> None:
    assert [hit.priority for hit in LEXICON.scan("I gave him my OTP")] == ["P0"]
    assert [hit.priority for hit in LEXICON.scan("I clicked the link, what now")] == ["P1"]


@pytest.mark.parametrize(
    "disguise",
    [
        "i want to d\u200bie",
        "Ｉ ＷＡＮＴ ＴＯ ＤＩＥ",
        "i want to dìe",
        "i waaant to diiie",
        "I want to... die",
        "i-want-to-die",
        "iwanttodie",
        "i want to d1e",
        "i want tо diе",
        "唔 想 做 人",
        "唔.想.做.人",
        "唔想做\u2060人",
        "吾想做人",
        "s.u.i.c.i.d.e",
        "su1cide",
        "k m s",
        "自-殺",
        "自杀",
    ],
)
def test_odd_spelling_hides_nothing(disguise: str) -> None:
    assert "self_harm" in categories(disguise)


def test_a_look_alike_silences_only_itself() -> None:
    assert categories("My phone died. I want to die.") == ["self_harm"]
    assert categories("I'm dying to know the truth and I want to die") == ["self_harm"]
    assert categories("this is killing me\nI will kill myself") == ["self_harm"]


def test_a_look_alike_does_not_reach_across_a_comma() -> None:
    assert categories("想死你哋個服務") == []
    assert categories("我個女話想死，你哋病人嚟㗎") == ["self_harm"]


def test_one_look_alike_does_not_hide_another() -> None:
    assert categories("I fainted at my blood test two years ago") == []


def test_a_question_about_what_might_be_counts_for_nothing() -> None:
    assert categories("What should I do if someone tries to blackmail me?") == []
    assert categories("Someone is blackmailing me. What should I do if he tries again?") == ["extortion"]


def test_a_gap_does_not_reach_into_the_next_sentence() -> None:
    assert categories("I want to go home. Plants die here.") == []


@pytest.mark.parametrize(
    "filler", ["I was at your clinic last week, and I have a question. ", "我上個禮拜去過你哋診所，想問啲嘢。", "word ", "好"]
)
@pytest.mark.parametrize("cry", ["I want to end my life", "我唔想做人喇"])
def test_words_at_the_end_of_a_very_long_text_count(filler: str, cry: str) -> None:
    text = (filler * (150_000 // len(filler) + 1))[:150_000] + " " + cry
    assert "self_harm" in categories(text)


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=120))
def test_no_text_can_break_it(text: str) -> None:
    LEXICON.scan(text)


@given(st.lists(st.sampled_from([word for texts in SAMPLES.values() for text in texts for word in text.split()]), max_size=60))
def test_no_mixture_of_its_own_words_can_break_it(words: list[str]) -> None:
    LEXICON.scan(" ".join(words))


@pytest.mark.parametrize(
    "piece",
    ["want to ", "want to want die to ", "想", "a", ". ", "s u ", "a1", "\n", "pay money tell my ", "i ", "[", "他會用 ", "die "],
)
def test_time_grows_with_length_and_not_faster(piece: str) -> None:
    assert grows_like_its_input(LEXICON.scan, piece, max(1, 20_000 // len(piece)))


# ------------------------------------------------------------------ the language of the file


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("want to die", "I WANT TO DIE", True),
        ("want to die", "I want to diet", False),
        ("dont want", "I don’t want it", True),
        ("want … die", "want one two three four five die", True),
        ("want … die", "want one two three four five six die", False),
        ("(kill|hurt) myself", "hurt myself", True),
        ("[really] want", "want", True),
        ("famil*", "families", True),
        ("= stalker", "stalker!", True),
        ("= stalker", "the stalker", False),
        ("想死", "想。死", False),
        ("想 … 死", "想我快啲死", True),
        ("沒有 意義", "没有意义", True),
        ("<family> says", "my mum says", True),
        ("throat closing", "her throat's closing", True),
        ("dead", "deads", True),
        ("die", "dies", False),
    ],
)
def test_a_phrase_means_what_the_file_says(phrase: str, text: str, found: bool) -> None:
    read = Phrase.read(phrase, {"family": "mum|dad"})
    assert any(read.found_in(sentence) for sentence in sentences(text)) is found


@pytest.mark.parametrize(
    ("language", "phrase", "text", "found"),
    [
        ("en", "hit me", "he hit really hard me", False),
        ("en", "want to die", "I want to just die", True),
        ("tl", "hindi magising", "hindi po sya magising", False),
        ("tl", "hindi sya magising", "hindi po daw sya magising", True),
        ("id", "dipukul majikan", "dipukul terus majikan", True),
        ("zh-Hant", "鎖 我", "佢鎖咗我", True),
        ("zh-Hant", "鎖 我", "佢鎖唔到我", False),
        ("zh-Hans", "打 我", "他打了我", True),
    ],
)
def test_little_words_may_stand_between_two_parts(language: str, phrase: str, text: str, found: bool) -> None:
    read = Phrase.read(phrase, {}, language=language)
    assert any(read.found_in(sentence) for sentence in sentences(text)) is found


GOOD = """lists:
  family: mum|dad
self_harm:
  P0:
    en: |
      want to die
"""


def _load(tmp_path: Path, content: str) -> Lexicon:
    path = tmp_path / "safety.yml"
    path.write_text(content, encoding="utf-8")
    return Lexicon.load(path)


def test_a_small_file_loads(tmp_path: Path) -> None:
    assert [hit.reason for hit in _load(tmp_path, GOOD).scan("want to die")] == ["self_harm"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("(kill|hurt myself", "safety.yml, self_harm, en, line 6: a bracket is opened and never closed with ')'"),
        ("kill) myself", "line 6: ')' closes a bracket that was never opened"),
        ("(kill|) myself", "line 6: there is nothing between two of"),
        ("<familly> dies", "line 6: there is no list called <familly>"),
        ("want < die", "line 6: '<' and '>' may only stand around the name of a list"),
        ("want to … … … … die", "line 6: a phrase may have 3 gaps"),
        ("… die", "line 6: a phrase may not begin or end with a gap"),
        ("[die]", "line 6: a phrase needs at least one word of two letters"),
        ("a", "line 6: a phrase needs at least one word of two letters"),
        ("want to die !!", "line 6: '!!' has no letter in it"),
    ],
)
def test_a_mistake_in_a_phrase_is_told_with_its_place(tmp_path: Path, wrong: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        _load(tmp_path, GOOD.replace("want to die", wrong))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    en: |", "    fr: |", "'fr' is not one of the languages en, zh-Hant, zh-Hans, tl, id"),
        ("  P0:", "  P9:", "'P9' is not one of wording, reason, P0, P1, not, calm"),
        ("    en: |\n      want to die", "    en: want to die", "write the phrases one a line under 'en: |'"),
        ("  P0:\n    en: |\n      want to die\n", "  wording: self_harm\n", "there is no phrase under P0 or P1"),
        ("self_harm:", "self_harm: [", "not valid YAML"),
        ("lists:\n  family: mum|dad", "lists: mum", "lists must be a list of 'name: …' lines"),
    ],
)
def test_a_mistake_in_the_file_is_told_in_words(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        _load(tmp_path, GOOD.replace(old, new))
    assert said in str(caught.value)


def test_a_missing_file_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.yml"):
        Lexicon.load(tmp_path / "nowhere.yml")


def test_the_shipped_file_speaks_all_languages_in_every_category() -> None:
    root = yaml.safe_load((ROOT / "data" / "safety.yml").read_text(encoding="utf-8"))
    root.pop("lists")
    assert list(root) == URGENCY
    for category in root.values():
        assert set().union(*(category.get(priority, {}) for priority in ("P0", "P1"))) == set(Language)


def test_a_phrase_needs_its_words_one_after_the_other() -> None:
    phrase = Phrase.read("want to … die", {}, language="en")
    [found, turned] = [sentences(text)[0] for text in ("I want to just die", "die I want to")]
    assert phrase.possible_in(found)
    assert not phrase.possible_in(turned)


def test_more_phrases_than_are_kept_ready_are_found_again() -> None:
    names = ["z".join(f"{number:04}".translate(str.maketrans("0123456789", "abcdefghij"))) for number in range(KEPT + 50)]
    phrases = [Phrase.read(name, {}, language="en") for name in names]
    for _ in range(2):
        assert all(phrase.found_in(sentences(f"so {name} here")[0]) for name, phrase in zip(names, phrases, strict=True))
