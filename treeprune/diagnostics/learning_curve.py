"""How do size and accuracy grow with the number of training rows?

Oates & Jensen (1997), *The effects of training set size on decision tree complexity*: trees keep growing
with the rows long after their accuracy has stopped to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from treeprune.checks import check_number
from treeprune.diagnostics.answer import Answer
from treeprune.diagnostics.trials import by_name, fit_and_score, levels, splits
from treeprune.rows import take_rows


def learning_curve(
    models: Any,
    X: Any,
    y: Any,
    *,
    shares: Sequence[float] = (0.1, 0.2, 0.4, 0.7, 1.0),
    test_size: float = 0.3,
    repeats: int = 10,
    random_state: int = 0,
) -> Answer:
    """Fit to more and more of the training rows, and score on the same test rows.

    Parameters
    ----------
    models : estimator, or mapping from names to estimators
        Trees and pruners.
    X, y : array-like
    shares : sequence of float in (0, 1]
        Of the training rows; smaller samples are parts of larger ones.
    test_size : float in (0, 1), default=0.3
    repeats : int, default=10
        Random splits.
    random_state : int, default=0

    Returns
    -------
    Answer
        Columns repeat, n_train, model, leaves, train, test.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from treeprune.diagnostics import learning_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> answer = learning_curve(DecisionTreeClassifier(random_state=0), X, y, shares=[0.2, 1], repeats=3)
    >>> answer.summary()["n_train"].tolist()
    [21, 105]
    """
    from pandas import DataFrame

    named, rows = by_name(models), []
    shares = sorted({*levels("shares", shares)})
    for share in shares:
        check_number("shares", share, low=0, high=1)
        if share == 0:
            raise ValueError("shares=0: a share in (0, 1] is expected")
    first = next(iter(named.values()))
    for repeat, seed, training, test in splits(first, X, y, test_size, repeats, random_state):
        shuffled = np.random.default_rng(seed).permutation(training)
        for share in shares:
            some = np.sort(shuffled[: max(2, round(share * len(shuffled)))])
            for name, model in named.items():
                found = fit_and_score(model, *take_rows(some, X, y), *take_rows(test, X, y))
                rows.append({"repeat": repeat, "n_train": len(some), "model": name, **found})
    table = DataFrame(rows)
    return Answer("How do size and accuracy grow with the rows?", table, "n_train", ("leaves", "test"), "model")
