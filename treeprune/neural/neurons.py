"""Neurons of a fitted MLP ranked, and removed for real."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_choice
from treeprune.neural.criteria import CRITERIA, REPAIRS
from treeprune.neural.deployment import NETWORKS
from treeprune.neural.removal import checked, choose, cut_out, evidence, one_layer
from treeprune.wrapped import rewrap

Floats = NDArray[np.float64]


def neuron_importance(
    mlp: Any,
    X: Any,
    y: Any = None,
    *,
    criterion: str = "obs",
    layer: int | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: Any = 0,
) -> Floats:
    """Score the neurons of a hidden layer.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline that ends in one, a fitted search or a FrozenEstimator. Not changed.
    X : array-like, shape (n_rows, n_features)
        Training rows, as the whole model takes them.
    y : array-like, optional
        Needed by criteria of the loss: group_taylor, taylor_2017, taylor_2019, skeletonization, obd, ablation.
    criterion : str, default="obs"
        A name of `treeprune.neural.criteria.CRITERIA`.
    layer : int, optional
        Hidden layer, from 0; needed if there are several.
    sample_weight : array-like, shape (n_rows,), optional
        Frequencies: a row of weight 2 counts as two rows.
    random_state : int or Generator, default=0
        For ``"random"``.

    Returns
    -------
    ndarray, shape (n_neurons,)
        The lowest goes first.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import neuron_importance
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> mlp.coefs_[1][3] = 0  # nothing reads this neuron
    >>> int(neuron_importance(mlp, X).argmin())
    3
    """
    mlp, rows = checked(mlp, X, y, sample_weight, criterion)
    seen = evidence(mlp, rows, criterion, one_layer(mlp, layer), np.random.default_rng(random_state))
    return CRITERIA[criterion](seen)


def prune_neurons(
    mlp: Any,
    X: Any,
    y: Any = None,
    *,
    n_keep: int | Sequence[int],
    criterion: str = "obs",
    compensate: Literal["least_squares", "mean", "none"] = "least_squares",
    search: Literal["greedy", "one_shot"] = "greedy",
    layer: int | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: Any = 0,
) -> Any:
    """Return a network with fewer hidden neurons.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline that ends in one, a fitted search (its best estimator is pruned) or a
        FrozenEstimator. Not changed.
    X, y : array-like
        Training rows, as the whole model takes them: they rank the neurons, and what the next layer
        receives on them is what the repair keeps. See `neuron_importance`.
    n_keep : int or sequence of int
        Neurons to keep in the layer, 1 or more; or in every hidden layer.
    criterion : str, default="obs"
    compensate : {"least_squares", "mean", "none"}
        What the next layer does about the loss: its weights and bias are refitted; its bias takes
        the mean of what is gone; nothing.
    search : {"greedy", "one_shot"}
        Score again after each neuron removed and repaired, or rank once. Ties: the lower number goes.
    layer : int, optional
        Hidden layer, from 0; needed if there are several and ``n_keep`` is one number.
    sample_weight : array-like, shape (n_rows,), optional
        Frequencies.
    random_state : int or Generator, default=0

    Returns
    -------
    MLPClassifier or MLPRegressor, or a Pipeline that ends in one
        An ordinary one, smaller and faster; predict, partial_fit, warm-started fit and clone work.

    References
    ----------
    Hassibi & Stork (1993), *Second order derivatives for network pruning*; Castellano, Fanelli &
    Pelillo (1997), *An iterative pruning algorithm for feedforward neural networks*.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import prune_neurons
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(30, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> small = prune_neurons(mlp, X, n_keep=5)
    >>> small.hidden_layer_sizes
    (5,)
    >>> bool(abs(small.score(X, y) - mlp.score(X, y)) < 0.05)
    True
    """
    check_choice("compensate", compensate, tuple(REPAIRS))
    check_choice("search", search, ("greedy", "one_shot"))
    model, (mlp, rows) = mlp, checked(mlp, X, y, sample_weight, criterion)
    wanted, rng = _sizes(mlp, n_keep, layer), np.random.default_rng(random_state)
    for k, n in wanted.items():
        removal = choose(mlp, rows, k, n, criterion, compensate, search, rng)
        kept = ~np.isin(np.arange(len(removal.seen.bias)), removal.order)
        mlp = cut_out(mlp, removal.seen, kept, compensate, k)
    return rewrap(model, NETWORKS, mlp)


def _sizes(mlp: Any, n_keep: int | Sequence[int], layer: int | None) -> dict[int, int]:
    """Neurons to keep in each layer that is to be pruned."""
    if np.iterable(n_keep) and not isinstance(n_keep, str):
        n_keep = list(n_keep)
        if layer is not None or len(n_keep) != len(mlp.coefs_) - 1:
            raise ValueError(
                f"n_keep={n_keep!r}: a list has a number for each of the {len(mlp.coefs_) - 1} hidden layers, "
                "and layer is left out"
            )
        wanted = dict(enumerate(n_keep))
    else:
        wanted = {one_layer(mlp, layer): n_keep}
    for k, n in wanted.items():
        most = len(mlp.intercepts_[k])
        if isinstance(n, bool) or not isinstance(n, Integral) or not 1 <= n <= most:
            raise ValueError(
                f"n_keep={n!r}: a whole number from 1 to the {most} neurons of hidden layer {k} is expected"
            )
    return wanted
