"""Limits on growth by a node's own numbers, applied after growing.

Scikit-learn splits a node only if it holds ``min_samples_split`` rows, and only if the split lowers the
impurity of the whole tree by ``min_impurity_decrease``; below a node that is not split nothing is. So a
split goes as soon as the limit is above the least of the numbers on its way from the root.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_number
from treeprune.path import PruningPath
from treeprune.tree.cuts import node_numbers, path_from_prices
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import PathPruner
from treeprune.tree.sides import Sides
from treeprune.tree.structure import TreeStructure


def growth_limit_path(structure: TreeStructure, worth: ArrayLike, method: str) -> PruningPath:
    """Order the splits by the limit that would have prevented them.

    Parameters
    ----------
    structure : TreeStructure
    worth : array-like of float, shape (n_nodes,)
        What a limit is compared with at each inner node: a split is made if its worth is at least the limit,
        and every split above it was made.
    method : str
        Name of the path.

    Returns
    -------
    PruningPath
        Level k holds for a limit above price[k].

    Examples
    --------
    >>> from treeprune import TreeStructure, growth_limit_path
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> path = growth_limit_path(tree, [10, 0, 6, 0, 0], "min_samples_split")
    >>> path.price, path.n_leaves
    (array([ 0.,  6., 10.]), array([3, 2, 1]))
    """
    least = np.maximum(node_numbers(structure, worth, "worth", at=~structure.is_leaf), 0)
    for t, left, right in structure.downward():
        least[left], least[right] = np.minimum(least[left], least[t]), np.minimum(least[right], least[t])
    return path_from_prices(structure, least, method, holds="above")


class MinImpurityDecreasePruner(PathPruner):
    """Cut the grown tree where splits gain little, as ``min_impurity_decrease`` would have.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    min_impurity_decrease : float, default=0.0
        By how much a split must lower the impurity of the whole tree, in scikit-learn's unit; 0 prunes nothing.

    Notes
    -----
    Equal to growing with the limit where no node had to break a tie between best splits. Pruning rows
    change nothing: the impurities are those that the tree stored as it grew.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import MinImpurityDecreasePruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> MinImpurityDecreasePruner(min_impurity_decrease=0.01).fit(X, y).n_leaves_
    6
    """

    method = "min_impurity_decrease"
    strength = "min_impurity_decrease"

    def __init__(self, estimator: Any = None, *, min_impurity_decrease: float = 0.0) -> None:
        super().__init__(estimator)
        self.min_impurity_decrease = min_impurity_decrease

    def _check_parameters(self) -> None:
        check_number("min_impurity_decrease", self.min_impurity_decrease, low=0)

    def _needs_counts(self) -> bool:
        return False

    def _find_path(self, tree: FittedTree, statistics: NodeStatistics | None) -> PruningPath:
        total, structure = tree.impurity(None), tree.structure
        decrease, t = np.zeros(structure.n_nodes), structure.inner
        decrease[t] = total[t] - total[structure.children_left[t]] - total[structure.children_right[t]]
        # scikit-learn takes a limit for reached that rounding alone keeps away
        decrease += np.finfo(np.float64).eps * tree.rows(None)[0]
        return growth_limit_path(structure, decrease / tree.rows(None)[0], self.method)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        return _sides_of(
            self._find_path(tree, statistics), "gain of its split, or of one above", self.min_impurity_decrease
        )


class MinSamplesSplitPruner(PathPruner):
    """Cut the grown tree where nodes are small, as ``min_samples_split`` would have.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    min_samples_split : int or float, default=2
        Rows that a node must hold to be split; up to 2 prunes nothing. A float up to 1 is a share of the rows, as in
        scikit-learn.

    Notes
    -----
    Equal to growing with the limit where no node had to break a tie between best splits, and no row has a
    weight: weights of rows are frequencies here, so are those of a forest's bootstrap, while scikit-learn counts a
    row once whatever it weighs. Class weights are no frequencies, and do not count. The rows are those of the
    growth; pruning rows change nothing.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import MinSamplesSplitPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> MinSamplesSplitPruner(min_samples_split=50).fit(X, y).n_leaves_
    10
    """

    method = "min_samples_split"
    strength = "min_samples_split"

    def __init__(self, estimator: Any = None, *, min_samples_split: float = 2) -> None:
        super().__init__(estimator)
        self.min_samples_split = min_samples_split

    def _check_parameters(self) -> None:
        check_number("min_samples_split", self.min_samples_split, low=0)

    def _needs_counts(self) -> bool:
        return False

    def _find_path(self, tree: FittedTree, statistics: NodeStatistics | None) -> PruningPath:
        return growth_limit_path(tree.structure, self._rows(tree), self.method)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        return _sides_of(self._find_path(tree, statistics), "rows of the node", self._strength_for(tree))

    def _strength_for(self, tree: FittedTree) -> float:
        limit = self.min_samples_split
        is_share = isinstance(limit, Real) and not isinstance(limit, Integral) and limit <= 1
        return float(np.ceil(limit * self._rows(tree)[0])) if is_share else float(limit)

    def _rows(self, tree: FittedTree) -> NDArray[Any]:
        by_class = getattr(tree.estimator, "class_weight", None) is not None
        return tree.estimator.tree_.n_node_samples if by_class else tree.rows(None)


def _sides_of(path: PruningPath, says: str, limit: float) -> Sides:
    worth = path.price[path.removed_at]
    return Sides(says, worth, "limit", np.full(len(worth), float(limit)), "keep", "top-down")
