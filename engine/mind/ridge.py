"""Ridge regression on likenesses: one solution for all topics and dangers, and the same without any part of the examples.

The inverse is computed once. From it follows, exactly and cheaply, the solution as if some examples had not been there: that is
how predictions for examples the model has not seen (for calibration) and the answers for topics without the examples of
danger come out of a single inversion.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import linalg

Floats: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.int64]


class Ridge:
    """The inverse of likeness plus `evenness` on the diagonal; takes the matrix over to save memory."""

    def __init__(self, likeness: Floats, evenness: float) -> None:
        rows = len(likeness)
        likeness.flat[:: rows + 1] += np.float32(evenness)
        lower, failed = linalg.lapack.spotrf(likeness.T, lower=1, overwrite_a=1)
        if failed:
            raise ValueError("the examples' likenesses cannot be inverted")
        inverse, failed = linalg.lapack.spotri(lower, lower=1, overwrite_c=1)
        if failed:
            raise ValueError("the examples' likenesses cannot be inverted")
        for at in range(0, rows, 1024):  # mirror the half that is not filled in, in blocks to stay in the cache
            end = min(at + 1024, rows)
            inverse[at:end, end:] = inverse[end:, at:end].T
            block = inverse[at:end, at:end]
            inverse[at:end, at:end] = np.tril(block) + np.tril(block, -1).T
        self._inverse = inverse

    def weights(self, targets: Floats, without: Numbers | None = None) -> Floats:
        """The examples' weights for each column of targets, as if `without` had never been examples."""
        if without is None or not len(without):
            return np.ascontiguousarray(self._inverse @ targets, dtype=np.float32)
        lessened = targets.copy()
        lessened[without] = 0.0
        all_in = self._inverse @ lessened
        block = self._inverse[np.ix_(without, without)]
        taken = linalg.solve(block, all_in[without], assume_a="pos", check_finite=False)
        left = all_in - self._inverse[:, without] @ taken
        left[without] = 0.0
        return np.ascontiguousarray(left, dtype=np.float32)
