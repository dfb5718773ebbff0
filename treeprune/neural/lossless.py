"""Neurons that can go without any change of what the network computes, found without data.

A neuron goes if nothing reads it, if it says the same for every row (its value moves into the next
bias), or if another one says the same up to what its activation allows: a factor for relu, the sign
for tanh (odd) and for the logistic function (f(-z) = 1 - f(z)), any linear dependence for identity.
With bounds of the features, a relu that cannot reach zero goes too (Serra, Kumar & Ramalingam 2020,
*Lossless compression of deep neural networks*).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.spatial.distance import cdist
from scipy.special import expit

from treeprune.neural.deployment import NETWORKS, Arrays, find_network, with_weights
from treeprune.wrapped import rewrap

Array = NDArray[np.floating[Any]]
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": np.asarray,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": expit,
}
SAME = 1e-12  # relative difference of two weights up to which they are one


def prune_lossless(mlp: Any, bounds: tuple[Any, Any] | None = None) -> Any:
    """Remove every neuron without which the network computes the same.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline, search or FrozenEstimator with one inside (its rows are then those of the last step). Is not
        changed.
    bounds : pair of array-like, shape (n_features,) or scalar, default=None
        Lowest and highest value of every feature. With them neurons of relu go that are zero for
        all rows in between; outside, the predictions may differ.

    Returns
    -------
    MLPClassifier or MLPRegressor, or a Pipeline that ends in one
        Equal predictions up to rounding. Every hidden layer keeps one neuron at least.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import prune_lossless
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> mlp.coefs_[0][:, 3], mlp.intercepts_[0][3] = 2 * mlp.coefs_[0][:, 5], 2 * mlp.intercepts_[0][5]
    >>> small = prune_lossless(mlp)
    >>> small.hidden_layer_sizes < (8,)
    True
    >>> bool(np.allclose(small.predict_proba(X), mlp.predict_proba(X)))
    True
    """
    model, mlp = mlp, find_network(mlp)[0]
    coefs, intercepts = [w.copy() for w in mlp.coefs_], [b.copy() for b in mlp.intercepts_]
    if bounds is not None:
        low, high = _checked(bounds, mlp)
        _silence_dead(coefs, intercepts, low, high)
    before = None
    while before != (before := sum(map(len, intercepts))):  # a neuron gone may leave those before it unread
        for k in reversed(range(len(coefs) - 1)):
            _simplify(coefs, intercepts, k, mlp.activation)
    return rewrap(model, NETWORKS, with_weights(mlp, coefs, intercepts))


class _Hidden(NamedTuple):
    """One hidden layer and the layer that reads it."""

    w: Array
    b: Array
    w_next: Array
    b_next: Array


def _simplify(coefs: Arrays, intercepts: Arrays, k: int, activation: str) -> None:
    layer = _Hidden(coefs[k], intercepts[k], coefs[k + 1], intercepts[k + 1])
    layer = _drop_unread(_fold_constants(layer, activation))
    layer = _merge_dependent(layer) if activation == "identity" else _merge_same(layer, activation)
    coefs[k], intercepts[k], coefs[k + 1], intercepts[k + 1] = _drop_unread(layer)


def _drop_unread(layer: _Hidden) -> _Hidden:
    read: NDArray[np.bool_] = (layer.w_next != 0).any(axis=1)
    if not read.any():
        read[0] = True  # scikit-learn knows no layer without neurons
    return _Hidden(layer.w[:, read], layer.b[read], layer.w_next[read], layer.b_next)


def _fold_constants(layer: _Hidden, activation: str) -> _Hidden:
    constant = (layer.w == 0).all(axis=0)
    value = ACTIVATIONS[activation](layer.b)
    w_next = np.where(constant[:, None], 0, layer.w_next)
    return layer._replace(w_next=w_next, b_next=layer.b_next + (value * constant) @ layer.w_next)


def _merge_same(layer: _Hidden, activation: str) -> _Hidden:
    """Add what reads a neuron to what reads the first one that says the same."""
    neurons = np.vstack([layer.w, layer.b])
    factor = np.linalg.norm(neurons, axis=0) if activation == "relu" else _sign(neurons)
    factor[factor == 0] = 1
    told = _logarithms(neurons / factor).T
    first = (cdist(told, told, "chebyshev") <= SAME).argmax(axis=1)
    w_next, b_next = _turned(layer.w_next, factor, activation)
    merged = np.zeros_like(layer.w_next)
    np.add.at(merged, first, w_next)
    back, b_back = _turned(merged, 1 / factor, activation)
    return _Hidden(layer.w, layer.b, back, layer.b_next + b_next + b_back)


def _logarithms(neurons: Array) -> Array:
    """Differences of these are shares of a weight, whatever the unit of its feature; signs stay apart."""
    zero = neurons == 0
    return np.where(zero, 0, np.sign(neurons) * (np.log(np.abs(np.where(zero, 1, neurons))) + 1000))


def _sign(neurons: Array) -> Array:
    """Return the sign of the largest weight of each neuron, the first one of several."""
    return np.sign(np.take_along_axis(neurons, np.abs(neurons).argmax(axis=0)[None], axis=0)[0])


def _turned(w_next: Array, factor: Array, activation: str) -> tuple[Array, Array]:
    """Weights, and what the bias gains, that read each neuron divided by its factor as before."""
    gain = w_next[factor < 0].sum(axis=0) if activation == "logistic" else np.zeros_like(w_next[0])
    return w_next * factor[:, None], gain


def _merge_dependent(layer: _Hidden) -> _Hidden:
    """Read a neuron of identity that depends on others linearly from those."""
    units = _largest(layer.w, axis=1)  # of the features: without them a feature in small units would not count
    lengths = _largest(layer.w / units, axis=0)
    w = layer.w / units / lengths
    _, triangle, order = qr(w, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    rank = int((size > SAME * max(size[0], np.finfo(float).tiny)).sum())
    kept, others = order[:rank], order[rank:]
    mix = np.linalg.lstsq(w[:, kept], w[:, others], rcond=None)[0]
    mix *= lengths[0, others] / lengths[0, kept][:, None]
    w_next = np.zeros_like(layer.w_next)
    w_next[kept] = layer.w_next[kept] + mix @ layer.w_next[others]
    rest = layer.b[others] - layer.b[kept] @ mix
    return layer._replace(w_next=w_next, b_next=layer.b_next + rest @ layer.w_next[others])


def _largest(w: Array, axis: int) -> Array:
    """Largest absolute value along an axis, 1 where all are zero."""
    size = np.abs(w).max(axis=axis, keepdims=True)
    return np.where(size == 0, 1, size)


def _silence_dead(coefs: Arrays, intercepts: Arrays, low: Array, high: Array) -> None:
    """Read no neuron of relu any more that interval arithmetic shows to be zero between the bounds."""
    for k, (w, b) in enumerate(zip(coefs[:-1], intercepts[:-1], strict=True)):
        up, down = np.maximum(w, 0), np.minimum(w, 0)
        low, high = np.maximum(low @ up + high @ down + b, 0), np.maximum(high @ up + low @ down + b, 0)
        coefs[k + 1][high == 0] = 0


def _checked(bounds: Any, mlp: Any) -> tuple[Array, Array]:
    if mlp.activation != "relu":
        raise ValueError(
            f"bounds show which neurons of relu are dead, and activation={mlp.activation!r}: leave them out"
        )
    shape = (mlp.n_features_in_,)
    try:
        low, high = (np.broadcast_to(np.asarray(end, dtype=float), shape) for end in bounds)
    except (TypeError, ValueError):
        raise ValueError(
            f"bounds={bounds!r}: a pair is expected, lowest and highest, each a number or one for each of the "
            f"{shape[0]} features"
        ) from None
    if not (low <= high).all():
        raise ValueError("bounds: the lowest value of a feature is above its highest, or not a number")
    return low, high
