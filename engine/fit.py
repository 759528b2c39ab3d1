"""Multinomial logistic regression over a sparse and a dense part, fitted with L-BFGS.

scikit-learn takes one matrix only; the sentence vectors made sparse beside the n-grams cost it four
times as long as they do here, where the dense part stays dense.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

Floats: TypeAlias = npt.NDArray[np.float32]


def fit(
    grams: sparse.csr_matrix, vectors: Floats, topics: npt.NDArray[np.int64], *, strength: float, iterations: int
) -> tuple[Floats, Floats]:
    """Weights (grams, then vectors, by topic) and bias; `strength` is C, the weight of the examples.

    Topics are numbers from 0 without a gap. The same input gives the same weights.
    """
    count, rows = int(topics.max()) + 1, len(topics)
    sizes = (grams.shape[1], vectors.shape[1], 1)
    back = grams.T.tocsr()

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights = flat.astype(np.float32).reshape(sum(sizes), count)
        upper, lower, bias = np.split(weights, np.cumsum(sizes)[:-1])
        scores = grams @ upper + vectors @ lower + bias
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        totals = shares.sum(axis=1, keepdims=True)
        missed = float((np.log(totals[:, 0]) - scores[np.arange(rows), topics]).sum())
        shares /= totals
        shares[np.arange(rows), topics] -= 1.0
        slope = np.vstack([back @ shares, vectors.T @ shares, shares.sum(axis=0, keepdims=True)])
        kept = weights.copy()
        kept[-1] = 0.0  # the bias is free
        total = strength * missed + 0.5 * float((kept.astype(np.float64) ** 2).sum())
        return total, (strength * slope + kept).astype(np.float64).ravel()

    # Five corrections instead of ten: they are as long as the weights, and memory is what they cost.
    options = {"maxiter": iterations, "maxcor": 5, "ftol": 1e-6, "gtol": 1e-2}
    start = np.zeros(sum(sizes) * count)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    weights = found.x.astype(np.float32).reshape(sum(sizes), count)
    return np.ascontiguousarray(weights[:-1]), weights[-1]
