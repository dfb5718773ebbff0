"""Scores of confusion matrices, for the matrices of all prune levels at once.

Row sums are what is true, column sums what is predicted, the diagonal what is right; every score
here is a formula of those three (Sokolova & Lapalme 2009).  Where a ratio is 0 / 0 it is 0 and
a warning says so, as scikit-learn's scorers have it, and as there an average runs over the classes that
occur in the rows or in the predictions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import UndefinedMetricWarning

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# right, predicted and true weight of each class -> the numerator and denominator of its ratio
RATIOS: dict[str, Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]] = {
    "precision": lambda right, predicted, true: (right, predicted),
    "recall": lambda right, predicted, true: (right, true),
    "f1": lambda right, predicted, true: (2 * right, predicted + true),
    "jaccard": lambda right, predicted, true: (right, predicted + true - right),
}
AVERAGES = ("binary", "macro", "micro", "weighted")


def has_formula(name: str, classes: NDArray[np.generic]) -> bool:
    """Whether the score of this scikit-learn name can be had from matrices of these classes.

    Examples
    --------
    >>> has_formula("f1_macro", np.array(["a", "b"])), has_formula("roc_auc", np.array([0, 1]))
    (True, False)
    """
    if name in ("balanced_accuracy", "matthews_corrcoef"):
        return True
    ratio, average = _ratio_and_average(name)
    if average == "binary":  # of the class 1; what else there may be is for scikit-learn to refuse
        return ratio in RATIOS and len(classes) == 2 and classes.dtype.kind in "biuf" and 1 in classes
    return ratio in RATIOS and average in AVERAGES


def confusion_scores(
    name: str, right: Floats, predicted: Floats, true: Floats, occurs: Bools, classes: NDArray[np.generic]
) -> Floats:
    """Score every level, shape (n_levels,).

    Parameters
    ----------
    name : str
        Scikit-learn's name of the score.
    right, predicted, true : ndarray of float, shape (n_levels, n_classes)
        Of the matrix of true and predicted classes the diagonal, and the sums over either class: weight
        of the rows of each class that are right, that are predicted, that there are.
    occurs : ndarray of bool, shape (n_levels, n_classes)
        Classes that occur among the rows, whatever they weigh, or among the predictions.
    classes : ndarray, shape (n_classes,)

    Examples
    --------
    >>> matrices = np.array([[[8.0, 2.0], [1.0, 9.0]], [[10.0, 0.0], [10.0, 0.0]]])
    >>> parts = matrices.diagonal(axis1=1, axis2=2), matrices.sum(axis=1), matrices.sum(axis=2)
    >>> occurs, classes = np.ones((2, 2), dtype=bool), np.array([0, 1])
    >>> confusion_scores("balanced_accuracy", *parts, occurs, classes)
    array([0.85, 0.5 ])
    >>> confusion_scores("recall_macro", *parts, occurs, classes)
    array([0.85, 0.5 ])
    """
    if name == "matthews_corrcoef":
        return _matthews(right, predicted, true)
    if name == "balanced_accuracy":
        return _mean(_divided(right, true), true > 0)
    ratio, average = _ratio_and_average(name)
    if average == "micro":
        right, predicted, true = (part.sum(axis=1, keepdims=True) for part in (right, predicted, true))
        occurs = np.ones(right.shape, dtype=bool)
    if average == "binary":
        right, predicted, true = (part[:, classes == 1] for part in (right, predicted, true))
        occurs = np.ones(right.shape, dtype=bool)
    above, below = RATIOS[ratio](right, predicted, true)
    _warn_of_undefined(ratio, (below == 0) & occurs)
    return _mean(_divided(above, below), true if average == "weighted" else occurs)


def _ratio_and_average(name: str) -> tuple[str, str]:
    ratio, _, average = name.partition("_")
    return ratio, average or "binary"


def _warn_of_undefined(ratio: str, undefined: Bools) -> None:
    """Say once what scikit-learn would say of every level."""
    if undefined.any():
        levels = np.flatnonzero(undefined.any(axis=1))
        warnings.warn(
            f"{ratio.capitalize()} is ill-defined and being set to 0.0 for classes without predicted or true rows, "
            f"at {len(levels)} level(s), the first of them {levels[0]}",
            UndefinedMetricWarning,
            stacklevel=2,
        )


def _matthews(right: Floats, predicted: Floats, true: Floats) -> Floats:
    """Gorodkin's (2004) correlation of two class variables; 0 where one of them is constant."""
    total = true.sum(axis=1)
    both = right.sum(axis=1) * total - (true * predicted).sum(axis=1)
    of_predicted, of_true = (total**2 - (part**2).sum(axis=1) for part in (predicted, true))
    constant = ((predicted > 0).sum(axis=1) < 2) | ((true > 0).sum(axis=1) < 2)
    return _divided(both, np.sqrt(np.where(constant, 0, of_predicted * of_true)))


def _mean(values: Floats, weights: Floats | Bools) -> Floats:
    """Weighted mean of each row."""
    return _divided((values * weights).sum(axis=1), weights.sum(axis=1))


def _divided(above: Floats, below: NDArray[Any]) -> Floats:
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=below != 0)
