"""A whole hidden layer taken out, and the layers on both sides of it joined by least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.checks import check_count
from treeprune.neural.deployment import NETWORKS, find_network, with_weights
from treeprune.neural.lossless import ACTIVATIONS
from treeprune.neural.removal import checked_rows
from treeprune.repair import bridge
from treeprune.wrapped import rewrap

Array = NDArray[np.floating[Any]]


def prune_layer(mlp: Any, X: Any, layer: int) -> Any:
    """Remove a hidden layer; what it was read by reads the layer before it instead.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline, search or FrozenEstimator with one inside. Is not changed.
    X : array-like, shape (n_rows, n_features)
        Training rows. The new weights give the pre-activations of the next layer on them as well as
        least squares can. They are not read where the activation is identity: the product of the
        two matrices of weights is exact for all rows.
    layer : int
        Which hidden layer, from 0.

    Returns
    -------
    MLPClassifier or MLPRegressor, or a Pipeline that ends in one
        With one hidden layer less; without any, it is a linear model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import prune_layer
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((12, 6), solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> prune_layer(mlp, X, layer=1).hidden_layer_sizes
    (12,)
    """
    model, mlp = mlp, find_network(mlp)[0]
    check_count("layer", layer, low=0)
    n_hidden = len(mlp.coefs_) - 1
    if layer >= n_hidden:
        raise ValueError(f"layer={layer}: the network has {n_hidden} hidden layers, numbered from 0")
    w, b = (
        _product(mlp, layer)
        if mlp.activation == "identity"
        else _bridge(mlp, checked_rows(model, X, None, None, False, True)[1].X, layer)
    )
    dtype = mlp.coefs_[layer].dtype
    coefs = [*mlp.coefs_[:layer], w.astype(dtype), *mlp.coefs_[layer + 2 :]]
    intercepts = [*mlp.intercepts_[:layer], b.astype(dtype), *mlp.intercepts_[layer + 2 :]]
    return rewrap(model, NETWORKS, with_weights(mlp, coefs, intercepts))


def _product(mlp: Any, layer: int) -> tuple[Array, Array]:
    w, b = mlp.coefs_[layer + 1], mlp.intercepts_[layer + 1]
    return mlp.coefs_[layer] @ w, mlp.intercepts_[layer] @ w + b


def _bridge(mlp: Any, X: Array, layer: int) -> tuple[Array, Array]:
    """Weights and bias that lead from the activations before the layer to the pre-activations after it."""
    before = _activations(mlp, X, layer)
    z = _activations(mlp, before, layer + 1, start=layer) @ mlp.coefs_[layer + 1] + mlp.intercepts_[layer + 1]
    return bridge(before, z)


def _activations(mlp: Any, a: Array, stop: int, start: int = 0) -> Array:
    for w, b in zip(mlp.coefs_[start:stop], mlp.intercepts_[start:stop], strict=True):
        a = ACTIVATIONS[mlp.activation](a @ w + b)
    return a
