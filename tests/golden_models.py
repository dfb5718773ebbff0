"""Trees of other systems as estimators of scikit-learn, so that pruners themselves can be held to those systems."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from treeprune import TreeStructure, class_counts


def as_estimator(structure: TreeStructure, X: Any, y: Any, grown_on: Any) -> tuple[DecisionTreeClassifier, Any]:
    """Build a fitted classifier with these tests, its counts those of the rows that it was grown on.

    Parameters
    ----------
    structure : TreeStructure
    X, y : ndarray
        All rows.
    grown_on : index

    Returns
    -------
    estimator, X
        The rows as ranks of their values, and thresholds between ranks: 32-bit floats, as which scikit-learn sees its
        rows, could fall on the other side of a threshold.
    """
    ranks, threshold = np.zeros_like(X, dtype=np.float64), np.full(structure.n_nodes, -2.0)
    for j, column in enumerate(X.T):
        values, ranks[:, j] = np.unique(column, return_inverse=True)
        tests = np.flatnonzero(~structure.is_leaf & (structure.feature == j))
        threshold[tests] = np.searchsorted(values, structure.threshold[tests], side="right") - 0.5
    counts = class_counts(structure, structure.route(X[grown_on]), y[grown_on], int(y.max()) + 1).astype(float)
    n = counts.sum(axis=1)
    fitted = DecisionTreeClassifier(max_depth=1).fit(ranks, y)
    kind, arguments, state = fitted.tree_.__reduce__()
    nodes = np.zeros(structure.n_nodes, dtype=state["nodes"].dtype)
    nodes["left_child"], nodes["right_child"] = structure.children_left, structure.children_right
    nodes["feature"] = np.where(structure.is_leaf, -2, structure.feature)
    nodes["threshold"] = threshold
    nodes["n_node_samples"] = nodes["weighted_n_node_samples"] = n
    share = counts / np.where(n > 0, n, 1)[:, None]
    nodes["impurity"] = 1 - (share**2).sum(axis=1)
    shape = {"max_depth": int(structure.depth.max()), "node_count": structure.n_nodes}
    fitted.tree_ = kind(*arguments)
    fitted.tree_.__setstate__({**state, **shape, "nodes": nodes, "values": share[:, None, :]})
    assert (fitted.apply(ranks) == structure.route(X)).all()
    return fitted, ranks
