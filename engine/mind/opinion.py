"""What scores mean: probabilities of topics and of danger, with what was measured on examples that had not been learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.mind.alarm import Alarm
from engine.mind.learnt import DANGERS, Scores

Floats: TypeAlias = npt.NDArray[np.float32]

WHOLE_SHARE = 0.8  # of a topic's score the whole text's, the rest is the best sentence's


def shares(scores: Floats, temperature: float) -> Floats:
    """Scores of topics as probabilities, row by row."""
    odds = np.exp((scores - scores.max(axis=-1, keepdims=True)) / temperature)
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), dtype=np.float32)


def mixed(scores: Floats) -> Floats:
    """A text's scores of topics from its pieces', the whole one first."""
    if len(scores) == 1:
        return np.asarray(scores[0])
    return np.asarray(WHOLE_SHARE * scores[0] + (1 - WHOLE_SHARE) * scores[1:].max(axis=0), dtype=np.float32)


@dataclass(frozen=True)
class Opinion:
    """One judge's probabilities for one text: of the topics, as a whole and of each sentence, and of any danger."""

    topics: Floats
    sentences: Floats
    dangers: list[tuple[str, float]]

    @property
    def danger(self) -> float:
        """The chance of any danger at all."""
        return self.dangers[0][1]


@dataclass(frozen=True)
class Measured:
    """How one judge's scores become probabilities."""

    temperature: float
    alarm: Alarm

    def opinion(self, seen: Scores, topics: int) -> Opinion:
        """The probabilities of one text, whose pieces' scores (the whole first) are given."""
        scores = seen.parts[:, :, :topics].sum(axis=0)
        dangers = self.alarm.told(seen.parts[:, :, topics:], seen.close, DANGERS)
        return Opinion(shares(mixed(scores), self.temperature), shares(scores[1:], self.temperature), dangers)


@dataclass(frozen=True)
class Clarity:
    """When the quick judge's opinion needs no second one: so sure of a topic, and danger this unlikely."""

    sure: float
    calm: float

    def of(self, topic: float, danger: float) -> bool:
        """Whether both hold."""
        return topic >= self.sure and danger <= self.calm
