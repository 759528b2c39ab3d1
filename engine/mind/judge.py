"""Judges a text: which topics it may be about and which dangers it may speak of.

Scores come from ridge regressions over likenesses to all examples (engine/mind/space.py), topics and dangers alike. A text is
scored as a whole and sentence by sentence, first without E5; when that leaves a doubt about topic or danger, with E5 too. What
was learnt is numbers and words, no pickle, so loading it runs no code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.mind.alarm import Alarm
from engine.mind.encoders import Encoders
from engine.mind.learnt import DANGERS, Learnt
from engine.mind.opinion import Clarity, Measured, Opinion
from engine.mind.reading import Read, Reader
from engine.mind.space import Space

Floats: TypeAlias = npt.NDArray[np.float32]

RANKED = 10
SECOND_AT = 0.6  # a sentence this sure of another topic asks a second question
SHORT = 12  # tokens; a shorter sentence ("thanks.", "please help.") asks none
NUMBERS = tuple(one.name for one in fields(Learnt) if one.name != "topics")
HALVES = ("use", "e5")  # kept at half precision


@dataclass(frozen=True)
class Judgement:
    """Topics (best first) and dangers (most likely first) with confidences; `also`: a second question's topic."""

    topics: list[tuple[str, float]]
    dangers: list[tuple[str, float]]
    also: list[str]


@dataclass(frozen=True)
class Measures:
    """What was measured of both judges, and when the quick one is enough."""

    quick: Measured
    full: Measured
    clarity: Clarity

    def kept(self) -> dict[str, Floats]:
        """As numbers, for a file."""
        numbers = {}
        for name, one in (("quick", self.quick), ("full", self.full)):
            numbers[name] = np.concatenate([one.alarm.weights, [one.alarm.bias, one.temperature]]).astype(np.float32)
        return {**numbers, "clarity": np.array([self.clarity.sure, self.clarity.calm], dtype=np.float32)}

    @classmethod
    def restored(cls, numbers: dict[str, Floats]) -> Measures:
        """The measures that were kept; raises KeyError when one is missing."""
        quick, full = (
            Measured(float(numbers[name][-1]), Alarm(numbers[name][:-2], float(numbers[name][-2]))) for name in ("quick", "full")
        )
        return cls(quick, full, Clarity(*(float(one) for one in numbers["clarity"])))


class Judge:
    """Everything that is needed to judge a text."""

    def __init__(self, encoders: Encoders, space: Space, learnt: Learnt, measures: Measures) -> None:
        self._reader = Reader(encoders)
        self._space, self._learnt, self._measures = space, learnt, measures

    def judge(self, text: str) -> Judgement:
        """The judgement of a raw text; an empty one gets what can be said of nothing."""
        read = Read.of(text)
        quick, so_far = self._learnt.without_e5(self._space.views(read.folded, self._reader.use(read)))
        columns = len(self._learnt.topics)
        opinion = first = self._measures.quick.opinion(quick, columns)
        if not self._clear(first):
            e5, rows = self._reader.e5(read, so_far.parts[:, :, -1].sum(axis=0))
            seen = self._learnt.with_e5(so_far, self._space.meant(e5), rows)
            opinion = self._measures.full.opinion(seen, columns)
        ranked = opinion.topics
        return Judgement(
            [(self._learnt.topics[i], float(ranked[i])) for i in np.argsort(-ranked)[:RANKED]],
            opinion.dangers,
            self._second(read, first.sentences, int(ranked.argmax())),
        )

    def _clear(self, opinion: Opinion) -> bool:
        best = int(opinion.topics.argmax())
        return self._learnt.topics[best] not in DANGERS and self._measures.clarity.of(float(opinion.topics[best]), opinion.danger)

    def _second(self, read: Read, each: Floats, first: int) -> list[str]:
        """The topic of a second question: one sentence is surely about the first topic, another about this one."""
        if len(each) < 2:
            return []
        asks = np.array([len(piece) >= SHORT for piece in read.pieces[1:]])
        best, sure = each.argmax(axis=1), (each.max(axis=1) >= SECOND_AT) & asks
        if not (sure & (best == first)).any():
            return []
        others = np.where(sure & (best != first))[0]
        order = sorted(others, key=lambda i: -each[i].max())
        return [self._learnt.topics[best[i]] for i in order[:1]]

    def keep(self, folder: Path) -> None:
        """Write everything but the encoders into a folder."""
        words, numbers = self._space.kept()
        learnt = {name: getattr(self._learnt, name) for name in NUMBERS}
        learnt |= {name: learnt[name].astype(np.float16) for name in HALVES}
        (folder / "words.json").write_text(json.dumps({**words, "topics": self._learnt.topics}, ensure_ascii=False))
        with (folder / "numbers.npz").open("wb") as out:
            np.savez(out, **numbers, **learnt, **self._measures.kept())

    @classmethod
    def restored(cls, folder: Path, encoders: Encoders) -> Judge:
        """The judge that was kept; raises KeyError or ValueError when a part is missing or does not fit."""
        words = json.loads((folder / "words.json").read_text())
        with np.load(folder / "numbers.npz", allow_pickle=False) as stored:
            numbers = dict(stored)
        named = {name: numbers[name].astype(np.float32) for name in NUMBERS}
        learnt = Learnt(topics=tuple(words["topics"]), **named)
        if not learnt.fitting():
            raise ValueError("the model's numbers do not fit its topics")
        return cls(encoders, Space.restored(words, numbers), learnt, Measures.restored(numbers))


def danger_targets(names: Sequence[str]) -> Floats:
    """What the danger columns should say of examples with these names: each danger, then any."""
    wanted = np.zeros((len(names), len(DANGERS) + 1), dtype=np.float32)
    for row, name in enumerate(names):
        if name in DANGERS:
            wanted[row, [DANGERS.index(name), -1]] = 1.0
    return wanted
