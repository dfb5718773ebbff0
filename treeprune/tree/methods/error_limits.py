"""How many errors a leaf will make, judged by those it makes on the rows it was grown on: upper confidence limits.

Quinlan (1993), *C4.5: Programs for Machine Learning*, chapter 4; and what C4.5 and Weka compute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from treeprune.checks import check_choice, check_number

Floats = NDArray[np.float64]
Limit = Literal["c4.5", "weka", "exact"]

# C4.5's table of the normal distribution: P(Z > z) and z, interpolated between
TAIL = [0, 0.001, 0.005, 0.01, 0.05, 0.10, 0.20, 0.40, 1.00]
DEVIATE = [4.0, 3.09, 2.58, 2.33, 1.65, 1.28, 0.84, 0.25, 0.0]


def added_errors(n_rows: ArrayLike, errors: ArrayLike, confidence: float = 0.25, limit: Limit = "c4.5") -> Floats:
    """How many errors the upper confidence limit adds to those seen.

    Parameters
    ----------
    n_rows, errors : array-like of float, of one shape
        N and E; fractions are allowed.
    confidence : float in (0, 1), default=0.25
    limit : {"c4.5", "weka", "exact"}, default="c4.5"
        ``"c4.5"``: as release 8 of C4.5 computes it: z by interpolation in a table, and 0.67 (N - E)
        where fewer than half a row is right. ``"weka"``: as Weka 3's J48: exact z (of the 32-bit
        confidence it stores), all N - E in that case, nothing for a confidence above 0.5.
        ``"exact"``: the binomial limit of Clopper and Pearson.

    Returns
    -------
    ndarray of float
        Same shape; 0 where there are no rows.

    Examples
    --------
    >>> from treeprune import added_errors
    >>> added_errors([6, 16], [0, 1], 0.25, "weka").round(4)
    array([1.2378, 1.4757])
    """
    check_number("confidence", confidence, low=0, high=1, open_ends=True)
    check_choice("limit", limit, tuple(LIMITS))
    n, e = np.broadcast_arrays(np.asarray(n_rows, np.float64), np.asarray(errors, np.float64))
    if not ((n >= 0) & (e >= 0) & (e <= n * (1 + 1e-9))).all():  # so that NaN does not pass
        raise ValueError("errors must lie between 0 and the number of rows at every node")
    added = LIMITS[limit](np.where(n > 0, n, 1.0), e, float(confidence))
    return np.where(n > 0, added, 0.0)


def _c45(n: Floats, e: Floats, confidence: float) -> Floats:
    z = float(np.interp(confidence, TAIL, DEVIATE))
    return np.where(e < 0.9999, _below_one_error(n, e, confidence, z, 0.67), _wilson(n, e, z, 0.67))


def _weka(n: Floats, e: Floats, confidence: float) -> Floats:
    if confidence > 0.5:
        return np.zeros_like(n)
    stored = np.float32(confidence)  # Weka keeps and subtracts it as a 32-bit float
    if np.float32(1) - stored == 1:
        raise ValueError(f"confidence={confidence!r} is 0 to limit='weka', which counts in 32 bits: give 1e-7 or more")
    z = float(ndtri(np.float64(np.float32(1) - stored)))
    return np.where(e < 1, _below_one_error(n, e, float(stored), z, 1.0), _wilson(n, e, z, 1.0))


def _exact(n: Floats, e: Floats, confidence: float) -> Floats:
    right = np.maximum(n - e, 0)
    rate = betaincinv(e + 1, np.where(right > 0, right, 1), 1 - confidence)
    return np.where(right > 0, n * rate - e, 0)


LIMITS: dict[str, Callable[[Floats, Floats, float], Floats]] = {"c4.5": _c45, "weka": _weka, "exact": _exact}


def _below_one_error(n: Floats, e: Floats, confidence: float, z: float, share: float) -> Floats:
    """Between the exact limit without errors and the limit for one error, in a straight line."""
    without = n * (1 - confidence ** (1 / n))
    return np.where(e < 1e-6, without, without + e * (_wilson(n, np.ones_like(n), z, share) - without))


def _wilson(n: Floats, e: Floats, z: float, share: float) -> Floats:
    """Score interval with continuity correction; where hardly a row is right, a share of those."""
    seen, c = e + 0.5, z * z
    spread = np.sqrt(c * np.maximum(seen * (1 - seen / n) + c / 4, 0))
    limit = n * (seen + c / 2 + spread) / (n + c)
    return np.where(seen >= n, share * np.maximum(n - e, 0), limit - e)
