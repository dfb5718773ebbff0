"""The weights a network began with: to prune before training, and to train a pruned network from its start.

Frankle & Carbin (2019), *The lottery ticket hypothesis*.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from treeprune.neural.deployment import NETWORKS, left_of_training, with_weights

ITSELF = "got {}: an MLPClassifier or MLPRegressor itself is wanted; of a Pipeline take the last step, and its rows"
NO_STEP = np.finfo(np.float64).tiny  # a learning rate that moves no weight


def initial_network(estimator: Any, X: Any, y: Any) -> Any:
    """Return a network with the weights that ``fit`` begins with.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted or not; is not changed. Its ``random_state`` must be a number: with another every fit begins
        elsewhere.
    X : array-like, shape (n_rows, n_features)
        The rows of that fit: their features and precision decide.
    y : array-like

    Returns
    -------
    MLPClassifier or MLPRegressor
        Predicts, and trains as the estimator would: `partial_fit`, or ``fit`` with ``warm_start``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import initial_network
    >>> X, y = load_iris(return_X_y=True)
    >>> start = initial_network(MLPClassifier(8, random_state=0), X, y)
    >>> start.coefs_[0].shape
    (4, 8)
    """
    if not isinstance(estimator, NETWORKS):
        raise TypeError(ITSELF.format(type(estimator).__name__))
    if estimator.random_state is None or not isinstance(estimator.random_state, int | np.integer):
        raise ValueError(
            f"random_state={estimator.random_state!r}: every fit begins with other weights, so there are none to go "
            "back to; give a number"
        )
    still = {"solver": "sgd", "learning_rate_init": NO_STEP, "learning_rate": "constant", "momentum": 0.0, "alpha": 0.0}
    start = clone(estimator).set_params(**still, max_iter=1, early_stopping=False, warm_start=False, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        start.fit(X, y)
    start.set_params(**estimator.get_params())
    start.loss_curve_, start.t_, start.n_iter_ = [], 0, 0
    if start.early_stopping:
        start.validation_scores_ = []
    return with_weights(start, start.coefs_, start.intercepts_)


def rewind(mlp: Any, X: Any, y: Any, masks: Sequence[ArrayLike] | None = None) -> Any:
    """Return a trained network with the weights it began with, those that are off at zero.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        With a number for ``random_state``. One that neurons were removed from gets back those that are left of its
        initial ones. Not changed.
    X, y : array-like
        The rows it was trained on.
    masks : sequence of array-like of bool, optional
        From `weight_masks`: False is off. By default the zeros of ``mlp``.

    Returns
    -------
    MLPClassifier or MLPRegressor
        To be trained with `fine_tune` and the same masks.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import fine_tune, rewind, weight_masks
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, tol=1e9, n_iter_no_change=5, random_state=0).fit(X, y)
    >>> masks = weight_masks(mlp, amount=0.5)
    >>> ticket = fine_tune(rewind(mlp, X, y, masks), X, y, epochs=20, masks=masks)
    >>> sum(int((w != 0).sum()) for w in ticket.coefs_)
    28
    """
    from treeprune.neural.masks import checked_masks

    if not isinstance(mlp, NETWORKS):
        raise TypeError(ITSELF.format(type(mlp).__name__))
    check_is_fitted(mlp)
    trained = left_of_training(mlp)
    if trained is None:
        raise ValueError(
            "the network was trained at another size: rewind it before layers or equal neurons are removed"
        )
    whole = clone(mlp).set_params(hidden_layer_sizes=trained[0])
    start = _without(initial_network(whole, X, y), trained[1])
    on = [w != 0 for w in mlp.coefs_] if masks is None else checked_masks(mlp, masks)
    if [w.shape for w in start.coefs_] != [mask.shape for mask in on]:
        raise ValueError("the masks are those of a network of another size")
    return with_weights(start, [w * mask for w, mask in zip(start.coefs_, on, strict=True)], start.intercepts_)


def _without(start: Any, kept: Sequence[Any]) -> Any:
    """Take from an initial network what is left of each hidden layer."""
    coefs, intercepts = list(start.coefs_), list(start.intercepts_)
    for k, left in enumerate(map(list, kept)):
        if len(left) < len(intercepts[k]):
            coefs[k], intercepts[k] = coefs[k][:, left], intercepts[k][left]
            coefs[k + 1] = coefs[k + 1][left]
    return with_weights(start, coefs, intercepts)
