"""What a turn is about and which danger it may speak of: the one component of the engine's pipeline.

A thin shell around engine/mind/judge.py for Rasa: it hands over the examples, keeps what was learnt, and writes topics, dangers
and a second question into each message. One ranking comes out; thresholds are the application's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from engine.mind.encoders import Encoders
from engine.mind.judge import Judge
from engine.mind.lessons import Lessons, dangers_in, learn
from engine.vectors import DANGER_VARIABLE

DANGER, ALSO = "danger", "also"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class Understanding(IntentClassifier, GraphComponent):
    """Rasa component: learns from the examples, writes `intent`, `intent_ranking`, `danger` and `also`."""

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config, self._storage, self._resource = config, storage, resource
        self._encoders = Encoders()
        self._judge: Judge | None = None

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`evenness`: how little a single example may bend what is learnt; `most_grams`: n-grams of each kind."""
        return {"evenness": 0.03, "most_grams": 60000}

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
        """Learn the examples; raises ValueError when there are fewer than two topics."""
        examples = [(e.get(TEXT), e.get(INTENT)) for e in training_data.intent_examples if e.get(TEXT) and e.get(INTENT)]
        if len({topic for _, topic in examples}) < 2:
            raise ValueError("training needs examples of at least two topics")
        folder = os.environ.get(DANGER_VARIABLE)
        dangers = dangers_in(Path(folder)) if folder else []
        texts, names = zip(*examples, *dangers, strict=True)
        self._judge = learn(Lessons(texts, names, len(examples)), self._encoders, self._config)
        with self._storage.write_to(self._resource) as kept:
            self._judge.keep(kept)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Write topics, dangers and a second question into each message."""
        if self._judge is None:
            raise ValueError("nothing has been learnt")
        for message in messages:
            judged = self._judge.judge(message.get(TEXT) or "")
            ranking = _named(judged.topics, "name")
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            message.set(DANGER, _named(judged.dangers, "topic"), add_to_output=True)
            message.set(ALSO, judged.also, add_to_output=True)
        return messages

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
            made._judge = Judge.restored(folder, made._encoders)
        return made


def _named(found: list[tuple[str, float]], key: str) -> list[dict[str, Any]]:
    return [{key: name, "confidence": confidence} for name, confidence in found]
