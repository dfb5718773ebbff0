"""Weights rounded to few bits: what an integer format would do to the predictions.

Symmetric, one scale for each column, the neuron that the weights lead to. The arithmetic stays in
floating point, so this shows the loss of accuracy, not a gain of speed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treeprune.checks import check_count
from treeprune.neural.deployment import NETWORKS, find_network, with_weights
from treeprune.wrapped import rewrap

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_BITS = 64


def quantize_weights(mlp: Any, bits: int = 8) -> Any:
    """Round the weights of a fitted network to ``2 ** bits - 1`` values for each neuron.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline, search or FrozenEstimator with one inside. Is not changed.
    bits : int, default=8
        From 2 (three values: -s, 0, s). The largest weight of a column is kept as it is; no weight
        moves by more than half a step, and biases not at all.

    Returns
    -------
    MLPClassifier or MLPRegressor, or a Pipeline that ends in one

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import quantize_weights
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> abs(quantize_weights(mlp, bits=8).score(X, y) - mlp.score(X, y)) < 0.02
    True
    """
    network = find_network(mlp)[0]
    check_count("bits", bits, low=2)
    if bits > MOST_BITS:
        raise ValueError(f"bits={bits}: {MOST_BITS} at most are expected, a float64 has no more")
    rounded = [_rounded(w, bits) for w in network.coefs_]
    return rewrap(mlp, NETWORKS, with_weights(network, rounded, network.intercepts_))


def quantization_grid(models: Mapping[str, Any], X: Any, y: Any, bits: Sequence[int] = (8, 4, 2)) -> DataFrame:
    """Score networks, pruned to different sizes say, with their weights rounded to few bits.

    Parameters
    ----------
    models : mapping from names to fitted MLPClassifier or MLPRegressor, or to Pipelines that end in one
    X, y : array-like
        Test rows.
    bits : sequence of int, default=(8, 4, 2)

    Returns
    -------
    DataFrame
        One row per network and precision: model, n_neurons, bits, test_score. The network as it is
        stands first, with the bits of its floating-point numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import quantization_grid
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> quantization_grid({"dense": mlp}, X, y)["bits"].tolist()
    [64, 8, 4, 2]
    """
    from pandas import DataFrame

    rows = []
    for name, mlp in models.items():
        coefs = find_network(mlp)[0].coefs_
        forms = {8 * coefs[0].itemsize: mlp} | {n: quantize_weights(mlp, n) for n in bits}
        size = sum(w.shape[1] for w in coefs[:-1])
        rows += [(name, size, n, form.score(X, y)) for n, form in forms.items()]
    return DataFrame(rows, columns=["model", "n_neurons", "bits", "test_score"])


def _rounded(w: NDArray[np.floating[Any]], bits: int) -> NDArray[np.floating[Any]]:
    step = np.abs(w).max(axis=0) / (2 ** (bits - 1) - 1)
    step[step == 0] = 1
    return (np.round(w / step) * step).astype(w.dtype)
