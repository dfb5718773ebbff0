"""What is the least error at every size, and which sizes does cost-complexity pruning offer?

The cost-complexity path is the lower convex hull of the least training errors over the sizes: sizes that lie
above the hull are never chosen by any alpha.
"""

from __future__ import annotations

from typing import Any

from treeprune.diagnostics.answer import Answer
from treeprune.dispatch import pruning_cuts, pruning_path
from treeprune.tree.curve import pruning_curve
from treeprune.tree.fitted import find_tree


def size_frontier(tree: Any, X_train: Any, y_train: Any, X_test: Any, y_test: Any) -> Answer:
    """Score the optimal pruning of every size, and the cost-complexity levels, on both sets of rows.

    Parameters
    ----------
    tree : fitted tree, or Pipeline, search or FrozenEstimator with one in it
    X_train, y_train, X_test, y_test : array-like
        The rows it was grown on, and others.

    Returns
    -------
    Answer
        Columns family ("optimal by size", "cost-complexity"), n_leaves, train_error, test_error: shares
        of wrong rows, or mean squared errors.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from treeprune.diagnostics import size_frontier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X[::2], y[::2])
    >>> table = size_frontier(tree, X[::2], y[::2], X[1::2], y[1::2]).table
    >>> table.groupby("family")["n_leaves"].max().tolist()
    [6, 6]
    """
    from pandas import DataFrame, concat

    rows = X_train, y_train
    families: dict[str, Any] = {
        "optimal by size": pruning_cuts(tree, "optimal", *rows),
        "cost-complexity": pruning_path(tree, "cost_complexity", *rows, risk="error"),
    }
    best = 1.0 if find_tree(tree).is_classifier else 0.0
    tables = []
    for name, family in families.items():
        curve = pruning_curve(tree, family, *rows, X_test, y_test)
        errors = {"train_error": best - curve.train, "test_error": best - curve.test}
        tables.append(DataFrame({"family": name, "n_leaves": curve.n_leaves, **errors}))
    table = concat(tables, ignore_index=True).drop_duplicates(["family", "n_leaves"])
    return Answer("What is the least error at every size?", table, "n_leaves", ("train_error", "test_error"), "family")
