"""Does the test error fall a second time when models grow beyond a perfect fit?

Belkin, Hsu, Ma & Mandal (2019) drew trees and forests along one axis; Curth, Jeffares & van der Schaar
(2023), *A U-turn on double descent*, showed that these are two: leaves of a tree until it is perfect, then trees
that are averaged.  Each axis by itself has no second descent; joined they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from treeprune.checks import check_choice, check_count
from treeprune.diagnostics.answer import Answer
from treeprune.diagnostics.trials import levels

FIRST, SECOND = "leaves of one tree", "trees of full size"


def double_descent(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    task: str = "classification",
    leaves: Sequence[int] = (2, 4, 8, 16, 32, 64, 128),
    trees: Sequence[int] = (1, 2, 5, 10, 20, 50),
    max_features: Any = "sqrt",
    repeats: int = 5,
    random_state: int = 0,
) -> Answer:
    """Grow one tree leaf by leaf to its full size, then average more and more trees of full size.

    Parameters
    ----------
    X_train, y_train, X_test, y_test : array-like
    task : {"classification", "regression"}, default="classification"
    leaves : sequence of int
        Sizes of the single tree; the full size comes after them.
    trees : sequence of int
        Trees of full size, each grown on all rows with features drawn at every split.
    max_features : as in scikit-learn's forests, default="sqrt"
    repeats : int, default=5
        Seeds.
    random_state : int, default=0

    Returns
    -------
    Answer
        Columns repeat, axis, leaves (of one tree), trees, complexity (leaves of all trees together), train_error,
        test_error. ``by="axis"``: it shows the two axes apart, and ``joined()`` of it both as one line over complexity.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune.diagnostics import double_descent
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> answer = double_descent(X[:300], y[:300], X[300:], y[300:], leaves=[2, 8], trees=[1, 10], repeats=2)
    >>> answer.table["trees"].unique().tolist()
    [1, 10]
    >>> answer.joined().summary()["complexity"].is_monotonic_increasing
    True
    """
    from pandas import DataFrame

    check_choice("task", task, ("classification", "regression"))
    check_count("repeats", repeats, low=1)
    check_count("random_state", random_state, low=0)
    for n in levels("leaves", leaves):
        check_count("leaves", n, low=2)
    for n in levels("trees", trees):
        check_count("trees", n, low=1)
    classifies = task == "classification"
    kind = DecisionTreeClassifier if classifies else DecisionTreeRegressor
    forest = RandomForestClassifier if classifies else RandomForestRegressor
    rows = []
    for repeat in range(repeats):
        common: dict[str, Any] = {"max_features": max_features, "random_state": random_state + repeat}
        full = kind(**common).fit(X_train, y_train).get_n_leaves()
        sizes = [n for n in leaves if n < full]
        models = [(FIRST, n, 1, kind(max_leaf_nodes=n, **common)) for n in sizes]
        models += [(SECOND, full, n, forest(n_estimators=n, bootstrap=False, **common)) for n in trees]
        for axis, n_leaves, n_trees, model in models:
            errors = _errors(model.fit(X_train, y_train), X_train, y_train, X_test, y_test)
            about = {"repeat": repeat, "axis": axis, "leaves": n_leaves, "trees": n_trees}
            rows.append({**about, "complexity": n_leaves * n_trees, **errors})
    table = DataFrame(rows)
    second = table["axis"] == SECOND  # sizes differ a little by seed
    table.loc[second, "complexity"] = round(table.loc[second, "leaves"].mean()) * table.loc[second, "trees"]
    return Answer("Does the test error fall a second time?", table, "complexity", ("train_error", "test_error"), "axis")


def _errors(model: Any, X_train: Any, y_train: Any, X_test: Any, y_test: Any) -> dict[str, float]:
    """Share of wrong rows, or mean squared error."""
    if hasattr(model, "classes_"):
        return {"train_error": 1 - model.score(X_train, y_train), "test_error": 1 - model.score(X_test, y_test)}
    return {
        "train_error": float(np.mean((model.predict(X_train) - y_train) ** 2)),
        "test_error": float(np.mean((model.predict(X_test) - y_test) ** 2)),
    }
