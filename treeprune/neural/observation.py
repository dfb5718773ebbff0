"""What the neurons of a fitted MLP do on rows: what they send, and what the loss says about it.

The loss of a row is that of training without its penalty: cross-entropy, half the squared error, or
Poisson's deviance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.neural.criteria import Evidence, gate_curvature, output_curvature
from treeprune.neural.lossless import ACTIVATIONS

Floats = NDArray[np.float64]

CELLS_AT_ONCE = 2**16  # of the array rows x neurons x outputs of the next layer: they stay in the cache

# by the value of the activation
SLOPES: dict[str, Callable[[Floats], Floats]] = {
    "identity": np.ones_like,
    "relu": lambda a: (a > 0).astype(np.float64),
    "tanh": lambda a: 1 - a**2,
    "logistic": lambda a: a * (1 - a),
}


def observe(
    mlp: Any, X: Floats, target: Floats | None, layer: int, rng: np.random.Generator, share: Floats
) -> Evidence:
    """Gather what criteria look at.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
    X : ndarray, shape (n_rows, n_features)
    target : ndarray, shape (n_rows, n_outputs), or None
        Without it all that comes from the loss is NaN. `rise_without` and `curvature` are apart, as
        they cost more.
    layer : int
        Hidden layer, from 0.
    rng : numpy.random.Generator
    share : ndarray, shape (n_rows,)
        Weight of each row, 1 in all.
    """
    sent = activations(mlp, X)
    before, here = sent[layer], sent[layer + 1]
    incoming, outgoing = mlp.coefs_[layer], mlp.coefs_[layer + 1]
    if target is None:
        gradient, slope_in, slope_out = (np.full(part.shape, np.nan) for part in (here, incoming, outgoing))
    else:
        reader = _backwards(mlp, sent, _output(mlp, sent[-1]) - target, layer + 1)
        gradient = reader @ outgoing.T
        own = gradient * SLOPES[mlp.activation](here)
        slope_in, slope_out = (before * share[:, None]).T @ own, (here * share[:, None]).T @ reader
    return Evidence(incoming, mlp.intercepts_[layer], outgoing, here, gradient, slope_in, slope_out, share, rng)


def curvature(mlp: Any, X: Floats, layer: int, share: Floats) -> Floats:
    """Return the second derivative of the mean loss by a gate on each neuron, shape (n_neurons,).

    One pass backwards for each output; see `gate_curvature`.
    """
    sent = activations(mlp, X)
    slopes = _slopes_of_outputs(mlp, sent, layer + 1) @ mlp.coefs_[layer + 1].T
    return gate_curvature(mlp.out_activation_, _output(mlp, sent[-1]), slopes, sent[layer + 1], share)


def weight_slopes(mlp: Any, X: Floats, target: Floats, share: Floats) -> tuple[list[Floats], list[Floats]]:
    """Return, by the weights of every layer, the gradient of the mean loss and the mean of the rows' squared ones."""
    sent = activations(mlp, X)
    slopes, squares = [], []
    for k in range(len(mlp.coefs_)):
        gradient = _backwards(mlp, sent, _output(mlp, sent[-1]) - target, k)
        slopes.append((sent[k] * share[:, None]).T @ gradient)
        squares.append((sent[k] ** 2 * share[:, None]).T @ gradient**2)
    return slopes, squares


def weight_curvature(mlp: Any, X: Floats, share: Floats) -> list[Floats]:
    """Return the diagonal of the Gauss-Newton matrix of the mean loss, as arrays like the weights."""
    sent = activations(mlp, X)
    p = _output(mlp, sent[-1])
    return [
        (sent[k] ** 2 * share[:, None]).T @ output_curvature(mlp.out_activation_, p, _slopes_of_outputs(mlp, sent, k))
        for k in range(len(mlp.coefs_))
    ]


def gauss_newton(mlp: Any, X: Floats, share: Floats) -> Floats:
    """Return the Gauss-Newton matrix of the mean loss by all weights, layer after layer, each row by row."""
    sent = activations(mlp, X)
    parts = []
    for k in range(len(mlp.coefs_)):
        slopes = _slopes_of_outputs(mlp, sent, k)  # output, row, neuron
        parts.append((sent[k][None, :, :, None] * slopes[:, :, None, :]).reshape(*slopes.shape[:2], -1))
    slope = np.concatenate(parts, axis=2)
    p = _output(mlp, sent[-1])
    if mlp.out_activation_ == "identity":
        return np.einsum("knp,n,knq->pq", slope, share, slope, optimize=True)
    if mlp.out_activation_ != "softmax":
        bend = p if mlp.out_activation_ == "exp" else p * (1 - p)
        return np.einsum("knp,nk,knq->pq", slope, share[:, None] * bend, slope, optimize=True)
    mean = np.einsum("nk,knp->np", p, slope)
    spread = np.einsum("knp,nk,knq->pq", slope, share[:, None] * p, slope, optimize=True)
    return spread - (mean * share[:, None]).T @ mean


def _slopes_of_outputs(mlp: Any, sent: list[Floats], layer: int) -> Floats:
    """Derivative of each output, before its link, by a layer's pre-activations, shape (n_outputs, n_rows, n_here)."""
    units = np.eye(sent[-1].shape[1])
    return np.array([_backwards(mlp, sent, np.tile(unit, (len(sent[0]), 1)), layer) for unit in units])


def rise_without(mlp: Any, X: Floats, target: Floats, layer: int, share: Floats) -> Floats:
    """Return how much the mean loss rises as each neuron alone is switched off, shape (n_neurons,).

    All neurons in one pass: the next layer receives z - a_j W_j, an array of rows x neurons x outputs.
    """
    outgoing = mlp.coefs_[layer + 1]
    rows = max(1, CELLS_AT_ONCE // outgoing.size)
    total = np.zeros(len(outgoing))
    for start in range(0, len(X), rows):
        some, wanted, part = (table[start : start + rows] for table in (X, target, share))
        here = activations(mlp, some)[layer + 1]
        whole = here @ outgoing + mlp.intercepts_[layer + 1]
        without = whole[:, None, :] - here[:, :, None] * outgoing
        total += part @ _loss_from(mlp, without, wanted[:, None], layer + 1)
        total -= part @ _loss_from(mlp, whole, wanted, layer + 1)
    return total


def activations(mlp: Any, X: Floats) -> list[Floats]:
    """Return the rows, what each hidden layer sends, and the pre-activation of the output."""
    sent = [X]
    for w, b in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        sent.append(ACTIVATIONS[mlp.activation](sent[-1] @ w + b))
    return [*sent, sent[-1] @ mlp.coefs_[-1] + mlp.intercepts_[-1]]


def _backwards(mlp: Any, sent: list[Floats], gradient: Floats, layer: int) -> Floats:
    """From each row's gradient by the pre-activations of the output to that by those of a layer."""
    for k in range(len(mlp.coefs_) - 1, layer, -1):
        gradient = gradient @ mlp.coefs_[k].T * SLOPES[mlp.activation](sent[k])
    return gradient


def _loss_from(mlp: Any, z: Floats, target: Floats, layer: int) -> Floats:
    """Loss of rows from the pre-activations of a layer on; any axes before the last."""
    for w, b in zip(mlp.coefs_[layer + 1 :], mlp.intercepts_[layer + 1 :], strict=True):
        z = ACTIVATIONS[mlp.activation](z) @ w + b
    if mlp.out_activation_ == "identity":
        return ((z - target) ** 2).sum(axis=-1) / 2
    if mlp.out_activation_ == "exp":  # of Poisson regression, up to what no network changes
        return (np.exp(z) - z * target).sum(axis=-1)
    if mlp.out_activation_ == "softmax":
        return _log_sum_exp(z)[..., 0] - np.einsum("...k,...k->...", z, target)
    return (np.logaddexp(0, z) - z * target).sum(axis=-1)


def loss_of_outputs(mlp: Any, z: Floats, target: Floats) -> Floats:
    """Return the loss of each row from the pre-activations of the output."""
    return _loss_from(mlp, z, target, len(mlp.coefs_))


def _output(mlp: Any, z: Floats) -> Floats:
    if mlp.out_activation_ == "softmax":
        return np.exp(z - _log_sum_exp(z))
    if mlp.out_activation_ == "exp":
        return np.exp(z)
    return ACTIVATIONS[mlp.out_activation_](z)


def _log_sum_exp(z: Floats) -> Floats:
    """Log of the sum of exp over the last axis, which stays with length 1; far faster than ``logaddexp.reduce``."""
    highest = z.max(axis=-1, keepdims=True)
    return highest + np.log(np.exp(z - highest) @ np.ones((z.shape[-1], 1)))
