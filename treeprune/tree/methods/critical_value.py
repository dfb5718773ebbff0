"""Critical-value pruning.

Mingers (1987), *Expert systems: rule induction with statistical data*, Journal of the Operational
Research Society 38:39-47.

A split is judged by the goodness it was chosen for.  A branch goes if no split in it, its own
included, reaches the critical value; a poor split above a good one stays.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from treeprune.checks import check_choice, check_number
from treeprune.path import PruningPath
from treeprune.tree.cuts import node_numbers, path_from_prices
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.loss import entropy
from treeprune.tree.pruner import PathPruner
from treeprune.tree.sides import Sides
from treeprune.tree.structure import TreeStructure

Goodness = Literal["impurity_decrease", "gain_ratio", "chi2"]


def critical_value_path(structure: TreeStructure, goodness: ArrayLike) -> PruningPath:
    """Order all branches by the best split in them.

    Parameters
    ----------
    structure : TreeStructure
    goodness : array-like of float, shape (n_nodes,)
        s(t) of the split at each inner node; leaves are not read. Negative values count as 0.

    Returns
    -------
    PruningPath
        Node t survives the critical value v if and only if some split in its branch has s >= v,
        so level k holds for v > price[k]. Level 0 holds at v = 0 in any case.

    Examples
    --------
    The split at the root is poor, but the better one below it saves it:

    >>> from treeprune import TreeStructure, critical_value_path
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> path = critical_value_path(tree, [0.1, 0, 0.4, 0, 0])
    >>> path.price, path.n_leaves
    (array([0. , 0.4]), array([3, 1]))
    """
    best = node_numbers(structure, goodness, "goodness", at=~structure.is_leaf)  # 0 at leaves: no branch has less
    for t, left, right in structure.upward():
        best[t] = np.maximum(best[t], np.maximum(best[left], best[right]))
    return path_from_prices(structure, best, "critical_value", holds="above")


class CriticalValuePruner(PathPruner):
    """Mingers's critical-value pruning.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    critical_value : float, default=0.0
        Goodness that a branch must reach somewhere, at least 0; 0 prunes nothing. Its scale is
        that of the goodness, so let `PrunerCV` choose it.
    goodness : {"impurity_decrease", "gain_ratio", "chi2"}, default="impurity_decrease"
        Of a split: by how much it lowers the impurity of its own node's rows (the tree's own
        criterion); Quinlan's gain ratio; Pearson's chi-square of children by classes. The last
        two are for classification trees with one output.

    Attributes
    ----------
    path_ : PruningPath

    References
    ----------
    Mingers (1987, 1989).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import CriticalValuePruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = CriticalValuePruner(critical_value=0.3).fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (22, 13)
    """

    method = "critical_value"
    strength = "critical_value"

    def __init__(
        self, estimator: Any = None, *, critical_value: float = 0.0, goodness: Goodness = "impurity_decrease"
    ) -> None:
        super().__init__(estimator)
        self.critical_value = critical_value
        self.goodness = goodness

    def _check_parameters(self) -> None:
        check_number("critical_value", self.critical_value, low=0)
        check_choice("goodness", self.goodness, ("impurity_decrease", "gain_ratio", "chi2"))

    def _needs_counts(self) -> bool:
        return self.goodness != "impurity_decrease"

    def _find_path(self, tree: FittedTree, statistics: NodeStatistics | None) -> PruningPath:
        if self.goodness == "impurity_decrease":
            impurity, n_rows = tree.impurity(statistics), tree.rows(statistics)
            return critical_value_path(tree.structure, impurity_decrease(tree.structure, impurity, n_rows))
        tree.require_one_class_variable(f"goodness={self.goodness!r}")
        measure = gain_ratio if self.goodness == "gain_ratio" else chi2
        return critical_value_path(tree.structure, measure(tree.structure, tree.counts(statistics)[:, 0]))

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        path = self._find_path(tree, statistics)
        best = path.price[path.removed_at]  # the level at which a node goes is named by the best split of its branch
        limit = np.full(len(best), float(self.critical_value))
        return Sides("best split in its branch", best, "critical value", limit, "keep", "weakest first")


def impurity_decrease(structure: TreeStructure, impurity: NDArray[Any], n_rows: NDArray[Any]) -> NDArray[np.float64]:
    """Impurity per row of each inner node less that of its children."""
    t, left, right = _splits(structure)
    decrease = np.zeros(structure.n_nodes)
    total = impurity[t] - impurity[left] - impurity[right]
    decrease[t] = np.divide(total, n_rows[t], out=np.zeros(len(t)), where=n_rows[t] > 0)
    return decrease


def gain_ratio(structure: TreeStructure, class_counts: NDArray[Any]) -> NDArray[np.float64]:
    """Information gain of each split over the information in where its rows go; 0 at leaves."""
    n = class_counts.sum(axis=-1)
    gain = impurity_decrease(structure, entropy(class_counts), n)
    t, left, _ = _splits(structure)
    share = np.divide(n[left], n[t], out=np.zeros(len(t)), where=n[t] > 0)
    split_information = -(xlogy(share, share) + xlogy(1 - share, 1 - share)) / np.log(2)
    ratio = np.zeros(structure.n_nodes)
    np.divide(gain[t], split_information, out=(at_splits := np.zeros(len(t))), where=split_information > 0)
    ratio[t] = at_splits
    return ratio


def chi2(structure: TreeStructure, class_counts: NDArray[Any]) -> NDArray[np.float64]:
    """Pearson's chi-square statistic of children by classes at each split; 0 at leaves."""
    n = class_counts.sum(axis=-1)
    statistic = np.zeros(structure.n_nodes)
    t, left, right = _splits(structure)
    for child in (left, right):
        expected = class_counts[t] * np.divide(n[child], n[t], out=np.zeros(len(t)), where=n[t] > 0)[:, None]
        squares = (class_counts[child] - expected) ** 2
        statistic[t] += np.divide(squares, expected, out=np.zeros_like(squares), where=expected > 0).sum(axis=1)
    return statistic


def _splits(structure: TreeStructure) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    t = structure.inner
    return t, structure.children_left[t], structure.children_right[t]
