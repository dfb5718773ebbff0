"""Grow each tree once: methods that want a tree of the same rows share it.

Cross-validation of six methods over ten folds asks for the same ten trees six times.  A `GrowOnce`
stands in for the estimator and looks them up.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, Self

import joblib
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags


class Grown:
    """Trees by the rows they were grown on, and what growing them cost.

    Attributes
    ----------
    asked_seconds : float
        Growing time of all trees asked for since `restart`, whether they were there or not.
    spent_seconds : float
        Time actually spent in here since `restart`.
    """

    def __init__(self) -> None:
        self._trees: dict[str, tuple[Any, float]] = {}
        self.restart()

    def restart(self) -> None:
        """Set both clocks to zero; the trees stay."""
        self.asked_seconds = self.spent_seconds = 0.0

    def tree(self, estimator: Any, X: Any, y: Any) -> Any:
        """Return the estimator fitted to these rows, which must not be changed."""
        begin = perf_counter()
        key = joblib.hash((X, y))
        if key not in self._trees:
            start = perf_counter()
            fitted = clone(estimator).fit(X, y)
            self._trees[key] = fitted, perf_counter() - start
        fitted, seconds = self._trees[key]
        self.asked_seconds += seconds
        self.spent_seconds += perf_counter() - begin
        return fitted


class GrowOnce(MetaEstimatorMixin, BaseEstimator):
    """An estimator that is fitted once to the same rows, however often it is cloned.

    Parameters
    ----------
    estimator : estimator
        What to grow.
    grown : Grown
        Where its trees are kept; clones share it.
    """

    def __init__(self, estimator: Any, grown: Grown) -> None:
        self.estimator = estimator
        self.grown = grown

    def __sklearn_clone__(self) -> GrowOnce:
        return GrowOnce(clone(self.estimator), self.grown)

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)

    def fit(self, X: Any, y: Any) -> Self:
        """Look the tree up, or grow it."""
        self.best_estimator_ = self.grown.tree(self.estimator, X, y)  # found there as in a fitted search
        return self

    @property
    def grown_(self) -> Any:
        """The tree, under the name that pruners have for it."""
        return self.best_estimator_

    @property
    def estimator_(self) -> Any:
        """The same: nothing was pruned."""
        return self.best_estimator_
