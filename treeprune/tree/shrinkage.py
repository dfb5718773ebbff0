"""Soft pruning: no split goes, but what a node adds to its parent's value counts less the fewer rows say it.

Agarwal, Tan, Ronen, Singh & Yu (2022), *Hierarchical shrinkage: improving the accuracy and
interpretability of tree-based methods*, ICML 39:111-135.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_number
from treeprune.tree.cuts import node_numbers
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.soft import SoftPruner
from treeprune.tree.structure import TreeStructure


def shrunken_values(
    structure: TreeStructure, value: ArrayLike, n_rows: ArrayLike, shrinkage: float
) -> NDArray[np.float64]:
    """Shrink the value of each node towards those above it.

    With E(t) the value of node t, p(t) its parent and N its rows, a node predicts

        E(root) + sum over t on the way from below the root of (E(t) - E(p(t))) / (1 + shrinkage / N(p(t))).

    Parameters
    ----------
    structure : TreeStructure
    value : array-like of float, shape (n_nodes, ...)
        Means, or shares of classes.
    n_rows : array-like of float, shape (n_nodes,)
    shrinkage : float
        At least 0, in rows. 0 leaves all as it is, infinity leaves the root's value.

    References
    ----------
    Agarwal et al. (2022), equation 1.

    Examples
    --------
    >>> from treeprune import TreeStructure, shrunken_values
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> shrunken_values(stump, [0.5, 0.2, 0.8], [10, 5, 5], shrinkage=10)
    array([0.5 , 0.35, 0.65])
    """
    check_number("shrinkage", shrinkage, low=0)
    shrinkage = float(shrinkage)
    values = np.asarray(value, dtype=np.float64)
    if values.ndim < 1 or len(values) != structure.n_nodes:
        raise ValueError(
            f"value has shape {values.shape}: an entry for each of the {structure.n_nodes} nodes is expected"
        )
    own = node_numbers(structure, values.reshape(structure.n_nodes, -1), "value", ndims=(2,))
    n = node_numbers(structure, n_rows, "n_rows", low=0)
    keeps = np.zeros(len(n)) if np.isinf(shrinkage) else np.divide(n, n + shrinkage, out=np.zeros_like(n), where=n > 0)
    new = own.astype(np.float64)
    for t, left, right in structure.downward():
        for child in (left, right):
            new[child] = new[t] + (own[child] - own[t]) * np.asarray(keeps[t])[..., None]
    return new.reshape(values.shape)


class HierarchicalShrinker(SoftPruner):
    """Grow a tree, and shrink what its nodes say towards what those above them say.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``. A ``FrozenEstimator`` is not grown again.
    shrinkage : float, default=10.0
        In rows, at least 0; 0 changes nothing. Choose it by ``PrunerCV(shrinker, {"shrinkage": [1, 10, 100]})``.

    Attributes
    ----------
    grown_ : estimator
        The tree as it was grown.
    estimator_ : estimator
        An ordinary scikit-learn tree with the same splits and other values.
    n_leaves_ : int

    Notes
    -----
    The shares of classes still sum to 1. Rows are those of the growth, weights are frequencies.

    References
    ----------
    Agarwal et al. (2022).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.metrics import log_loss
    >>> from treeprune import HierarchicalShrinker
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> soft = HierarchicalShrinker(shrinkage=20).fit(X[:300], y[:300])
    >>> hard, better = (log_loss(y[300:], tree.predict_proba(X[300:])) for tree in (soft.grown_, soft))
    >>> bool(better < 0.5 * hard), bool(soft.n_leaves_ == soft.grown_.get_n_leaves())
    (True, True)
    """

    method = "hierarchical_shrinkage"

    def __init__(self, estimator: Any = None, *, shrinkage: float = 10.0) -> None:
        self.estimator = estimator
        self.shrinkage = shrinkage

    def _check_parameters(self) -> None:
        check_number("shrinkage", self.shrinkage, low=0)

    def _needs_counts(self) -> bool:
        return False

    def _find(self, tree: FittedTree, statistics: NodeStatistics | None) -> dict[str, Any]:
        value = shrunken_values(tree.structure, tree.value, tree.growing_weight, self.shrinkage)
        return {"value": value.clip(0, 1) if tree.is_classifier else value}  # shares, up to rounding
