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
from engine.mind.alarm import Alarm, signs
from engine.mind.encoders import E5_MAKER, USE_MAKER, Encoders
from engine.mind.judge import DANGERS, Judge, Learnt, danger_targets, shares
from engine.mind.reading import Read
from engine.mind.ridge import Ridge
from engine.mind.space import Space, Views, likeness
from engine.texts import folded

Floats: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.int64]

HARMLESS = "harmless"
FOLDS = 4
LOOKALIKE_IMPORTANCE = 3.0  # few look-alikes are written for the many that will come
TEMPERATURES = np.geomspace(0.02, 0.4, 40)


@dataclass(frozen=True)
class Lessons:
    """Examples: texts with the name of a topic or, behind them, of a danger (or of none)."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    of_topics: int  # so many, from the beginning, are examples of topics

    @property
    def extra(self) -> Numbers:
        """The places of the examples which teach about danger alone."""
        return np.arange(self.of_topics, len(self.texts))


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
    reads = [Read.of(text) for text in lessons.texts]
    pieces = _Pieces.of(reads, encoders)
    space = Space.around(
        [pieces.texts[i] for i in pieces.wholes],
        pieces.use[pieces.wholes],
        pieces.e5[pieces.wholes],
        most_grams=config["most_grams"],
    )
    seen = space.views(pieces.texts, pieces.use, pieces.e5)
    views = seen.rows(pieces.wholes)
    ridge = Ridge(likeness(views, views), config["evenness"])
    targets = _Targets(topics, topic_targets(lessons.names, topics), danger_targets(lessons.names), lessons.extra)
    temperature, alarm = _measured(lessons, pieces, seen, ridge, targets)
    learnt = Learnt.of(topics, views, targets.weights(ridge, np.array([], dtype=np.int64)))
    return Judge(encoders, space, learnt, alarm, temperature)


def topic_targets(names: Sequence[str], topics: Sequence[str]) -> Floats:
    """What the topic columns should say of examples with these names."""
    place = {topic: i for i, topic in enumerate(topics)}
    wanted = np.zeros((len(names), len(topics)), dtype=np.float32)
    for row, name in enumerate(names):
        if name in place:
            wanted[row, place[name]] = 1.0
    return wanted


@dataclass(frozen=True)
class _Targets:
    topics: tuple[str, ...]
    of_topics: Floats
    of_dangers: Floats
    extra: Numbers

    def weights(self, ridge: Ridge, without: Numbers) -> Floats:
        """Topics are learnt without the examples of danger: those would make topics of their own kind likelier."""
        for_topics = ridge.weights(self.of_topics, without=np.union1d(without, self.extra))
        return np.hstack([for_topics, ridge.weights(self.of_dangers, without=without)])


@dataclass(frozen=True)
class _Pieces:
    """All pieces of all examples, encoded: folded texts, vectors, whose they are and which are wholes."""

    texts: list[str]
    use: Floats
    e5: Floats
    owners: Numbers
    wholes: Numbers

    @classmethod
    def of(cls, reads: Sequence[Read], encoders: Encoders) -> _Pieces:
        normals = [piece for read in reads for piece in read.pieces]
        texts = [folded(piece) for piece in normals]
        owners = np.repeat(np.arange(len(reads)), [len(read.pieces) for read in reads])
        return cls(
            texts,
            vectors.remembered(texts, encoders.use, maker=USE_MAKER),
            vectors.remembered(normals, encoders.e5_by_two, maker=E5_MAKER),
            owners,
            np.flatnonzero(np.diff(owners, prepend=-1)),
        )


def _measured(lessons: Lessons, pieces: _Pieces, seen: Views, ridge: Ridge, targets: _Targets) -> tuple[float, Alarm]:
    """Temperature and alarm, fitted to what would be said of each example had it not been learnt."""
    rows, count = len(lessons.texts), len(targets.topics)
    fold = np.random.RandomState(0).randint(0, FOLDS, rows)
    scores = np.zeros((rows, count), dtype=np.float32)
    found: list[Floats] = [np.zeros(0, dtype=np.float32)] * rows
    views = seen.rows(pieces.wholes)
    for number in range(FOLDS):
        held = np.flatnonzero(fold == number)
        learnt = Learnt.of(targets.topics, views, targets.weights(ridge, held))
        mine = np.flatnonzero(fold[pieces.owners] == number)
        parts = learnt.parts(seen.rows(mine))
        starts = np.flatnonzero(np.diff(pieces.owners[mine], prepend=-1))
        scores[held] = parts[:, starts, :count].sum(axis=0)
        for row, of_one in zip(held, np.split(parts[:, :, count:], starts[1:], axis=1), strict=True):
            found[row] = signs(of_one)
    own = np.flatnonzero(targets.of_topics[: lessons.of_topics].any(axis=1))
    right = targets.of_topics[own].argmax(axis=1)
    losses = [-np.log(shares(scores[own], t)[np.arange(len(own)), right] + 1e-9).mean() for t in TEMPERATURES]
    importance = np.array([LOOKALIKE_IMPORTANCE if name == HARMLESS else 1.0 for name in lessons.names], dtype=np.float32)
    alarm = Alarm.fitted(np.stack(found), targets.of_dangers[:, -1] > 0, importance)
    return float(TEMPERATURES[int(np.argmin(losses))]), alarm
