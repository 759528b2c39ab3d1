"""The yardstick's classifier: Rasa's logistic regression, kept by a library that the engine has.

Runs inside Rasa, in the engine's environment; imports nothing of ours.
"""

from __future__ import annotations

from typing import Any

import joblib
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class Linear(LogisticRegressionClassifier):  # type: ignore[misc]
    """As Rasa ships it, but for its file: skops is not among the engine's packages."""

    def persist(self) -> None:
        """Keep the classifier."""
        with self._model_storage.write_to(self._resource) as folder:
            joblib.dump(self.clf, folder / "linear.joblib")

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Linear:
        """Take the classifier up again; the file was made a moment ago by the same bench."""
        made = cls(config, execution_context.node_name, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            made.clf = joblib.load(folder / "linear.joblib")
        return made
