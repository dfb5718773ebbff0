"""What is left takes over what is gone: least squares, penalised towards the values there were.

Which part of a model goes matters less than what the rest does about it.  The rest is refitted so
that its reader receives what it received before; a ridge keeps the new values near the old ones
where the rows do not say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE = 1e-3  # of the mean variance: keeps the inverse of the Gram matrix small and tame


def penalised_gram(values: Floats, share: Floats | None = None, ridge: float = RIDGE) -> Floats:
    """Return the covariance of the columns plus a ridge, positive definite even where columns are constant.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_units)
        What each unit sends on each row.
    share : ndarray, shape (n_rows,), optional
        Weight of each row, 1 in all.
    ridge : float, default=1e-3
        In units of the mean variance of the units.

    Returns
    -------
    ndarray, shape (n_units, n_units)
    """
    share = np.full(len(values), 1 / len(values)) if share is None else share
    centred = values - share @ values
    gram = (centred * share[:, None]).T @ centred
    mean_variance = np.trace(gram) / len(gram)
    return gram + ridge * (mean_variance or 1.0) * np.eye(len(gram))


def refitted(gram: Floats, weights: Floats, kept: NDArray[np.bool_]) -> Floats:
    """Refit the weights of the units kept so that their reader misses the others least.

    They minimise ``trace((w - W)' G (w - W))`` over the rows kept: the mean squared error of what
    the reader receives, its bias free, plus the ridge times the squared distance from W.

    Parameters
    ----------
    gram : ndarray, shape (n_units, n_units)
        G, from `penalised_gram`.
    weights : ndarray, shape (n_units, n_readers)
        W, what the readers weigh the units with.
    kept : ndarray of bool, shape (n_units,)

    Returns
    -------
    ndarray, shape (n_units, n_readers)
        0 for the units that go.
    """
    new = np.zeros_like(weights)
    new[kept] = np.linalg.solve(gram[np.ix_(kept, kept)], gram[kept] @ weights)
    return new


def refitted_towards(
    values: Floats, wanted: Floats, weights: Floats, kept: NDArray[np.bool_], share: Floats, ridge: float = RIDGE
) -> tuple[Floats, Floats]:
    """Refit each reader's weights of units that have changed, so that it receives what is wanted.

    The form of `refitted` for readers that lose different units, and units that send something else
    than they did: ``|values v - wanted|^2`` plus the ridge times ``|v - w|^2``, the bias free.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_units)
        What each unit sends now.
    wanted : ndarray, shape (n_rows, n_readers)
        What each reader received before, bias included.
    weights : ndarray, shape (n_units, n_readers)
        W, what the new weights are kept near to.
    kept : ndarray of bool, shape (n_units, n_readers)
    share : ndarray, shape (n_rows,)
        Weight of each row, 1 in all.
    ridge : float, default=1e-3

    Returns
    -------
    weights : ndarray, shape (n_units, n_readers)
    bias : ndarray, shape (n_readers,)
    """
    gram = penalised_gram(values, share, ridge)
    pull = np.diag(gram - penalised_gram(values, share, 0.0)).mean()
    mean, mean_wanted = share @ values, share @ wanted
    target = ((values - mean) * share[:, None]).T @ (wanted - mean_wanted) + pull * weights
    new = np.zeros_like(weights, dtype=np.float64)
    for j, on in enumerate(kept.T):
        new[on, j] = np.linalg.solve(gram[np.ix_(on, on)], target[on, j])
    return new, mean_wanted - mean @ new


def one_by_one(
    gram: Floats, weights: Floats, order: NDArray[np.intp] | None = None
) -> Iterator[tuple[int, float, Floats]]:
    """Remove unit after unit, the weights of the rest refitted each time in closed form.

    Parameters
    ----------
    gram, weights
        As in `refitted`.
    order : ndarray of int, optional
        The units as they go; by default, at each step, the one that will be missed least: the optimal brain surgeon.

    Yields
    ------
    unit : int
    rise : float
        How much the removal raises the penalised error; in all, the least error without these units.
    weights : ndarray, shape (n_units, n_readers)
        Of the rest, as `refitted`; 0 where units are gone. A new array each time.

    References
    ----------
    Hassibi & Stork (1993), *Second order derivatives for network pruning*, for whole units:
    ``|w_j|^2 / [G^-1]_jj`` is the rise, ``G^-1_:j / [G^-1]_jj`` times w_j the change of the weights.
    """
    inverse, weights = np.linalg.inv(gram), np.array(weights, dtype=np.float64)
    left = np.ones(len(weights), dtype=bool)
    for step in range(len(weights)):
        rise = np.full(len(weights), np.inf)
        rise[left] = (weights[left] ** 2).sum(axis=1) / np.diag(inverse)[left]
        j = int(rise.argmin() if order is None else order[step])
        column = inverse[:, j] / inverse[j, j]
        weights = weights - np.outer(column, weights[j])
        weights[j] = 0.0
        inverse -= np.outer(column, inverse[j])
        left[j] = False
        yield j, float(rise[j]), weights


def bridge(before: NDArray[Any], after: NDArray[Any]) -> tuple[Floats, Floats]:
    """Find weights and bias that lead from one table to another, as the units between them did.

    Of several solutions the one with the smallest weights: a column that never varies gets none.

    Parameters
    ----------
    before : ndarray, shape (n_rows, n_in)
    after : ndarray, shape (n_rows, n_out)
    """
    centre, target = before.mean(axis=0), after.mean(axis=0)
    weights = np.linalg.lstsq(before - centre, after - target, rcond=None)[0]
    return weights, target - centre @ weights
