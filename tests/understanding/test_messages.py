"""The test messages: well formed, enough of each kind, and none of them (or nearly) among what the engine learns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.base.text import fold
from bot.base.text.han import TO_SIMPLIFIED
from bot.cli.measuring import messages
from bot.cli.measuring.messages import Message

FILE = Path(__file__).parent / "messages.jsonl"
SECOND = Path(__file__).parent / "second.jsonl"
"""Messages by which thresholds are chosen, so that FILE has no say in them."""
DATA = REPOSITORY / "data"

LEAST = 12
"""Characters, a Chinese one counting as two. Shorter lines ("unsubscribe", "how do I complain") are what anybody would write, on
both sides: they are no copies."""
TOO_ALIKE = 0.7
"""Share of character trigrams, out of those of both, that two texts may have in common."""
RAREST = 12
"""Trigrams of a message by which similar examples are looked for."""


def bare(text: str) -> str:
    """The letters and digits of a text, in one spelling."""
    return "".join(char for char in fold(text).translate(TO_SIMPLIFIED) if char.isalnum())


def length(text: str) -> int:
    return sum(2 if char >= "\u2e80" else 1 for char in text)


def trigrams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 3] for i in range(len(text) - 2)) or frozenset((text,))


@cache
def read() -> tuple[Message, ...]:
    return tuple(messages.read([FILE], messages.topics_of(DATA)))


def learnt() -> Iterator[tuple[str, str]]:
    """Every example the engine learns, with the name of its file."""
    for path in sorted([*(DATA / "faq").glob("*.yml"), *(DATA / "flows").glob("*.yml"), *(DATA / "danger").glob("*.yml")]):
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        blocks = [entry["examples"] for entry in document.get("nlu") or ()]
        blocks += [document["examples"]] if "examples" in document else []
        for block in blocks:
            for line in block.splitlines():
                if line.strip().startswith("- "):
                    yield line.strip()[2:].strip().strip("\"'"), path.name


def copies(tested: list[str], examples: list[tuple[str, str]]) -> list[str]:
    """The examples that are (nearly) one of the tested texts."""
    grams = [trigrams(bare(text)) for text, _ in examples]
    holders: dict[str, list[int]] = defaultdict(list)
    for number, of_one in enumerate(grams):
        for gram in of_one:
            holders[gram].append(number)
    found = []
    for text in tested:
        mine = bare(text)
        if length(mine) < LEAST:
            continue
        wanted = trigrams(mine)
        rarest = sorted((gram for gram in wanted if gram in holders), key=lambda gram: (len(holders[gram]), gram))[:RAREST]
        for number in {number for gram in rarest for number in holders[gram]}:
            alike = len(wanted & grams[number]) / len(wanted | grams[number])
            if alike >= TOO_ALIKE:
                example, file = examples[number]
                found.append(f"{file}: {example}")
    return found


def test_no_test_message_is_among_what_the_engine_learns() -> None:
    # When this fails, the line in data/ goes and the message stays: it was written by somebody who had not seen data/.
    assert copies([message.text for message in read()], list(learnt())) == []


def test_no_message_by_which_thresholds_are_chosen_is_learnt_or_tested() -> None:
    chosen_by = [message.text for message in messages.read([SECOND], messages.topics_of(DATA))]
    assert copies(chosen_by, [*learnt(), *((message.text, FILE.name) for message in read())]) == []


def test_a_near_copy_is_noticed_and_a_common_short_line_is_not() -> None:
    examples = [("How do I get my money back from you?", "a.yml"), ("我想取消訂閱", "b.yml"), ("unsubscribe", "c.yml")]
    assert copies(["how do i get my money back from you"], examples) == ["a.yml: How do I get my money back from you?"]
    assert copies(["how do i get MY money back from you guys"], examples) == ["a.yml: How do I get my money back from you?"]
    assert copies(["我想取消订阅"], examples) == ["b.yml: 我想取消訂閱"]
    assert copies(["Unsubscribe"], examples) == []
    assert copies(["how do I find out what they took"], examples) == []


def test_there_are_messages_enough_of_every_kind() -> None:
    by_topic = Counter(message.topic for message in read())
    assert set(by_topic) == messages.topics_of(DATA)
    assert min(by_topic.values()) >= 12
    by_language = Counter(message.language for message in read())
    assert all(by_language[language] >= 150 for language in (Language.EN, Language.ZH_HANT, Language.ZH_HANS))
    assert all(by_language[language] >= 60 for language in (Language.TL, Language.ID))
    assert by_topic["out_of_scope"] >= 200
    assert by_topic["adversarial"] >= 100
    assert sum(message.urgent for message in read()) >= 600
