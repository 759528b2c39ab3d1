"""How likely a text speaks of a danger, from its scores as a whole and in its most alarming sentence.

The scores of the views (spelling, USE, E5) and how near the nearest examples of danger, of the harmless and of all else are, are
weighed by a logistic regression that was fitted on examples the model had not seen. There, harmless texts in alarming words count
for more than ordinary ones, which are easily told from danger: it is a probability among texts that sound like danger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from engine.mind.learnt import ALARMING, DANGEROUS, ORDINARY

Floats: TypeAlias = npt.NDArray[np.float32]

LEAST_TOLD = 0.02  # a second danger less likely is not mentioned; the first always is
MOST_TOLD = 2
ALARMING_COUNTS, ORDINARY_COUNTS = 2.0, 0.5  # what an example weighs, where one of danger weighs 1


def signs(parts: Floats, close: Floats) -> Floats:
    """What the alarm is weighed from; `parts` are one text's danger scores by view, piece (whole first) and column.

    The last column is any danger at all. `close` says how near which examples are to each piece.
    """
    totals = parts.sum(axis=0)
    worst = 0 if len(totals) == 1 else 1 + int(np.argmax(totals[1:, -1]))
    several = float(len(totals) > 1)
    most = [totals[0, :-1].max(), totals[worst, :-1].max(), several]
    return np.concatenate([parts[:, 0, -1], parts[:, worst, -1], most, close[0], close[worst]]).astype(np.float32)


@dataclass(frozen=True)
class Alarm:
    """The weights of the signs and what is added to them."""

    weights: Floats
    bias: float

    @classmethod
    def fitted(cls, seen: Floats, kinds: Floats) -> Alarm:
        """The alarm which fits unseen examples best; `kinds` says of each what it is."""
        weights = np.select([kinds == ALARMING, kinds == ORDINARY], [ALARMING_COUNTS, ORDINARY_COUNTS], 1.0)
        fit = LogisticRegression(C=30.0, max_iter=5000).fit(seen, kinds == DANGEROUS, sample_weight=weights)
        return cls(fit.coef_[0].astype(np.float32), float(fit.intercept_[0]))

    def chances(self, seen: Floats) -> Floats:
        """The same from signs, one row a text."""
        return np.asarray(1.0 / (1.0 + np.exp(-(seen @ self.weights + self.bias))), dtype=np.float32)

    def told(self, parts: Floats, close: Floats, dangers: tuple[str, ...]) -> list[tuple[str, float]]:
        """The likeliest danger, with the chance of any danger at all, and a second one worth mentioning."""
        chance = float(self.chances(signs(parts, close)))
        totals = parts.sum(axis=0)[:, :-1]
        each = totals[0] + totals.max(axis=0)
        order = np.argsort(-each)
        best = each[order[0]]
        named = [(dangers[i], chance * float(np.clip(each[i] / best, 0, 1) if best > 0 else i == order[0])) for i in order]
        return named[:1] + [(name, share) for name, share in named[1:MOST_TOLD] if share >= LEAST_TOLD]
