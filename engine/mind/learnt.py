"""What scores are made of: the examples' meanings and two sets of weights, one for the quick judge and one for the full.

The quick judge compares by spelling, words and USE, the full one by E5 as well. What both need is computed once, for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from engine.mind.space import E5_SHARE, SHARES, Views, nearness

Floats: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.int64]

DANGERS = ("self_harm", "medical_urgent", "dv_safety", "extortion", "phishing_clicked")


HARMLESS = "harmless"
UNSEEN, ORDINARY, DANGEROUS, ALARMING = -1.0, 0.0, 1.0, 2.0
"""What an example says of danger: nothing, for it is held back; nothing; one; none, in words that alarm."""
NEIGHBOURS = 5  # whose mean likeness is one of the signs of danger


@dataclass(frozen=True)
class Scores:
    """Of pieces: by view, piece and column; and by piece, how near the nearest examples of each kind are."""

    parts: Floats
    close: Floats


def kinds_of(names: Sequence[str]) -> Floats:
    """What examples with these names say of danger."""
    return np.array([DANGEROUS if n in DANGERS else ALARMING if n == HARMLESS else ORDINARY for n in names], dtype=np.float32)


@dataclass(frozen=True)
class Learnt:
    """Columns are topics, dangers and any danger at all: in `early` and what comes of it once for each judge."""

    topics: tuple[str, ...]
    use: Floats
    e5: Floats
    early: Floats  # of each example, by USE
    late: Floats  # of each example, by E5, for the full judge alone
    grams: Floats  # of each n-gram: the examples' weights, summed up once
    words: Floats
    kinds: Floats

    @classmethod
    def of(cls, topics: tuple[str, ...], views: Views, e5: Floats, kinds: Floats, weights: tuple[Floats, Floats]) -> Learnt:
        """From the examples' views and kinds, and the weights which the quick judge and the full one give them."""
        quick, full = weights
        early = np.hstack([quick, (1 - E5_SHARE) * full]).astype(np.float32)
        grams, words = (
            np.asarray(view.T @ early * SHARES[name]) for name, view in (("grams", views.grams), ("words", views.words))
        )
        return cls(topics, views.use, e5, early * SHARES["use"], full * E5_SHARE, grams, words, kinds)

    def without_e5(self, views: Views) -> tuple[Scores, Scores]:
        """Scores by spelling and words, and by USE, of pieces: all of the quick judge's, and the full one's so far."""
        spelt = _summed(views.grams, self.grams) + _summed(views.words, self.words)
        near = nearness(views.use, self.use)
        parts = np.stack([spelt, near @ self.early]).astype(np.float32)
        columns, close = self.late.shape[1], self._close(near)
        return Scores(parts[:, :, :columns], close), Scores(parts[:, :, columns:], close)

    def with_e5(self, so_far: Scores, e5: Floats, rows: Numbers) -> Scores:
        """The full judge's scores; `rows` says which of E5's vectors stands for which piece."""
        near = nearness(e5, self.e5)
        parts = np.concatenate([so_far.parts, (near @ self.late)[None, rows]]).astype(np.float32)
        return Scores(parts, np.hstack([so_far.close, self._close(near)[rows]]))

    def _close(self, near: Floats) -> Floats:
        """Of each row, the likeness of the nearest examples of danger, of alarming ones and of all that are none."""
        found = []
        for kinds in ((DANGEROUS,), (ALARMING,), (ORDINARY, ALARMING)):
            those = near[:, np.isin(self.kinds, kinds)]
            best = np.partition(those, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:] if those.shape[1] > NEIGHBOURS else those
            found += [best.max(axis=1, initial=0.0), best.sum(axis=1) / NEIGHBOURS]
        return np.stack(found, axis=1)

    def fitting(self) -> bool:
        """Whether all parts are of one size."""
        columns = len(self.topics) + len(DANGERS) + 1
        rows = len(self.early)
        return (
            len(self.use) == len(self.e5) == len(self.late) == len(self.kinds) == rows
            and self.late.shape[1] == columns
            and self.early.shape[1] == self.grams.shape[1] == self.words.shape[1] == 2 * columns
        )


def _summed(view: sparse.csr_matrix, weights: Floats) -> Floats:
    """The product of both; a text has some hundred n-grams, and SciPy would copy the weights of all sixty thousand."""
    ends = view.indptr
    rows = (slice(ends[i], ends[i + 1]) for i in range(len(ends) - 1))
    return np.stack([view.data[row] @ weights[view.indices[row]] for row in rows])
