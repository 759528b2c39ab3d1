"""Figures about understanding: from a file of messages, through the real answering, to shares with their intervals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering import Mind
from bot.base.errors import BadInput
from bot.base.settings import REPOSITORY
from bot.cli.measuring import messages
from bot.cli.measuring.asking import ask_all
from bot.cli.measuring.figures import figures, interval
from bot.conversations.engine import Guess, Understanding
from bot.conversations.reading.safety import Lexicon
from tests.people import FakeEngine, small_content, understood

LEXICON = Lexicon.load(REPOSITORY / "data" / "safety.yml")
TOPICS = frozenset({"what_happened", "data_types", "out_of_scope", "self_harm", "adversarial"})
KEYS = (
    *("n", "top1", "top3", "by_lang", "by_topic", "oos_recall", "oos_false", "answered_right", "answered_wrong", "asked"),
    *("handed_over", "urgent_recall", "urgent_certain", "urgent_false", "urgent_possible_false", "p50_ms"),
)


def written(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "some.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def line(text: str, topic: str, **more: object) -> dict[str, object]:
    return {"text": text, "topic": topic, "lang": "en", **more}


def engine_says(words: str) -> Understanding:
    match words:
        case "what happened to you":
            return understood("what_happened")
        case "what did they take":
            return understood("what_happened", 0.9, ("data_types", 0.05))
        case "hm":
            return understood("what_happened", 0.3, ("data_types", 0.25))
        case "soon it will be simple":
            return replace(understood("data_types"), danger=(Guess("self_harm", 0.4),))
        case _:
            return understood("out_of_scope")


def measured(tmp_path: Path, *lines: object) -> dict[str, object]:
    read = messages.read([written(tmp_path, *lines)], TOPICS)
    return figures(ask_all(read, Mind(FakeEngine(engine_says), LEXICON), small_content()))


def test_every_promised_figure_is_there(tmp_path: Path) -> None:
    assert set(KEYS) <= set(measured(tmp_path, line("what happened to you", "what_happened")))


def test_right_wrong_asked_and_also_are_told_apart(tmp_path: Path) -> None:
    found = measured(
        tmp_path,
        line("what happened to you", "what_happened"),
        line("what did they take", "data_types"),
        line("what did they take", "data_types", also=["what_happened"]),
        line("hm", "what_happened"),
    )
    assert (found["answered_right"], found["answered_wrong"], found["asked"]) == (0.5, 0.25, 0.25)
    assert (found["top1"], found["top3"]) == (0.75, 1.0)


def test_out_of_scope_counts_what_was_not_answered_as_ours(tmp_path: Path) -> None:
    found = measured(
        tmp_path,
        line("who won the match", "out_of_scope"),
        line("what happened to you", "out_of_scope"),
        line("where do I park", "data_types"),
    )
    assert (found["oos_recall"], found["oos_false"]) == (0.5, 1.0)


def test_danger_counts_help_and_gentle_sentences_apart(tmp_path: Path) -> None:
    found = measured(
        tmp_path,
        line("I want to kill myself", "self_harm", urgent=True, kind="direct"),
        line("soon it will be simple", "self_harm", urgent=True, kind="indirect"),
        line("soon it will be simple", "data_types", kind="lookalike"),
        line("what happened to you", "what_happened", kind="lookalike"),
    )
    assert (found["urgent_recall"], found["urgent_certain"]) == (1.0, 0.5)
    assert (found["urgent_false"], found["urgent_possible_false"]) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{", "some.jsonl, line 2: this is not JSON."),
        ("[]", "line 2: a message is an object"),
        (line("x", "no_such_topic"), "line 2: there is no topic 'no_such_topic'."),
        ({"text": "x", "lang": "en"}, "line 2: 'topic' is missing"),
        (line("x", "data_types", lang="fr"), "line 2: 'fr' is not one of"),
        (line("x", "data_types", also="what_happened"), "line 2: 'also' is a list"),
    ],
)
def test_a_wrong_line_is_told_with_file_and_number(tmp_path: Path, bad: object, told: str) -> None:
    with pytest.raises(BadInput) as wrong:
        messages.read([written(tmp_path, line("x", "data_types"), bad)], TOPICS)
    assert told in str(wrong.value)


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_share_and_stays_between_nothing_and_all(hits: int, more: int) -> None:
    low, high = interval(hits, hits + more)
    share = hits / (hits + more) if hits + more else 0.5
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1
