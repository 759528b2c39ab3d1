"""A text on its way to being understood: cut, encoded within a budget, seen in the space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.mind.encoders import Encoders, unit
from engine.mind.space import Space, Views
from engine.texts import folded, normal, sentences

Floats: TypeAlias = npt.NDArray[np.float32]

# What E5 may spend on one text, in about as many of its tokens: 1,000 Chinese characters would take a second.
BUDGET = 150.0
WHOLE = 80.0  # a text that costs more is not encoded again as a whole: it is the mean of its sentences


def cost(text: str) -> float:
    """About how many tokens E5 makes of a text: one of four Latin letters, two of three other characters."""
    latin = sum(char < "\u0250" for char in text)
    return 2.0 + latin / 4 + (len(text) - latin) / 1.5


@dataclass(frozen=True)
class Read:
    """The pieces of one text: the whole first, then its sentences when there are several."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Read:
        """The pieces of a raw text."""
        whole = normal(text)
        return cls((whole, *sentences(whole)))


class Reader:
    """Encodes what is read."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders

    def views(self, read: Read, space: Space, alarming: Callable[[Views], Floats]) -> Views:
        """All pieces in the space. When E5 cannot read them all, the first, the last and the most `alarming` go first."""
        texts = [folded(piece) for piece in read.pieces]
        costs = [cost(piece) for piece in read.pieces]
        if len(texts) == 1 or costs[0] <= WHOLE:
            return space.views(texts, self._encoders.use(texts), self._encoders.e5(read.pieces))
        use = _with_their_mean(self._encoders.use(texts[1:]))
        chosen = list(range(1, len(texts)))
        if sum(costs[1:]) > BUDGET:
            middle = np.repeat(space.e5_middle[None], len(texts), axis=0)  # as if E5 had nothing to say
            alarms = alarming(space.views(texts, use, middle))
            chosen = _affordable(sorted(chosen, key=lambda i: (i not in (1, len(texts) - 1), -alarms[i])), costs)
        vectors = self._encoders.e5([read.pieces[i] for i in chosen])
        e5 = np.repeat(unit(vectors.mean(axis=0, keepdims=True)), len(texts), axis=0)
        e5[chosen] = vectors
        return space.views(texts, use, e5)


def _with_their_mean(vectors: Floats) -> Floats:
    """The vectors with their mean before them, which stands for the whole text."""
    return np.concatenate([unit(vectors.mean(axis=0, keepdims=True)), vectors])


def _affordable(order: Sequence[int], costs: Sequence[float]) -> list[int]:
    chosen, spent = list(order[:1]), costs[order[0]]
    for i in order[1:]:
        if spent + costs[i] <= BUDGET:
            chosen.append(i)
            spent += costs[i]
    return chosen
