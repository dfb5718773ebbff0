"""Which nodes go: by the gains that the library stored, by depth, or by held-out rows; and scores at every level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.adapters.boosters.boosted import Boosted, BoosterTree, Cut, Floats
from treeprune.adapters.boosters.models import read, written
from treeprune.checks import check_choice, check_count, check_number
from treeprune.curve import GeneralizationCurve
from treeprune.path import PruningPath
from treeprune.tree import loss
from treeprune.tree.curve import from_statistics, scores_by_level, scoring_name
from treeprune.tree.cuts import cut_at, topmost
from treeprune.tree.fitted import FittedTree
from treeprune.tree.methods.cost_complexity import cost_complexity_path
from treeprune.tree.methods.reduced_error import reduced_error_cut
from treeprune.tree.structure import TreeStructure

METHODS = ("reduced_error", "cost_complexity", "max_depth")


@dataclass(frozen=True, eq=False)
class TreeAlone(FittedTree):
    """One tree of a model as if it were the whole of it, for the scores of trees."""

    tree: BoosterTree | None = None
    boosted: Boosted | None = None

    @classmethod
    def of(cls, model: Any, boosted: Boosted, tree: BoosterTree) -> Self:
        """Stand a tree alone; a Booster knows the classes 0 and 1 only."""
        known = {"classes_": np.asarray(getattr(model, "classes_", [0, 1]))} if boosted.is_classifier else {}
        return cls(SimpleNamespace(**known), tree=tree, boosted=boosted)

    @cached_property
    def structure(self) -> TreeStructure:
        """The shape of the tree."""
        assert self.tree is not None
        return self.tree.structure

    @cached_property
    def value(self) -> Floats:
        """Probabilities of both classes, or predicted numbers, in the shapes of `FittedTree.value`."""
        assert self.tree is not None
        assert self.boosted is not None
        predicted = self.boosted.alone(self.tree)
        return np.stack([1 - predicted, predicted], axis=-1)[:, None] if self.is_classifier else predicted[:, None]

    def apply(self, X: Any) -> NDArray[np.intp]:
        """Return the leaf that each row reaches."""
        assert self.boosted is not None
        return self.structure.route(self.boosted.rows(X))


def prune_trees(
    model: Any,
    X: Any = None,
    y: ArrayLike | None = None,
    method: Literal["reduced_error", "cost_complexity", "max_depth"] = "reduced_error",
    *,
    alpha: float = 0.0,
    max_depth: int | None = None,
) -> Any:
    """Prune every tree of a LightGBM or XGBoost model on its own.

    Parameters
    ----------
    model : fitted model of LightGBM or XGBoost
        As for `read_trees`. Never changed.
    X, y : array-like, optional
        Rows that the model was not fitted on, for reduced-error pruning.
    method : {"reduced_error", "cost_complexity", "max_depth"}, default="reduced_error"
        Reduced-error pruning is for single trees and forests (``boosting_type="rf"``, XGBRF*), of numbers by
        squared error or of two classes: a tree of boosting corrects those before it and means nothing alone, and
        the softmax ties the trees of several classes together. Each tree of a forest is judged alone, by the
        squared error, or Brier score, it would have as the whole model; the forest's own error is not minimised.
        The others are for all models; what later rounds of boosting learnt of the trees as grown stays as it is.
    alpha : float, default=0.0
        For cost-complexity pruning: the gain, as the library stored it, that a branch must bring for each leaf it
        adds. XGBoost's ``gamma`` and LightGBM's ``min_split_gain`` are in this unit; it is no mean over rows.
    max_depth : int, optional
        For that method: splits from the root to a leaf, at most.

    Returns
    -------
    estimator or Booster, as given

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from xgboost import XGBRFRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = XGBRFRegressor(n_estimators=20, random_state=0).fit(X[:200], y[:200])
    >>> small = prune_trees(forest, X[200:300], y[200:300])
    >>> from treeprune.adapters.boosters import read_trees
    >>> sizes = [sum(tree.structure.n_leaves for tree in read_trees(m)) for m in (forest, small)]
    >>> sizes[1] < sizes[0] / 2
    True
    """
    check_choice("method", method, METHODS)
    boosted = read(model)
    if method == "reduced_error":
        return written(model, boosted, _reduced_error(model, boosted, X, y))
    if X is not None or y is not None:
        raise ValueError(f"method={method!r} looks at no rows: leave X and y out")
    if method == "max_depth":
        check_count("max_depth", max_depth, low=0)
        return written(model, boosted, [topmost(t.structure, t.structure.depth == max_depth) for t in boosted.trees])
    check_number("alpha", alpha, low=0)
    return written(model, boosted, [_cut_at_alpha(tree, alpha) for tree in boosted.trees])


def gain_path(tree: BoosterTree) -> PruningPath:
    """Order the prunings of one tree by cost-complexity, with the gains that the library stored.

    Parameters
    ----------
    tree : BoosterTree
        From `read_trees`.

    Returns
    -------
    PruningPath
        Its alpha is in the unit of the gains. For squared error without penalties that is the sum of squares,
        scikit-learn's ``ccp_alpha`` times the number of rows.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from treeprune.adapters.boosters import read_trees
    >>> from xgboost import XGBRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> gain_path(read_trees(XGBRegressor(n_estimators=1, max_depth=2).fit(X, y))[0]).n_leaves
    array([4, 3, 2, 1])
    """
    left_over = np.zeros(tree.structure.n_nodes)  # what the splits below would win, were the node a leaf
    for t, left, right in tree.structure.upward():
        left_over[t] = tree.gain[t] + left_over[left] + left_over[right]
    return cost_complexity_path(tree.structure, left_over)


def booster_curve(
    model: Any, X_train: Any, y_train: Any, X_test: Any, y_test: Any, scoring: str | None = None
) -> GeneralizationCurve:
    """Score every cost-complexity pruning of a model that is one tree, on two sets of rows.

    Parameters
    ----------
    model : fitted model of LightGBM or XGBoost
        Of one tree (``n_estimators=1``), for numbers by squared error or for two classes.
    X_train, y_train, X_test, y_test : array-like
        Rows to score; the first are usually those the tree was grown on.
    scoring : str, default=None
        A scorer name of scikit-learn. None means ``"accuracy"``, ``"neg_mean_squared_error"`` for numbers.

    Returns
    -------
    GeneralizationCurve
        With the levels and prices of `gain_path`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from xgboost import XGBRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = XGBRegressor(n_estimators=1, max_depth=2, learning_rate=1).fit(X[:300], y[:300])
    >>> curve = booster_curve(model, X[:300], y[:300], X[300:], y[300:], scoring="r2")
    >>> curve.n_leaves, curve.train.round(2)
    (array([4, 3, 2, 1]), array([0.48, 0.42, 0.33, 0.  ]))
    """
    boosted = read(model)
    if len(boosted.trees) != 1:
        raise ValueError(
            f"the model has {len(boosted.trees)} trees: this is the curve of one, fit with n_estimators=1 "
            "(and two classes at most), or compare models from prune_trees"
        )
    if not (scoring is None or isinstance(scoring, str)):
        raise TypeError(f"got scoring={scoring!r}: the name of a scikit-learn scorer is expected")
    alone = TreeAlone.of(model, boosted, boosted.trees[0])
    path, name = gain_path(boosted.trees[0]), scoring_name(alone.is_classifier, scoring)
    train, test = (scores_by_level(alone, path, X, y, name) for X, y in ((X_train, y_train), (X_test, y_test)))
    return GeneralizationCurve(
        method=path.method,
        parameter=path.parameter,
        scoring=name,
        nested=True,
        computed_from="statistics" if from_statistics(alone, name, None) else "predictions",
        holds=path.holds,
        repeat=np.zeros(path.n_levels, dtype=np.intp),
        level=np.arange(path.n_levels),
        price=path.price,
        n_leaves=path.n_leaves,
        train=train,
        test=test,
    )


def _cut_at_alpha(tree: BoosterTree, alpha: float) -> Cut:
    path = gain_path(tree)
    return cut_at(tree.structure, path.removed_at, int(path.levels_at(alpha)))


def _reduced_error(model: Any, boosted: Boosted, X: Any, y: Any) -> list[Cut]:
    """Cut each tree where it would serve the held-out rows best if it were the whole model."""
    if X is None or y is None:
        raise ValueError("reduced-error pruning needs rows that the model was not fitted on: give them as X and y")
    if len(boosted.base) > 1 or not boosted.is_forest:
        what = f"{len(boosted.base)} classes" if len(boosted.base) > 1 else f"{boosted.n_rounds} rounds of boosting"
        raise ValueError(
            f"the model has {what}, and its trees predict nothing one by one: reduced-error pruning is for single "
            "trees and forests of numbers or two classes; method='cost_complexity' and method='max_depth' are for all"
        )
    return [_best_on_rows(TreeAlone.of(model, boosted, tree), X, y) for tree in boosted.trees]


def _best_on_rows(alone: TreeAlone, X: Any, y: Any) -> Cut:
    statistics = alone.statistics(X, y)
    cost = loss.brier(statistics.sums, alone.value) if alone.is_classifier else alone.error(statistics)
    return reduced_error_cut(alone.structure, cost)
