"""A text on its way to being understood: cut, encoded within a budget, seen in the space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.mind.encoders import Encoders, unit
from engine.texts import folded, normal, sentences

Floats: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.int64]

# What E5 may spend on one text, in about as many of its tokens: 1,000 Chinese characters would take a second.
BUDGET = 100.0
WHOLE = 80.0  # a text that costs more is not encoded as a whole: it is the mean of its sentences


def cost(text: str) -> float:
    """About how many tokens E5 makes of a text: one of four Latin letters, two of three other characters."""
    latin = sum(char < "\u0250" for char in text)
    return 2.0 + latin / 4 + (len(text) - latin) / 1.5


@dataclass(frozen=True)
class Read:
    """The pieces of one text: the whole first, then its sentences when there are several; as they are and folded."""

    pieces: tuple[str, ...]
    folded: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Read:
        """The pieces of a raw text."""
        whole = normal(text)
        pieces = (whole, *sentences(whole))
        return cls(pieces, tuple(folded(piece) for piece in pieces))


class Reader:
    """Encodes what is read."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders

    def use(self, read: Read) -> Floats:
        """USE's vectors of all pieces; that of a long whole is the mean of its sentences'."""
        if len(read.pieces) == 1 or cost(read.pieces[0]) <= WHOLE:
            return self._encoders.use(read.folded)
        return _with_their_mean(self._encoders.use(read.folded[1:]))

    def e5(self, read: Read, alarms: Floats) -> tuple[Floats, Numbers]:
        """Vectors of E5, and which of them stands for which piece: the whole's for its sentences too.

        Of a long text E5 reads sentences instead, the first, the last and then the most alarming; `alarms` says how alarming each
        piece is without E5. What it does not read gets the mean of what it reads.
        """
        costs = [cost(piece) for piece in read.pieces]
        if len(costs) == 1 or costs[0] <= WHOLE:
            return self._encoders.e5(read.pieces[:1]), np.zeros(len(costs), dtype=np.int64)
        last = len(costs) - 1
        order = sorted(range(1, len(costs)), key=lambda i: (i not in (1, last), -alarms[i]))
        chosen = _affordable(order, costs)
        vectors = self._encoders.e5([read.pieces[i] for i in chosen])
        rows = np.zeros(len(costs), dtype=np.int64)
        rows[chosen] = 1 + np.arange(len(chosen))
        return _with_their_mean(vectors), rows


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
