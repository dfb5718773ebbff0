"""What each node costs as a leaf, from the statistics of its rows.

Every loss here is a sum over rows, so it is a sum over the leaves of any cut.  Several outputs
are averaged.  The axes of the arguments: nodes first; then outputs, where there is such an axis;
classes, or the three moments, last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Array = NDArray[Any]


def misclassified(counts: Array, label: Array) -> Array:
    """Weight of the rows whose class is not the node's label: ``n - n_label``.

    Parameters
    ----------
    counts : ndarray, shape (n_nodes, [n_outputs,] n_classes)
    label : ndarray of int, shape (n_nodes[, n_outputs])
        Class index that each node predicts.

    Returns
    -------
    ndarray, shape (n_nodes,)
    """
    right = np.take_along_axis(counts, label[..., None], axis=-1)[..., 0]
    return mean_over_outputs(counts.sum(axis=-1) - right)


def brier(counts: Array, probability: Array) -> Array:
    """Sum over rows of the squared distance between probabilities and the class: in [0, 2] a row."""
    n = counts.sum(axis=-1)
    right = (counts * probability).sum(axis=-1)
    return mean_over_outputs(n * (1 + (probability**2).sum(axis=-1)) - 2 * right)


def log_loss(counts: Array, probability: Array) -> Array:
    """Sum over rows of ``-log p(class)`` in nats; p is kept one float step away from 0 and 1."""
    eps = np.finfo(probability.dtype).eps
    return mean_over_outputs(-xlogy(counts, np.clip(probability, eps, 1 - eps)).sum(axis=-1))


def squared_error(moments: Array, prediction: Array) -> Array:
    """Sum over rows of ``w (y - prediction)^2``, both measured from the centre of the moments.

    Parameters
    ----------
    moments : ndarray, shape (n_nodes, [n_outputs,] 3)
        As from `target_moments`.
    prediction : ndarray, shape (n_nodes[, n_outputs])
        What each node predicts, less the centre.
    """
    n, first, second = np.moveaxis(moments, -1, 0)
    return mean_over_outputs(np.maximum(second - prediction * (2 * first - prediction * n), 0))


def gini(counts: Array) -> Array:
    """Gini impurity times the weight of the node's rows: ``n - sum(n_c^2) / n``."""
    n = counts.sum(axis=-1)
    return mean_over_outputs(n - np.divide((counts**2.0).sum(axis=-1), n, out=np.zeros(n.shape), where=n > 0))


def entropy(counts: Array) -> Array:
    """Entropy in bits times the weight of the node's rows."""
    n = counts.sum(axis=-1)
    return mean_over_outputs((xlogy(n, n) - xlogy(counts, counts).sum(axis=-1)) / np.log(2))


def variance(moments: Array) -> Array:
    """Sum of squares about the node's own mean."""
    n, first, _ = np.moveaxis(moments, -1, 0)
    mean = np.divide(first, n, out=np.zeros(n.shape), where=n > 0)
    return squared_error(moments, mean)


def mean_over_outputs(cost: Array) -> Array:
    """Average over the axis of outputs, where there is one."""
    return cost if cost.ndim == 1 else cost.mean(axis=1)
