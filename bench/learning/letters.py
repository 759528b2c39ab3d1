"""Learn `data/latin.json`, by which English, Tagalog and Indonesian are told apart: `python -m bench.learning.letters`.

It learns from what is written in each language anyway (answers, notices) and then from what patients may write (the examples of
the topics), of which it decides the language itself with what it has learnt so far. Run it again when many topics have come in; a
changed sentence changes nothing worth it. tests/base/test_languages.py judges the table on samples of its own.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from bot.base.languages import latin_words
from bot.base.settings import REPOSITORY
from bot.base.text import latin

SELDOM = 4
"""A run of letters seen fewer times tells nothing."""
SLIGHT = 5
"""Weights below this, in tenths of a logarithm, are left out."""
SURE = 120
SMOOTHING = 0.5
_PLACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|https?://\S+")

Corpus = list[tuple[str, list[str]]]
"""Pairs of a language's code and words written in it."""


def written(root: Path) -> Corpus:
    """The answers and notices in the three languages."""
    found: Corpus = []
    for path in [*sorted((root / "data" / "faq").glob("*.yml")), *sorted((root / "data" / "flows").glob("*.yml"))]:
        for answer in (yaml.safe_load(path.read_text(encoding="utf-8")).get("answers") or {}).values():
            for code in latin.CODES:
                found += [(code, _words(text)) for text in _texts(answer.get(code))]
    for path in sorted((root / "templates" / "notifications").glob("*/*/*.txt")):
        if path.parent.name in latin.CODES:
            found.append((path.parent.name, _words(path.read_text(encoding="utf-8"))))
    return found


def asked(root: Path) -> Iterator[list[str]]:
    """The words of each example of what patients write, in whatever language."""
    for path in [*sorted((root / "data" / "faq").glob("*.yml")), *sorted((root / "data" / "flows").glob("*.yml"))]:
        for topic in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu") or ():
            for line in str(topic.get("examples", "")).splitlines():
                if words := _words(line.removeprefix("- ")):
                    yield words


def _texts(form: Any) -> Iterator[str]:
    return (text for text in (form or {}).values() if isinstance(text, str)) if isinstance(form, dict) else iter(())


def _words(text: str) -> list[str]:
    return latin_words(_MARKUP.sub(r"\1", _PLACES.sub(" ", text)))


def learn(corpus: Iterable[tuple[str, list[str]]]) -> dict[str, latin.Weights]:
    """The table of a corpus: how much likelier than in the average of the languages each run of letters is in each of them."""
    seen = {code: Counter[str]() for code in latin.CODES}
    for code, words in corpus:
        seen[code].update(run for word in words for run in latin.runs(word))
    all_seen = sum(seen.values(), Counter[str]())
    kept = [run for run, times in all_seen.items() if times >= SELDOM]
    lengths = Counter(len(run) for run in kept)
    totals = {code: Counter[int]() for code in latin.CODES}
    for code, length, times in ((code, len(run), seen[code][run]) for code in latin.CODES for run in kept):
        totals[code][length] += times
    table: dict[str, latin.Weights] = {}
    for run in kept:
        smooth = SMOOTHING * lengths[len(run)]
        likely = [math.log((seen[code][run] + SMOOTHING) / (totals[code][len(run)] + smooth)) for code in latin.CODES]
        english, tagalog, indonesian = (round(10 * (one - sum(likely) / len(likely))) for one in likely)
        if max(abs(english), abs(tagalog), abs(indonesian)) >= SLIGHT:
            table[run] = (english, tagalog, indonesian)
    return table


def judged(table: dict[str, latin.Weights], lines: Iterable[list[str]]) -> Corpus:
    """Those of the lines whose language the table is sure of."""
    found: Corpus = []
    for words in lines:
        ranks = latin.ranked(words, table)
        if ranks and ranks[0][0] - ranks[1][0] >= SURE:
            found.append((ranks[0][1], words))
    return found


def write(table: dict[str, latin.Weights], path: Path) -> None:
    """Keep the table, runs of equal weights together."""
    grouped: dict[latin.Weights, list[str]] = defaultdict(list)
    for run in sorted(table):
        grouped[table[run]].append(run)
    rows = {" ".join(map(str, weights)): " ".join(names) for weights, names in sorted(grouped.items())}
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def main(root: Path = REPOSITORY, path: Path = latin.TABLE) -> int:
    """Learn and keep; returns the exit status."""
    corpus = written(root)
    table = learn([*corpus, *judged(learn(corpus), asked(root))])
    write(table, path)
    sys.stderr.write(f"{path.name}: {len(table)} runs of letters from {len(corpus)} texts\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
