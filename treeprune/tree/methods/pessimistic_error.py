"""Pessimistic error pruning.

Quinlan (1987), *Simplifying decision trees*, International Journal of Man-Machine Studies
27:221-234.

No rows are held out.  Half an error a leaf is added to the training errors, the continuity
correction of the binomial, so that a branch with many leaves looks worse than it does on the rows
that shaped it.
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


def pessimistic_error_cut(
    structure: TreeStructure, errors: ArrayLike, n_rows: ArrayLike, z: float = 1.0
) -> NDArray[np.bool_]:
    """Cut where a leaf's corrected errors are within z standard errors of its branch's.

    With e(t) errors of n(t) rows and L leaves below t, node t becomes a leaf if

        e(t) + 1/2 <= e' + z SE,   e' = errors of the leaves + L/2,   SE = sqrt(e' (n - e') / n).

    The tests go from the root downwards; each one looks at the branch as it was grown, and below
    a new leaf none is made.

    Parameters
    ----------
    structure : TreeStructure
    errors : array-like of float, shape (n_nodes,)
        Training errors of each node as a leaf.
    n_rows : array-like of float, shape (n_nodes,)
        Training rows at each node.
    z : float, default=1.0
        Number of standard errors, at least 0.

    References
    ----------
    Quinlan (1987), section 4. Where n < L/2 the binomial variance would be negative; it is then 0.

    Examples
    --------
    >>> from treeprune import TreeStructure, pessimistic_error_cut
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> pessimistic_error_cut(stump, errors=[3, 1, 0], n_rows=[20, 10, 10])  # 3.5 <= 2 + 1.34
    array([False,  True,  True])
    >>> pessimistic_error_cut(stump, errors=[2, 1, 0], n_rows=[20, 10, 10])  # 2.5 <= 2 + 1.34
    array([ True, False, False])
    """
    check_number("z", z, low=0)
    e = node_numbers(structure, errors, "errors", low=0)
    n = node_numbers(structure, n_rows, "n_rows", low=0)
    return topmost(structure, e + 0.5 <= _limit(structure, e, n, z) * (1 + 1e-12))


class PessimisticErrorPruner(BasePruner):
    """Quinlan's pessimistic error pruning, for classification trees with one output.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    z : float, default=1.0
        Number of standard errors by which a leaf may be worse than its branch, at least 0.

    References
    ----------
    Quinlan (1987).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import PessimisticErrorPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = PessimisticErrorPruner().fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (22, 9)
    """

    method = "pessimistic_error"
    one_class_variable = True

    def __init__(self, estimator: Any = None, *, z: float = 1.0) -> None:
        super().__init__(estimator)
        self.z = z

    def _check_parameters(self) -> None:
        check_number("z", self.z, low=0)

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        tree.require_one_class_variable("pessimistic-error pruning")
        return pessimistic_error_cut(tree.structure, tree.error(statistics), tree.rows(statistics), self.z)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        errors = tree.error(statistics)
        limit = _limit(tree.structure, errors, tree.rows(statistics), self.z)
        says = "errors as a leaf + 1/2", "errors of its branch + leaves/2 + z SE"
        return Sides(says[0], errors + 0.5, says[1], limit, order="top-down")


def _limit(structure: TreeStructure, errors: Any, n_rows: Any, z: float) -> NDArray[np.float64]:
    """Errors of each branch as it was grown, half an error a leaf, and z standard errors."""
    below = structure.sum_up(errors) + structure.sum_up(structure.is_leaf) / 2
    n = np.asarray(n_rows, dtype=np.float64)
    product = np.maximum(below * (n - below), 0)
    return below + z * np.sqrt(np.divide(product, n, out=np.zeros_like(n), where=n > 0))
