"""Measures both judges on examples they have not learnt: what their scores mean, and when the quick one is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.mind.alarm import Alarm, signs
from engine.mind.judge import Measures
from engine.mind.learnt import DANGERS, Scores, kinds_of
from engine.mind.opinion import Clarity, Measured, mixed, shares

Floats: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.int64]

TEMPERATURES = np.geomspace(0.02, 0.4, 40)
SURES = np.linspace(0.5, 0.995, 100)
WORSE = 0.003  # of the held back examples may be judged worse for the sake of speed
CALMS = np.geomspace(0.2, 0.002, 60)
ALARMING = 0.2  # a chance of danger which somebody acts on
MISSED = 0.005  # of the dangers which the full judge finds may be passed over by the quick one


@dataclass(frozen=True)
class Held:
    """Examples held back: all topics, each one's name, how many (first) are of topics, and whose each piece is."""

    topics: tuple[str, ...]
    names: tuple[str, ...]
    of_topics: int
    owners: Numbers

    @property
    def starts(self) -> Numbers:
        """Where each one's pieces begin: the whole stands first."""
        return np.flatnonzero(np.diff(self.owners, prepend=-1))

    @property
    def dangerous(self) -> npt.NDArray[np.bool_]:
        """Which of them speak of danger."""
        return np.array([name in DANGERS for name in self.names])


def measured(held: Held, quick: Scores, full: Scores) -> Measures:
    """The measures, from each judge's scores of what is held back."""
    (one, topics, dangers), (other, all_topics, all_dangers) = _judge(held, quick), _judge(held, full)
    right = np.array([held.topics.index(name) for name in held.names[: held.of_topics]])
    worse = np.array(all_topics.argmax(axis=1) == right, dtype=float) - (topics.argmax(axis=1) == right)
    # An emergency among the topics is never left to the quick judge.
    emergency = np.isin(topics.argmax(axis=1), [held.topics.index(name) for name in DANGERS if name in held.topics])
    sureness = np.where(emergency, 0.0, topics.max(axis=1))
    sure = next((at for at in SURES if worse[sureness >= at].sum() <= WORSE * len(right)), 1.0)
    found = held.dangerous & (all_dangers >= ALARMING)
    calm = next((at for at in CALMS if (dangers[found] <= at).sum() <= MISSED * max(found.sum(), 1)), 0.0)
    return Measures(one, other, Clarity(float(sure), float(calm)))


def _judge(held: Held, scores: Scores) -> tuple[Measured, Floats, Floats]:
    """One judge's measures, and with them its probabilities: of the topics, and of danger."""
    columns = len(held.topics)
    each = np.split(scores.parts, held.starts[1:], axis=1)
    topics = np.stack([mixed(one[:, :, :columns].sum(axis=0)) for one in each[: held.of_topics]])
    right = np.array([held.topics.index(name) for name in held.names[: held.of_topics]])
    losses = [-np.log(shares(topics, at)[np.arange(len(right)), right] + 1e-9).mean() for at in TEMPERATURES]
    temperature = float(TEMPERATURES[int(np.argmin(losses))])
    close = np.split(scores.close, held.starts[1:])
    seen = np.stack([signs(one[:, :, columns:], near) for one, near in zip(each, close, strict=True)])
    alarm = Alarm.fitted(seen, kinds_of(held.names))
    return Measured(temperature, alarm), shares(topics, temperature), alarm.chances(seen)
