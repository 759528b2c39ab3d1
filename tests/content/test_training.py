"""The examples and rules that the engine is trained on."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.reasons import BY_TOPIC
from bot.base.languages import Language, identify
from tests.content import texts

WITH_TOPICS = {path: document for path, document in texts.files().items() if "intents" in document}
ENOUGH = 80
ENOUGH_OUT_OF_SCOPE = 500
ENOUGH_OF_A_LANGUAGE = {Language.EN: 35, Language.ZH_HANT: 25, Language.ZH_HANS: 10, Language.TL: 5, Language.ID: 5}
ACTIONS = set(yaml.safe_load((texts.DATA / "domain.yml").read_text(encoding="utf-8"))["actions"])
HAND_OVER = {*BY_TOPIC, "speak_human"}


def normalised(example: str) -> str:
    """An example as a reader compares it: letters only, without case."""
    return re.sub(r"[\W_]+", " ", example.casefold()).strip()


@pytest.mark.parametrize("path", texts.files(), ids=lambda path: path.stem)
def test_a_file_holds_only_known_keys(path: Path) -> None:
    known = {"version", "intents", "nlu", "responses", "rules", "answers"} if path in WITH_TOPICS else {"version", "answers"}
    assert set(texts.files()[path]) <= known


@pytest.mark.parametrize(
    ("path", "document"), WITH_TOPICS.items(), ids=lambda value: value.stem if isinstance(value, Path) else ""
)
def test_a_topic_is_one_file_with_one_rule_and_its_own_name(path: Path, document: dict[str, Any]) -> None:
    topic = path.stem
    assert document["intents"] == [topic]
    assert topic in document["answers"]
    (rule,) = document["rules"]
    first, *steps = rule["steps"]
    assert first == {"intent": topic}
    actions = [step["action"] for step in steps]
    assert set(actions) <= {f"utter_{topic}", *ACTIONS}
    assert ("action_hand_over" in actions) == (topic in HAND_OVER)
    if topic == "speak_human":
        assert "responses" not in document
    else:
        assert document["responses"] == {f"utter_{topic}": [{"custom": {"say": topic}}]}
        assert actions[0] == f"utter_{topic}"


@cache
def counted() -> dict[str, Counter[Language | None]]:
    """How many examples each topic has in each language, as Candour itself would tell the language."""
    counts: dict[str, Counter[Language | None]] = defaultdict(Counter)
    for topic, example in texts.examples():
        counts[topic][identify(example, None)] += 1
    return counts


@pytest.mark.parametrize("topic", sorted(path.stem for path in WITH_TOPICS))
def test_a_topic_has_enough_examples_in_every_language(topic: str) -> None:
    counts = counted()[topic]
    assert counts.total() >= (ENOUGH_OUT_OF_SCOPE if topic == "out_of_scope" else ENOUGH)
    assert {language: counts[language] for language, enough in ENOUGH_OF_A_LANGUAGE.items() if counts[language] < enough} == {}


def test_no_example_stands_under_two_topics_or_twice() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for topic, example in texts.examples():
        found[normalised(example) or example].append(topic)
    assert {example: topics for example, topics in found.items() if len(topics) > 1} == {}


def test_no_example_reads_as_an_entity_or_a_command() -> None:
    odd = [example for _, example in texts.examples() if re.search(r"\[[^\]]*\][({\[]", example) or example.startswith("/")]
    assert odd == []
