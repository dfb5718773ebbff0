"""Kearns and Mansour's pruning.

Kearns & Mansour (1998), *A fast, bottom-up decision tree pruning algorithm with near-optimal
generalization*, ICML 15:269-277.

A branch stays only if it beats its node as a leaf by more than what a bound allows it to owe to chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_number
from treeprune.tree.cuts import node_numbers, topmost
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import BasePruner
from treeprune.tree.sides import Sides
from treeprune.tree.structure import TreeStructure

Floats = NDArray[np.float64]


def kearns_mansour_cut(
    structure: TreeStructure,
    errors: ArrayLike,
    n_rows: ArrayLike,
    n_tests: float,
    c: float = 1.0,
    delta: float = 0.05,
) -> NDArray[np.bool_]:
    """Cut, from the leaves up, where a branch's advantage is within the penalty.

    With the error rates of node and branch, as it is by then pruned, t becomes a leaf if

        e(t) <= e(T_t) + c sqrt(((depth + size) log H + log(m / delta)) / n(t)),

    size the nodes of T_t, H the tests a node may make, m the rows in all.

    Parameters
    ----------
    structure : TreeStructure
    errors : array-like of float, shape (n_nodes,)
        Training errors of each node as a leaf.
    n_rows : array-like of float, shape (n_nodes,)
    n_tests : float, at least 1
        H: features times thresholds.
    c : float, default=1.0
        Of the penalty, at least 0. At 1, as published, it prunes hard.
    delta : float in (0, 1), default=0.05
        Probability with which the bound may fail.

    References
    ----------
    Kearns & Mansour (1998), section 3.

    Examples
    --------
    >>> from treeprune import TreeStructure, kearns_mansour_cut
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> kearns_mansour_cut(stump, [50, 5, 5], [100, 50, 50], n_tests=50)
    array([ True, False, False])
    >>> kearns_mansour_cut(stump, [5000, 500, 500], [10000, 5000, 5000], n_tests=50)
    array([False,  True,  True])
    """
    check_number("c", c, low=0)
    check_number("delta", delta, low=0, high=1, open_ends=True)
    check_number("n_tests", n_tests, low=1)
    as_leaf = node_numbers(structure, errors, "errors", low=0)
    allowed = _allowed(structure, as_leaf, node_numbers(structure, n_rows, "n_rows", low=0), n_tests, c, delta)
    return topmost(structure, structure.is_leaf | (as_leaf <= allowed * (1 + 1e-12)))


def _allowed(structure: TreeStructure, as_leaf: Any, n: Any, n_tests: float, c: float, delta: float) -> Floats:
    """Errors of each branch, as it is by then pruned, and on top those that the penalty allows it to owe."""
    best, size, allowed = as_leaf.astype(np.float64), np.ones(structure.n_nodes), np.zeros(structure.n_nodes)
    for t, left, right in structure.upward():
        branch, nodes, rows = best[left] + best[right], size[left] + size[right] + 1, np.maximum(n[t], 1e-300)
        allowed[t] = branch + rows * c * penalty(structure.depth[t], nodes, rows, n[0], float(n_tests), delta)
        collapse = as_leaf[t] <= allowed[t] * (1 + 1e-12)
        best[t], size[t] = np.where(collapse, as_leaf[t], branch), np.where(collapse, 1.0, nodes)
    return allowed


def penalty(depth: Any, size: Any, n_rows: Any, m: float, n_tests: float, delta: float) -> Any:
    """Return by how much a branch's error rate may be too good by chance, with probability 1 - delta."""
    return np.sqrt(((depth + size) * np.log(n_tests) + np.log(max(m, 1.0) / delta)) / n_rows)


class KearnsMansourPruner(BasePruner):
    """Prune by Kearns and Mansour's bound, classification trees with one output.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    c : float, default=1.0
        Of the penalty. As published it is 1, and leaves little; smaller prunes less, 0 keeps all that helps.
    delta : float in (0, 1), default=0.05
        Probability with which the bound may fail.

    Attributes
    ----------
    bound_ : float
        Error rate of the pruned tree on its pruning rows, and on top the penalty of the whole tree at c = 1:
        an upper bound of the true error rate up to the constants of the paper.
    vacuous_ : bool
        Whether the bound is 1 or more, and so says nothing.

    Notes
    -----
    The tests a node may make are taken as features times rows less one.

    References
    ----------
    Kearns & Mansour (1998).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import KearnsMansourPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = KearnsMansourPruner(c=0.1).fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_, round(pruner.bound_, 2), pruner.vacuous_
    (22, 4, 0.41, False)
    """

    method = "kearns_mansour"
    one_class_variable = True

    def __init__(self, estimator: Any = None, *, c: float = 1.0, delta: float = 0.05) -> None:
        super().__init__(estimator)
        self.c = c
        self.delta = delta

    def _check_parameters(self) -> None:
        check_number("c", self.c, low=0)
        check_number("delta", self.delta, low=0, high=1, open_ends=True)

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        tree.require_one_class_variable("Kearns and Mansour's pruning")
        errors, n_rows, tests = tree.error(statistics), tree.rows(statistics), _n_tests(tree, statistics)
        return kearns_mansour_cut(tree.structure, errors, n_rows, tests, self.c, self.delta)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        errors, n_rows = tree.error(statistics), tree.rows(statistics)
        allowed = _allowed(tree.structure, errors, n_rows, _n_tests(tree, statistics), self.c, self.delta)
        return Sides("errors as a leaf", errors.astype(np.float64), "errors of its branch + the penalty", allowed)

    def _find(self, tree: FittedTree, statistics: NodeStatistics | None) -> dict[str, Any]:
        found = super()._find(tree, statistics)
        m, cut = tree.rows(statistics)[0], found["cut_"]
        rate, size = tree.error(statistics)[cut].sum() / m, 2 * cut.sum() - 1
        bound = float(rate + penalty(0, size, m, m, _n_tests(tree, statistics), self.delta))
        return {**found, "bound_": bound, "vacuous_": bound >= 1}


def _n_tests(tree: FittedTree, statistics: NodeStatistics | None) -> float:
    return float(tree.estimator.n_features_in_ * max(tree.rows(statistics)[0] - 1, 1))
