"""What the sweeps have in common: repeated splits, models by name, and one row for each fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from treeprune.checks import check_count, check_number
from treeprune.tree.fitted import find_tree
from treeprune.tree.holdout import holdout_split

Rows = NDArray[np.intp]


def by_name(models: Any) -> dict[str, Any]:
    """Return models by name; a single one goes by its class."""
    named = dict(models) if isinstance(models, Mapping) else {type(models).__name__: models}
    if not named:
        raise ValueError("models is empty: give an estimator, or a mapping from names to estimators")
    for name, model in named.items():
        if isinstance(model, type) or not hasattr(model, "fit"):
            raise TypeError(f"models[{name!r}] is {model!r}: a tree or a pruner to fit is expected")
    return named


def levels(name: str, given: Any) -> list[Any]:
    """Return the levels of a condition, one at least."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ValueError(f"{name}={given!r}: a list of one or several is expected")
    found = list(given)
    if not found:
        raise ValueError(f"{name} is empty: one level at least is expected")
    return found


def splits(
    model: Any, X: Any, y: Any, test_size: float, repeats: int, random_state: int
) -> Iterator[tuple[int, int, Rows, Rows]]:
    """Yield number, seed, training and test rows of every repeat; classes are stratified where that is possible."""
    check_number("test_size", test_size, low=0, high=1, open_ends=True)
    check_count("repeats", repeats, low=1)
    check_count("random_state", random_state, low=0)
    for repeat in range(repeats):
        seed = int(np.random.SeedSequence((random_state, repeat)).generate_state(1)[0])
        training, test = holdout_split(float(test_size), model, X, y, None, seed)
        yield repeat, seed, training, test


def fit_and_score(model: Any, X: Any, y: Any, X_test: Any, y_test: Any) -> dict[str, Any]:
    """Fit a clone; return its leaves and scores: accuracy, or R²."""
    fitted = clone(model).fit(X, y)
    tree = find_tree(getattr(fitted, "estimator_", fitted))
    return {"leaves": tree.structure.n_leaves, "train": fitted.score(X, y), "test": fitted.score(X_test, y_test)}


def require_classifier(model: Any, what: str) -> None:
    """Raise ValueError for a regressor."""
    if not is_classifier(model):
        raise ValueError(f"{what} is of classes: give a classifier, not {type(model).__name__}")
