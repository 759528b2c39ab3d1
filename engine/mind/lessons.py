"""Learning: from examples to a judge, with confidences measured on examples that were held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import yaml

from engine import vectors
from engine.mind.encoders import E5_MAKER, USE_MAKER, Encoders
from engine.mind.judge import Judge, danger_targets
from engine.mind.learnt import DANGERS, HARMLESS, UNSEEN, Learnt, kinds_of
from engine.mind.measuring import Held, measured
from engine.mind.reading import Read
from engine.mind.ridge import Ridge
from engine.mind.space import Space, full_likeness, quick_likeness

Floats: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.int64]

HELD_BACK = 0.25  # of the examples: confidences are measured on them by judges that have not learnt them


@dataclass(frozen=True)
class Order:
    """Places of examples, and where the learnt ones of topics, all learnt ones, and the held back ones of topics end."""

    places: Numbers
    topics: int
    learnt: int
    held_topics: int

    @property
    def of_topics(self) -> Numbers:
        """The places, in this order, of all examples of topics."""
        return np.concatenate([np.arange(self.topics), np.arange(self.learnt, self.held_topics)])


@dataclass(frozen=True)
class Lessons:
    """Examples: texts with the name of a topic or, behind them, of a danger (or of none)."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    of_topics: int  # so many, from the beginning, are examples of topics

    def ordered(self) -> Order:
        """The places of the examples in four groups, for the ridge: of topics and of danger, learnt first and held back."""
        held = np.random.RandomState(0).rand(len(self.texts)) < HELD_BACK
        topical = np.arange(len(self.texts)) < self.of_topics
        groups = [topical & ~held, ~topical & ~held, topical & held, ~topical & held]
        order = np.concatenate([np.flatnonzero(group) for group in groups])
        ends = np.cumsum([int(group.sum()) for group in groups])
        return Order(order, int(ends[0]), int(ends[1]), int(ends[2]))


def dangers_in(folder: Path) -> list[tuple[str, str]]:
    """Texts and dangers in the files of a folder, [] without one; raises ValueError for a file of another shape."""
    found = []
    for path in sorted(folder.glob("*.yml")):
        read = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
        name = read.get("topic") if isinstance(read, dict) else None
        if name not in (*DANGERS, HARMLESS) or not isinstance(read.get("examples"), str):
            raise ValueError(f"{path.name} needs a topic (an emergency or {HARMLESS}) and examples")
        lines = (line.strip() for line in read["examples"].splitlines())
        found += [(line[1:].strip(), str(name)) for line in lines if line.startswith("-") and line[1:].strip()]
    return found


def learn(lessons: Lessons, encoders: Encoders, config: dict[str, Any]) -> Judge:
    """The judge that these lessons make; the same lessons make the same judge."""
    topics = tuple(sorted(set(lessons.names[: lessons.of_topics])))
    order = lessons.ordered()
    names = [lessons.names[i] for i in order.places]
    pieces = _Pieces.of([Read.of(lessons.texts[i]) for i in order.places], encoders)
    whole = pieces.wholes
    space = Space.around([pieces.texts[i] for i in whole], pieces.use[whole], pieces.e5, most_grams=config["most_grams"])
    seen, meant = space.views(pieces.texts, pieces.use), space.meant(pieces.e5)
    views = seen.rows(whole)
    targets = _Targets(topic_targets(names, topics), danger_targets(names), order)
    likeness = quick_likeness(views, views)
    quick = targets.weights(likeness.copy(), config["evenness"])
    full = targets.weights(full_likeness(likeness, meant, meant), config["evenness"])
    kinds = kinds_of(names)
    unseen = np.where(np.arange(len(names)) < order.learnt, kinds, np.float32(UNSEEN))
    trial = Learnt.of(topics, views, meant, unseen, (quick.trial, full.trial))
    held = pieces.owners >= order.learnt
    back = Held(topics, tuple(names[order.learnt :]), order.held_topics - order.learnt, pieces.owners[held] - order.learnt)
    early, so_far = trial.without_e5(seen.rows(np.flatnonzero(held)))
    measures = measured(back, early, trial.with_e5(so_far, meant[order.learnt :], back.owners))
    learnt = Learnt.of(topics, views, meant, kinds, (quick.all, full.all))
    return Judge(encoders, space, learnt, measures)


def topic_targets(names: Sequence[str], topics: Sequence[str]) -> Floats:
    """What the topic columns should say of examples with these names."""
    place = {topic: i for i, topic in enumerate(topics)}
    wanted = np.zeros((len(names), len(topics)), dtype=np.float32)
    for row, name in enumerate(names):
        if name in place:
            wanted[row, place[name]] = 1.0
    return wanted


@dataclass(frozen=True)
class _Weights:
    """Of the examples: had the held back ones not been learnt, and of all."""

    trial: Floats
    all: Floats


@dataclass(frozen=True)
class _Targets:
    of_topics: Floats
    of_dangers: Floats
    order: Order

    def weights(self, likeness: Floats, evenness: float) -> _Weights:
        """Topics are learnt without the examples of danger: those would make topics of their own kind likelier."""
        columns, order = self.of_topics.shape[1], self.order
        trial = np.zeros((len(likeness), columns + self.of_dangers.shape[1]), dtype=np.float32)
        whole = np.zeros_like(trial)
        topical = order.of_topics
        whole[topical, :columns] = Ridge(likeness[np.ix_(topical, topical)], evenness).weights(self.of_topics[topical])
        ridge = Ridge(likeness, evenness)
        trial[: order.topics, :columns] = ridge.weights(self.of_topics[: order.topics])
        trial[: order.learnt, columns:] = ridge.weights(self.of_dangers[: order.learnt])
        whole[:, columns:] = ridge.weights(self.of_dangers)
        return _Weights(trial, whole)


@dataclass(frozen=True)
class _Pieces:
    """All pieces of all examples: folded texts, USE's vectors, E5's of the wholes, whose they are and which are wholes."""

    texts: list[str]
    use: Floats
    e5: Floats
    owners: Numbers
    wholes: Numbers

    @classmethod
    def of(cls, reads: Sequence[Read], encoders: Encoders) -> _Pieces:
        wholes = [read.pieces[0] for read in reads]
        texts = [piece for read in reads for piece in read.folded]
        owners = np.repeat(np.arange(len(reads)), [len(read.pieces) for read in reads])
        return cls(
            texts,
            vectors.remembered(texts, encoders.use, maker=USE_MAKER),
            vectors.remembered(wholes, encoders.e5_by_two, maker=E5_MAKER),
            owners,
            np.flatnonzero(np.diff(owners, prepend=-1)),
        )
