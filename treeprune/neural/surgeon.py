"""The optimal brain surgeon on single weights, with the curvature of all of them together.

Hassibi & Stork (1993), *Second order derivatives for network pruning: optimal brain surgeon*.  The
weight whose removal raises the loss least goes, and every other weight moves to make up for it:
``w_q^2 / (2 [H^-1]_qq)``, and ``-w_q / [H^-1]_qq H^-1 e_q``.  H is the Gauss-Newton matrix of the mean
loss, taken anew after every tenth of the removals.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.neural.deployment import with_weights
from treeprune.neural.observation import gauss_newton
from treeprune.neural.removal import Rows
from treeprune.neural.weight_scores import count_of
from treeprune.repair import RIDGE, one_by_one

Masks = list[NDArray[np.bool_]]
MOST_WEIGHTS = 3_000  # the matrix has as many rows and columns
TIMES_ANEW = 10


def surgery(mlp: Any, rows: Rows, masks: Masks, amount: float) -> tuple[Any, Masks]:
    """Remove weights, and return the network with the others moved, and the masks.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Is not changed.
    rows : Rows
    masks : list of ndarray of bool, shapes (n_in, n_out)
        Weights that are on.
    amount : float or int
        A share of those, or a number.
    """
    n_gone = count_of(amount, sum(int(mask.sum()) for mask in masks))
    n_weights = sum(mask.size for mask in masks)
    if n_weights > MOST_WEIGHTS:
        raise ValueError(
            f"criterion='obs' inverts a matrix of all weights, and {n_weights} are more than {MOST_WEIGHTS}: use "
            "'obs_layer', layer by layer"
        )
    on = np.concatenate([mask.ravel() for mask in masks])
    mlp = with_weights(mlp, [w * mask for w, mask in zip(mlp.coefs_, masks, strict=True)], mlp.intercepts_)
    every = max(1, -(-n_gone // TIMES_ANEW))
    while n_gone > 0:
        now = min(every, n_gone)
        mlp, on = _remove(mlp, rows, on, now)
        n_gone -= now
    return mlp, _split(on, masks)


def _remove(mlp: Any, rows: Rows, on: NDArray[np.bool_], n: int) -> tuple[Any, NDArray[np.bool_]]:
    """Remove so many weights by one matrix."""
    left = np.flatnonzero(on)
    weights = np.concatenate([w.ravel() for w in mlp.coefs_])
    matrix = gauss_newton(mlp, rows.X, rows.share)[np.ix_(left, left)]
    matrix += RIDGE * (np.trace(matrix) / len(matrix) or 1.0) * np.eye(len(matrix))
    steps = list(islice(one_by_one(matrix, weights[left][:, None]), n))
    on = on.copy()
    on[left[[q for q, _, _ in steps]]] = False
    weights = np.zeros_like(weights)
    weights[left] = steps[-1][2][:, 0]
    return with_weights(mlp, _split(weights, mlp.coefs_), mlp.intercepts_), on


def _split(flat: NDArray[Any], like: list[NDArray[Any]]) -> list[NDArray[Any]]:
    ends = np.cumsum([part.size for part in like])[:-1]
    return [part.reshape(shape.shape) for part, shape in zip(np.split(flat, ends), like, strict=True)]
