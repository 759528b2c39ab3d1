"""How alike two texts are: spelling, words and two encoders' sense of meaning, added up.

A text is compared with every example learnt. Likeness of spelling and words is the cosine of weighed n-grams, and likeness of
meaning is `exp(SHARPNESS * (cosine - 1))`, which lets near examples count for more than far ones: between a nearest-example
vote and a linear classifier, and better than both (docs/decisions/0012-understanding.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from engine.mind.encoders import unit

Floats: TypeAlias = npt.NDArray[np.float32]

SHARPNESS = 2.0
SHARES = {"grams": 0.25, "words": 0.1, "use": 0.65}  # of the quick likeness, which does without E5
E5_SHARE = 0.5  # of the full likeness; the quick one is the rest


@dataclass(frozen=True)
class Views:
    """Some texts as the space sees them without E5, one row a text."""

    grams: sparse.csr_matrix
    words: sparse.csr_matrix
    use: Floats

    def rows(self, which: npt.NDArray[np.int64]) -> Views:
        """The same of some of the texts."""
        return Views(self.grams[which], self.words[which], self.use[which])


def _spelling(**more: Any) -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5), sublinear_tf=True, dtype=np.float32, **more)


def _wording(**more: Any) -> TfidfVectorizer:
    pattern = r"[a-z0-9']+|[^\sa-z0-9]"  # a Chinese character is a word
    return TfidfVectorizer(token_pattern=pattern, ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32, **more)


@dataclass(frozen=True)
class Space:
    """The weights of n-grams and the middles of the encoders' clouds, as the examples have them."""

    grams: TfidfVectorizer
    words: TfidfVectorizer
    use_middle: Floats
    e5_middle: Floats

    @classmethod
    def around(cls, texts: Sequence[str], use: Floats, e5: Floats, *, most_grams: int) -> Space:
        """The space of these folded texts and their vectors."""
        grams = _spelling(min_df=2, max_features=most_grams).fit(texts)
        words = _wording(min_df=2, max_features=most_grams).fit(texts)
        return cls(grams, words, use.mean(axis=0), e5.mean(axis=0))

    def views(self, texts: Sequence[str], use: Floats) -> Views:
        """Folded texts and their vectors of USE in this space."""
        return Views(self.grams.transform(texts), self.words.transform(texts), unit(use - self.use_middle))

    def meant(self, e5: Floats) -> Floats:
        """Vectors of E5 in this space."""
        return unit(e5 - self.e5_middle)

    def kept(self) -> tuple[dict[str, Any], dict[str, Floats]]:
        """The space as words and numbers, for a file."""
        words = {name: one.get_feature_names_out().tolist() for name, one in (("grams", self.grams), ("words", self.words))}
        numbers = {"use_middle": self.use_middle, "e5_middle": self.e5_middle}
        return words, {**numbers, "grams_rarity": self.grams.idf_, "words_rarity": self.words.idf_}

    @classmethod
    def restored(cls, words: dict[str, Any], numbers: dict[str, Floats]) -> Space:
        """The space that was kept; raises KeyError or ValueError when something is missing."""
        made = []
        for name, kind in (("grams", _spelling), ("words", _wording)):
            vectorizer = kind(vocabulary={gram: i for i, gram in enumerate(words[name])})
            vectorizer.idf_ = numbers[f"{name}_rarity"]
            made.append(vectorizer)
        return cls(made[0], made[1], numbers["use_middle"], numbers["e5_middle"])


def nearness(ones: Floats, others: Floats) -> Floats:
    """Likeness of meaning of every one to every other."""
    near = ones @ others.T
    near -= 1.0
    near *= SHARPNESS
    return np.exp(near, out=near)


def quick_likeness(ones: Views, others: Views) -> Floats:
    """How alike every one is to every other in spelling, words and to USE."""
    total = nearness(ones.use, others.use)
    total *= SHARES["use"]
    for name in ("grams", "words"):
        part = (getattr(ones, name) @ getattr(others, name).T).toarray()
        part *= SHARES[name]
        total += part
    return total


def full_likeness(quick: Floats, ones: Floats, others: Floats) -> Floats:
    """The same with E5, whose views are given; takes the quick likeness over to save memory."""
    part = nearness(ones, others)
    part *= E5_SHARE
    quick *= 1 - E5_SHARE
    quick += part
    return quick
