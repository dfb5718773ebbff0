"""Generalization curves of what has no path: any pruner, hard or soft, over the values of one parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier

from treeprune.curve import GeneralizationCurve
from treeprune.tree.curve import Scoring, scoring_name
from treeprune.tree.fitted import check_weight
from treeprune.tree.predictor import PrunedPredictor
from treeprune.tree.pruner import GROWING_PARAMETERS


def strength_curve(
    pruner: Any,
    strengths: Mapping[str, Sequence[float]],
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    scoring: Scoring = None,
    *,
    sample_weight_train: ArrayLike | None = None,
    sample_weight_test: ArrayLike | None = None,
) -> GeneralizationCurve:
    """Grow one tree, prune it with each value of a parameter, and score all of them.

    Parameters
    ----------
    pruner : pruner, `HierarchicalShrinker` or `TreeAverager`
        Its tree is grown on the training rows, once; a ``FrozenEstimator`` is not grown again.
    strengths : mapping with one entry
        The parameter and its values, ``{"shrinkage": [0, 1, 10, 100]}``. Not one that changes how the tree grows.
    X_train, y_train, X_test, y_test : array-like
        Rows to grow and prune with, and rows to score only.
    scoring : str or callable, default=None
        As in `pruning_curve`.
    sample_weight_train, sample_weight_test : array-like, optional

    Returns
    -------
    GeneralizationCurve
        With one repeat, in the order of the values. Soft pruning keeps all leaves, so that its curve is drawn over the
        parameter.

    Raises
    ------
    TypeError
        If it is no pruner.
    ValueError
        For a parameter that it does not have, or that changes the growth, or for no values.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> rows = X[:300], y[:300], X[300:], y[300:]
    >>> curve = tp.strength_curve(tp.HierarchicalShrinker(), {"shrinkage": [0, 10, 100]}, *rows, "neg_log_loss")
    >>> print(curve.frame()[["price", "n_leaves", "train", "test"]].round(2).to_string(index=False))
     price  n_leaves  train  test
       0.0        18  -0.00 -3.89
      10.0        18  -0.06 -0.28
     100.0        18  -0.20 -0.28
    """
    parameter, values = _checked(pruner, strengths)
    for name, y in (("y_train", y_train), ("y_test", y_test)):
        if y is None:
            raise ValueError(f"{name} is None: the rows of X need their targets")
    training = X_train, y_train, check_weight(sample_weight_train, len(y_train))
    test = X_test, y_test, check_weight(sample_weight_test, len(y_test))
    fitted, found = clone(pruner), []
    for k, value in enumerate(values):
        fitted.set_params(**{parameter: value})
        (fitted._again if k else fitted.fit)(*training)
        family = fitted._family_of_one(fitted.estimator_)
        scores = (family.scores(*rows, scoring)[0] for rows in (training, test))
        found.append((family.levels.n_leaves[0], *scores))
    n_leaves, train, held_out = (np.array(column) for column in zip(*found, strict=True))
    return GeneralizationCurve(
        method=fitted.method,
        parameter=parameter,
        scoring=scoring_name(is_classifier(fitted._to_grow()), scoring),
        nested=False,
        computed_from=family.computed_from(scoring),
        holds="up_to",
        repeat=np.zeros(len(values), dtype=np.intp),
        level=np.arange(len(values)),
        price=np.array(values, dtype=np.float64),
        n_leaves=n_leaves,
        train=train,
        test=held_out,
    )


def _checked(pruner: Any, strengths: Mapping[str, Sequence[float]]) -> tuple[str, list[float]]:
    """Return the name of the parameter and its values."""
    if not (isinstance(pruner, PrunedPredictor) and hasattr(pruner, "_family_of_one")):
        raise TypeError(f"pruner={pruner!r}: a pruner, HierarchicalShrinker or TreeAverager is expected")
    if not isinstance(strengths, Mapping) or len(strengths) != 1:
        raise ValueError(f"strengths={strengths!r}: one parameter and its values are expected, {{'m': [0, 2, 8]}}")
    ((parameter, given),) = strengths.items()
    own = [name for name in pruner.get_params(deep=False) if name not in GROWING_PARAMETERS]
    if parameter not in own:
        raise ValueError(f"{parameter!r} is no parameter of the pruning: {type(pruner).__name__} has {', '.join(own)}")
    values = list(given) if np.iterable(given) and not isinstance(given, str) else [given]
    if not values or not all(isinstance(v, Real) and not isinstance(v, bool) for v in values):
        raise ValueError(f"{parameter}={given!r}: one number or several are expected")
    return parameter, values
