"""Predicting with a pruned tree: what a pruner and its cross-validation have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def _grown_has(name: str) -> Any:
    """Offer a method of the pruner if its tree has it."""

    def check(pruner: PrunedPredictor) -> bool:
        return hasattr(getattr(pruner, "estimator_", None) or pruner._to_grow(), name)

    return check


class PrunedPredictor(BaseEstimator, ABC):
    """Predict with the pruned tree in ``estimator_``, and take over what it says of itself."""

    estimator_: Any

    @abstractmethod
    def _to_grow(self) -> Any:
        """Return the estimator that is, or was, grown."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict with the pruned tree."""
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(_grown_has("predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Class probabilities of the pruned tree, shape (n_rows, n_classes); a list if multi-output."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_grown_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> Any:
        """Log of `predict_proba`."""
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy, or R^2 of a regression tree, as scikit-learn scores the tree itself."""
        check_is_fitted(self)
        return self.estimator_.score(X, y, **({} if sample_weight is None else {"sample_weight": sample_weight}))

    @property
    def classes_(self) -> Any:
        """Class labels, of classification trees only."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features seen when growing."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the features, if the tree was grown on a data frame."""
        return self.estimator_.feature_names_in_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self) -> Any:
        tags, grown = super().__sklearn_tags__(), get_tags(self._to_grow())
        tags.estimator_type = grown.estimator_type
        tags.classifier_tags, tags.regressor_tags = grown.classifier_tags, grown.regressor_tags
        tags.target_tags, tags.input_tags = grown.target_tags, grown.input_tags
        return tags
