"""How many rows should a holdout method keep from growing?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from treeprune.diagnostics.answer import Answer
from treeprune.diagnostics.trials import fit_and_score, levels, splits
from treeprune.rows import take_rows
from treeprune.tree.methods.reduced_error import ReducedErrorPruner


def holdout_size(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    fractions: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5),
    test_size: float = 0.3,
    repeats: int = 10,
    random_state: int = 0,
) -> Answer:
    """Prune by reduced error with more and more rows held out, as published and with leaf values refitted.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or another tree
        What to grow.
    X, y : array-like
    fractions : sequence of float in (0, 1)
        Shares of the training rows that are held out.
    test_size, repeats, random_state
        As in `learning_curve`.

    Returns
    -------
    Answer
        Columns repeat, held_out, model ("as published", "refitted"), leaves, train, test.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from treeprune.diagnostics import holdout_size
    >>> X, y = load_iris(return_X_y=True)
    >>> answer = holdout_size(DecisionTreeClassifier(random_state=0), X, y, fractions=[0.2, 0.4], repeats=2)
    >>> len(answer.table)
    8
    """
    from pandas import DataFrame

    rows, fractions = [], levels("fractions", fractions)
    for repeat, seed, training, test in splits(estimator, X, y, test_size, repeats, random_state):
        for fraction in fractions:
            for name, refit in (("as published", False), ("refitted", True)):
                pruner = ReducedErrorPruner(
                    estimator, validation_fraction=fraction, refit_leaves=refit, random_state=seed
                )
                found = fit_and_score(pruner, *take_rows(training, X, y), *take_rows(test, X, y))
                rows.append({"repeat": repeat, "held_out": fraction, "model": name, **found})
    table = DataFrame(rows)
    return Answer("How many rows should be held out?", table, "held_out", ("leaves", "test"), "model")
