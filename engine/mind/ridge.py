"""Ridge regression on likenesses: one factorization for all columns, and the same for the first so many examples alone.

A Cholesky factor's upper left corner is the factor of the first examples alone. So examples that are to be held back stand
last: what would be said of them had they not been learnt comes out of the same factorization.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import linalg

Floats: TypeAlias = npt.NDArray[np.float32]


class Ridge:
    """The factor of likeness plus `evenness` on the diagonal; takes the matrix over to save memory."""

    def __init__(self, likeness: Floats, evenness: float) -> None:
        likeness.flat[:: len(likeness) + 1] += np.float32(evenness)
        # The matrix is its own transpose, and LAPACK wants columns first.
        factor, failed = linalg.lapack.spotrf(likeness.T, lower=1, overwrite_a=1, clean=0)
        if failed:
            raise ValueError("the examples' likenesses do not make a ridge")
        self._factor = factor

    def weights(self, targets: Floats) -> Floats:
        """The weights of the first examples, of so many as there are rows of targets, for each column."""
        count = len(targets)
        solved, _ = linalg.lapack.spotrs(self._factor[:count, :count], np.asfortranarray(targets), lower=1)
        return np.ascontiguousarray(solved, dtype=np.float32)
