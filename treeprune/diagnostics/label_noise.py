"""What do wrong labels in the training rows do to size and accuracy?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.checks import check_number
from treeprune.diagnostics.answer import Answer
from treeprune.diagnostics.trials import by_name, fit_and_score, levels, require_classifier, splits
from treeprune.rows import take_rows


def label_noise(
    models: Any,
    X: Any,
    y: Any,
    *,
    noise: Sequence[float] = (0.0, 0.1, 0.2, 0.3),
    test_size: float = 0.3,
    repeats: int = 10,
    random_state: int = 0,
) -> Answer:
    """Give a share of the training rows another class, and score on test rows as they are.

    Parameters
    ----------
    models : classifier, or mapping from names to classifiers
        Trees and pruners.
    X, y : array-like
    noise : sequence of float in [0, 1]
        Shares of the training rows whose class is drawn anew among the other classes; rows that are
        wrong at one share are wrong at the larger ones.
    test_size, repeats, random_state
        As in `learning_curve`.

    Returns
    -------
    Answer
        Columns repeat, noise, model, leaves, train (on the noisy labels), test.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from treeprune import PrunerCV
    >>> from treeprune.diagnostics import label_noise
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> models = {"grown": DecisionTreeClassifier(random_state=0), "pruned": PrunerCV(cv=5)}
    >>> answer = label_noise(models, X, y, noise=[0.3], repeats=3)
    >>> test = answer.summary().set_index("model")["test mean"]
    >>> bool(test["pruned"] > test["grown"] + 0.1)
    True
    """
    from pandas import DataFrame

    named, rows, target, noise = by_name(models), [], np.asarray(y), levels("noise", noise)
    for model in named.values():
        require_classifier(model, "label noise")
    for share in noise:
        check_number("noise", share, low=0, high=1)
    first = next(iter(named.values()))
    for repeat, seed, training, test in splits(first, X, y, test_size, repeats, random_state):
        turn, other = _other_classes(target[training], np.unique(target), seed)
        for share in noise:
            wrong = turn < round(share * len(training))
            labels = np.where(wrong, other, target[training])
            for name, model in named.items():
                found = fit_and_score(model, take_rows(training, X)[0], labels, *take_rows(test, X, y))
                rows.append({"repeat": repeat, "noise": share, "model": name, **found})
    table = DataFrame(rows)
    return Answer("What do wrong labels do to size and accuracy?", table, "noise", ("leaves", "test"), "model")


def _other_classes(target: NDArray[Any], classes: NDArray[Any], seed: int) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """In which turn each row becomes wrong, and the class that it then has."""
    if len(classes) < 2:
        raise ValueError(f"y holds one class only, {classes.tolist()}: there is no other to be wrong with")
    rng = np.random.default_rng(seed)
    step = rng.integers(1, len(classes), size=len(target))
    other = classes[(np.searchsorted(classes, target) + step) % len(classes)]
    return rng.permutation(len(target)), other
