"""Neurons of a fitted MLP ranked, and removed for real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from treeprune.checks import check_choice
from treeprune.neural.criteria import CRITERIA, OF_THE_LOSS, REPAIRS, Evidence, removal_order
from treeprune.neural.deployment import NETWORKS, find_network, with_weights
from treeprune.neural.observation import observe, rise_without
from treeprune.wrapped import rewrap, through

Floats = NDArray[np.float64]
LINKS = ("identity", "softmax", "logistic")


def neuron_importance(
    mlp: Any, X: Any, y: Any = None, *, criterion: str = "obs", layer: int | None = None, random_state: Any = 0
) -> Floats:
    """Score the neurons of a hidden layer.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline that ends in one, a fitted search or a FrozenEstimator. Not changed.
    X : array-like, shape (n_rows, n_features)
        Training rows, as the whole model takes them.
    y : array-like, optional
        Needed by criteria of the loss: group_taylor, taylor_2017, taylor_2019, skeletonization, ablation.
    criterion : str, default="obs"
        A name of `treeprune.neural.criteria.CRITERIA`.
    layer : int, optional
        Hidden layer, from 0; needed if there are several.
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
    mlp, steps = find_network(mlp)
    rows, target = _checked(mlp, through(steps, X), y, criterion)
    return _scores(mlp, rows, target, criterion, _one_layer(mlp, layer), np.random.default_rng(random_state))


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
    model, (mlp, steps) = mlp, find_network(mlp)
    rows, target = _checked(mlp, through(steps, X), y, criterion)
    wanted, rng = _sizes(mlp, n_keep, layer), np.random.default_rng(random_state)
    for k, n in wanted.items():
        closed_form = criterion == "obs" and compensate == "least_squares"
        prune = _at_once if search == "one_shot" or closed_form else _one_by_one
        mlp = prune(mlp, rows, target, n, criterion, compensate, search, k, rng)
    return rewrap(model, NETWORKS, mlp)


def _at_once(
    mlp: Any, X: Floats, target: Any, n_keep: int, criterion: str, compensate: str, search: str, layer: int, rng: Any
) -> Any:
    seen = _evidence(mlp, X, target, criterion, layer, rng)
    greedy = criterion == "obs" and search == "greedy"  # its closed form scores again by itself
    order = removal_order("obs", seen) if greedy else np.argsort(CRITERIA[criterion](seen), kind="stable")
    kept = np.zeros(len(order), dtype=bool)
    kept[order[len(order) - n_keep :]] = True
    return _without(mlp, seen, kept, compensate, layer)


def _one_by_one(
    mlp: Any, X: Floats, target: Any, n_keep: int, criterion: str, compensate: str, search: str, layer: int, rng: Any
) -> Any:
    while len(mlp.intercepts_[layer]) > n_keep:
        n_next = len(mlp.intercepts_[layer]) - 1
        mlp = _at_once(mlp, X, target, n_next, criterion, compensate, "one_shot", layer, rng)
    return with_weights(mlp, mlp.coefs_, mlp.intercepts_)


def _without(mlp: Any, seen: Evidence, kept: NDArray[np.bool_], compensate: str, layer: int) -> Any:
    """Cut the columns into the neurons gone and the rows out of them, after the repair."""
    coefs, intercepts = list(mlp.coefs_), list(mlp.intercepts_)
    outgoing, bias = REPAIRS[compensate](seen, kept, intercepts[layer + 1])
    dtype = coefs[layer].dtype
    coefs[layer], intercepts[layer] = coefs[layer][:, kept], intercepts[layer][kept]
    coefs[layer + 1], intercepts[layer + 1] = outgoing[kept].astype(dtype), bias.astype(dtype)
    return with_weights(mlp, coefs, intercepts)


def _scores(mlp: Any, X: Floats, target: Any, criterion: str, layer: int, rng: Any) -> Floats:
    return CRITERIA[criterion](_evidence(mlp, X, target, criterion, layer, rng))


def _evidence(mlp: Any, X: Floats, target: Any, criterion: str, layer: int, rng: Any) -> Evidence:
    seen = observe(mlp, X, target if criterion in OF_THE_LOSS else None, layer, rng)
    return replace(seen, rise=rise_without(mlp, X, target, layer)) if criterion == "ablation" else seen


def _checked(mlp: Any, X: Any, y: Any, criterion: str) -> tuple[Floats, Floats | None]:
    """Return rows, and targets as the output layer is trained on them."""
    check_choice("criterion", criterion, tuple(CRITERIA))
    X = check_array(X, dtype=np.float64)
    if X.shape[1] != mlp.n_features_in_:
        raise ValueError(f"X has {X.shape[1]} features: the network was fitted with {mlp.n_features_in_}")
    if criterion not in OF_THE_LOSS:
        return X, None
    if y is None:
        raise ValueError(f"criterion={criterion!r} looks at the loss: give y")
    if mlp.out_activation_ not in LINKS or getattr(mlp, "loss", "") == "poisson":
        raise ValueError(f"criterion={criterion!r} does not know this network's loss: use 'obs' or 'magnitude'")
    y = np.asarray(y)
    if len(y) != len(X):
        raise ValueError(f"X has {len(X)} rows and y {len(y)}: they must agree")
    return X, _as_trained(mlp, y)


def _as_trained(mlp: Any, y: NDArray[Any]) -> Floats:
    if not hasattr(mlp, "classes_"):
        target = y.reshape(len(y), -1).astype(np.float64)
    else:
        strange = np.setdiff1d(y, mlp.classes_) if y.ndim == 1 else np.array([])
        if len(strange):
            raise ValueError(f"y holds {strange[:5].tolist()}, classes that the network was not fitted with")
        target = mlp._label_binarizer.transform(y).astype(np.float64)
    if target.shape[1] != mlp.n_outputs_:
        raise ValueError(f"y has {target.shape[1]} column(s): the network was fitted with {mlp.n_outputs_} output(s)")
    return target


def _one_layer(mlp: Any, layer: int | None) -> int:
    n_hidden = len(mlp.coefs_) - 1
    if layer is None and n_hidden == 1:
        return 0
    if isinstance(layer, bool) or not isinstance(layer, Integral) or not 0 <= layer < n_hidden:
        raise ValueError(f"layer={layer!r}: the network has {n_hidden} hidden layer(s), numbered from 0")
    return int(layer)


def _sizes(mlp: Any, n_keep: int | Sequence[int], layer: int | None) -> dict[int, int]:
    """Neurons to keep in each layer that is to be pruned."""
    if isinstance(n_keep, Sequence | np.ndarray):
        if layer is not None or len(n_keep) != len(mlp.coefs_) - 1:
            raise ValueError(
                f"n_keep={n_keep!r}: a list has a number for each of the {len(mlp.coefs_) - 1} hidden layers, "
                "and layer is left out"
            )
        wanted = dict(enumerate(n_keep))
    else:
        wanted = {_one_layer(mlp, layer): n_keep}
    for k, n in wanted.items():
        most = len(mlp.intercepts_[k])
        if isinstance(n, bool) or not isinstance(n, Integral) or not 1 <= n <= most:
            raise ValueError(
                f"n_keep={n!r}: a whole number from 1 to the {most} neurons of hidden layer {k} is expected"
            )
    return wanted
