"""Judges a text: which topics it may be about and which dangers it may speak of.

Scores come from a ridge regression over likenesses to all examples (engine/mind/space.py), topics and dangers alike. A text is
scored as a whole and sentence by sentence. What was learnt is numbers and words, no pickle, so loading it runs no code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.mind.alarm import Alarm
from engine.mind.encoders import Encoders
from engine.mind.reading import Read, Reader
from engine.mind.space import SHARES, Space, Views, nearness

Floats: TypeAlias = npt.NDArray[np.float32]

DANGERS = ("self_harm", "medical_urgent", "dv_safety", "extortion", "phishing_clicked")
RANKED = 10
WHOLE_SHARE = 0.8  # of a topic's score the whole text's, the rest is the best sentence's
SECOND_AT = 0.6  # a sentence this sure of another topic asks a second question
SHORT = 12  # tokens; a shorter sentence ("thanks.", "please help.") asks none


@dataclass(frozen=True)
class Judgement:
    """Topics (best first) and dangers (most likely first) with confidences; `also`: a second question's topic."""

    topics: list[tuple[str, float]]
    dangers: list[tuple[str, float]]
    also: list[str]


@dataclass(frozen=True)
class Learnt:
    """What scores are made of: the examples' meaning and the weights of every column (topics, dangers, any danger)."""

    topics: tuple[str, ...]
    use: Floats
    e5: Floats
    weights: Floats  # of each example, for the encoders' views
    grams: Floats  # of each n-gram: the examples' weights, summed up once
    words: Floats

    @classmethod
    def of(cls, topics: tuple[str, ...], views: Views, weights: Floats) -> Learnt:
        """From the examples' views and weights."""
        grams = views.grams.T @ weights * SHARES["grams"]
        words = views.words.T @ weights * SHARES["words"]
        return cls(topics, views.use, views.e5, weights, np.asarray(grams), np.asarray(words))

    def parts(self, views: Views) -> Floats:
        """Scores by view (spelling and words, USE, E5), text and column; summed over the views they are the score."""
        spelt = views.grams @ self.grams + views.words @ self.words
        use = nearness(views.use, self.use) @ self.weights * SHARES["use"]
        e5 = nearness(views.e5, self.e5) @ self.weights * SHARES["e5"]
        return np.stack([np.asarray(spelt), use, e5]).astype(np.float32)


def shares(scores: Floats, temperature: float) -> Floats:
    """Scores of topics as probabilities, row by row."""
    odds = np.exp((scores - scores.max(axis=-1, keepdims=True)) / temperature)
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), dtype=np.float32)


class Judge:
    """Everything that is needed to judge a text."""

    def __init__(self, encoders: Encoders, space: Space, learnt: Learnt, alarm: Alarm, temperature: float) -> None:
        self._reader = Reader(encoders)
        self._space, self._learnt, self._alarm, self._temperature = space, learnt, alarm, temperature

    def judge(self, text: str) -> Judgement:
        """The judgement of a raw text; an empty one gets what can be said of nothing."""
        read = Read.of(text)
        views = self._reader.views(read, self._space, lambda seen: self._learnt.parts(seen)[:2, :, -1].sum(axis=0))
        parts = self._learnt.parts(views)
        count = len(self._learnt.topics)
        scores = parts[:, :, :count].sum(axis=0)
        ranked = self._ranked(scores)
        return Judgement(
            [(self._learnt.topics[i], float(ranked[i])) for i in np.argsort(-ranked)[:RANKED]],
            self._alarm.told(parts[:, :, count:], DANGERS),
            self._second(read, scores, int(np.argmax(ranked))),
        )

    def _ranked(self, scores: Floats) -> Floats:
        mixed = scores[0]
        if len(scores) > 1:
            mixed = WHOLE_SHARE * mixed + (1 - WHOLE_SHARE) * scores[1:].max(axis=0)
        return shares(mixed, self._temperature)

    def _second(self, read: Read, scores: Floats, first: int) -> list[str]:
        """The topic of a second question: one sentence is surely about the first topic, another about this one."""
        if len(scores) < 3:
            return []
        each = shares(scores[1:], self._temperature)
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
        learnt = self._learnt
        (folder / "words.json").write_text(json.dumps({**words, "topics": learnt.topics}, ensure_ascii=False))
        halves = {name: getattr(learnt, name).astype(np.float16) for name in ("use", "e5")}
        wholes = {name: getattr(learnt, name) for name in ("weights", "grams", "words")}
        alarm = {"alarm": np.append(self._alarm.weights, np.float32(self._alarm.bias)), "temperature": self._temperature}
        with (folder / "numbers.npz").open("wb") as out:
            np.savez(out, **numbers, **halves, **wholes, **alarm)

    @classmethod
    def restored(cls, folder: Path, encoders: Encoders) -> Judge:
        """The judge that was kept; raises KeyError or ValueError when a part is missing or does not fit."""
        words = json.loads((folder / "words.json").read_text())
        with np.load(folder / "numbers.npz", allow_pickle=False) as stored:
            numbers = dict(stored)
        named = {name: numbers[name].astype(np.float32) for name in ("use", "e5", "weights", "grams", "words")}
        learnt = Learnt(topics=tuple(words["topics"]), **named)
        if learnt.weights.shape[1] != len(learnt.topics) + len(DANGERS) + 1 or len(learnt.use) != len(learnt.weights):
            raise ValueError("the model's numbers do not fit its topics")
        alarm = Alarm(numbers["alarm"][:-1], float(numbers["alarm"][-1]))
        return cls(encoders, Space.restored(words, numbers), learnt, alarm, float(numbers["temperature"]))


def danger_targets(names: Sequence[str]) -> Floats:
    """What the danger columns should say of examples with these names: each danger, then any."""
    wanted = np.zeros((len(names), len(DANGERS) + 1), dtype=np.float32)
    for row, name in enumerate(names):
        if name in DANGERS:
            wanted[row, [DANGERS.index(name), -1]] = 1.0
    return wanted
