"""What scores are made of: the examples' meanings and two sets of weights, one for the quick judge and one for the full.

The quick judge compares by spelling, words and USE, the full one by E5 as well. What both need is computed once, for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from engine.mind.space import E5_SHARE, SHARES, Views, nearness

Floats: TypeAlias = npt.NDArray[np.float32]

DANGERS = ("self_harm", "medical_urgent", "dv_safety", "extortion", "phishing_clicked")


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

    @classmethod
    def of(cls, topics: tuple[str, ...], views: Views, e5: Floats, quick: Floats, full: Floats) -> Learnt:
        """From the examples' views and the weights which the two judges give them."""
        early = np.hstack([quick, (1 - E5_SHARE) * full]).astype(np.float32)
        grams, words = (
            np.asarray(view.T @ early * SHARES[name]) for name, view in (("grams", views.grams), ("words", views.words))
        )
        return cls(topics, views.use, e5, early * SHARES["use"], full * E5_SHARE, grams, words)

    def without_e5(self, views: Views) -> tuple[Floats, Floats]:
        """Scores by view (spelling and words, USE), text and column: all of the quick judge's, and the full one's so far."""
        spelt = _summed(views.grams, self.grams) + _summed(views.words, self.words)
        parts = np.stack([spelt, nearness(views.use, self.use) @ self.early]).astype(np.float32)
        columns = self.late.shape[1]
        return parts[:, :, :columns], parts[:, :, columns:]

    def with_e5(self, so_far: Floats, e5: Floats) -> Floats:
        """The full judge's scores by view (spelling and words, USE, E5), text and column."""
        return np.concatenate([so_far, (nearness(e5, self.e5) @ self.late)[None]]).astype(np.float32)

    def fitting(self) -> bool:
        """Whether all parts are of one size."""
        columns = len(self.topics) + len(DANGERS) + 1
        rows = len(self.early)
        return (
            len(self.use) == len(self.e5) == len(self.late) == rows
            and self.late.shape[1] == columns
            and self.early.shape[1] == self.grams.shape[1] == self.words.shape[1] == 2 * columns
        )


def _summed(view: sparse.csr_matrix, weights: Floats) -> Floats:
    """The product of both; a text has some hundred n-grams, and SciPy would copy the weights of all sixty thousand."""
    ends = view.indptr
    rows = (slice(ends[i], ends[i + 1]) for i in range(len(ends) - 1))
    return np.stack([view.data[row] @ weights[view.indices[row]] for row in rows])
