"""Rules that choose a prune level from the scores of all of them.

Each takes a curve (or the `LevelScores` of one) and returns the position of a level.  Scores are
better when larger; of levels that tie, the one with the fewest leaves is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from treeprune.checks import check_count, check_number
from treeprune.curve import GeneralizationCurve, LevelScores

Scores = GeneralizationCurve | LevelScores
TIE = 1e-12


def minimum(curve: Scores) -> int:
    """Choose the level of least error: the best mean test score.

    Parameters
    ----------
    curve : GeneralizationCurve or LevelScores

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune.curve import LevelScores
    >>> from treeprune.selection import minimum
    >>> leaves, test = np.array([9.0, 4, 2, 1]), np.array([0.80, 0.85, 0.85, 0.6])
    >>> minimum(LevelScores(leaves, leaves, test, test, 0 * test, 0 * test))
    2
    """
    scores = _level_scores(curve)
    return _smallest(scores, scores.test.max())


def one_standard_error(curve: Scores) -> int:
    """Choose the smallest tree whose score is within one standard error of the best.

    A preference for small trees, not a safe answer: it gives up accuracy that the data cannot
    prove to be there, and where pruning hurts it prunes all the same.

    Parameters
    ----------
    curve : GeneralizationCurve or LevelScores
        With standard errors.

    Raises
    ------
    ValueError
        If no standard error is known, as for a curve of one repeat.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), section 3.4.3.

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune.curve import LevelScores
    >>> from treeprune.selection import one_standard_error
    >>> leaves, test = np.array([9.0, 4, 2, 1]), np.array([0.80, 0.85, 0.83, 0.6])
    >>> error = np.full(4, 0.03)
    >>> one_standard_error(LevelScores(leaves, leaves, test, test, 0 * test, 0 * test, error))
    2
    """
    scores = _level_scores(curve)
    if scores.standard_error is None:
        raise ValueError(
            "one_standard_error needs a standard error, and one repeat (a single split) has none: join the curves of "
            "several, use cross-validation, or choose by minimum"
        )
    best = minimum(scores)
    allowed = scores.standard_error[best] if scores.gap_error is None else scores.gap_error
    return _smallest(scores, scores.test[best] - allowed)


def within_tolerance(curve: Scores, tolerance: float = 0.01) -> int:
    """Choose the smallest tree whose score is within ``tolerance`` of the best.

    Parameters
    ----------
    curve : GeneralizationCurve or LevelScores
    tolerance : float, default=0.01
        Not negative, in the score's unit.

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune.curve import LevelScores
    >>> from treeprune.selection import within_tolerance
    >>> leaves, test = np.array([9.0, 4, 2, 1]), np.array([0.80, 0.85, 0.83, 0.6])
    >>> scores = LevelScores(leaves, leaves, test, test, 0 * test, 0 * test)
    >>> within_tolerance(scores), within_tolerance(scores, tolerance=0.05)
    (1, 2)
    """
    check_number("tolerance", tolerance, low=0)
    scores = _level_scores(curve)
    return _smallest(scores, scores.test.max() - tolerance)


def fixed_size(curve: Scores, n_leaves: int) -> int:
    """Choose the best level of those with at most ``n_leaves`` leaves.

    Parameters
    ----------
    curve : GeneralizationCurve or LevelScores
    n_leaves : int
        1 or more.

    Raises
    ------
    ValueError
        If every level is larger.

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune.curve import LevelScores
    >>> from treeprune.selection import fixed_size
    >>> leaves, test = np.array([9.0, 4, 2, 1]), np.array([0.80, 0.85, 0.83, 0.6])
    >>> fixed_size(LevelScores(leaves, leaves, test, test, 0 * test, 0 * test), n_leaves=3)
    2
    """
    check_count("n_leaves", n_leaves, low=1)
    scores = _level_scores(curve)
    small = np.flatnonzero(scores.n_leaves <= n_leaves)
    if not len(small):
        raise ValueError(f"n_leaves={n_leaves}: the smallest pruning has {scores.n_leaves.min():g} leaves")
    best = scores.test[small].max()
    return int(small[_fewest(scores.n_leaves[small], scores.test[small] >= best - TIE * abs(best))])


RULES = {rule.__name__: rule for rule in (minimum, one_standard_error, within_tolerance)}


def _level_scores(curve: Scores) -> LevelScores:
    scores = curve.summary() if isinstance(curve, GeneralizationCurve) else curve
    unknown = np.flatnonzero(np.isnan(scores.test))
    if len(unknown):
        raise ValueError(
            f"the test score of level {unknown[0]} is nan, so there is no best one: scorers give nan where they are "
            "not defined, for rows of a single class, say"
        )
    return scores


def _smallest(scores: LevelScores, threshold: float | NDArray[np.float64]) -> int:
    """Position of the fewest leaves at the threshold or, but for rounding, above it."""
    rounding = TIE * np.abs(scores.test).max()
    return _fewest(scores.n_leaves, scores.test >= threshold - rounding)


def _fewest(n_leaves: NDArray[np.float64], allowed: NDArray[np.bool_]) -> int:
    """Position of the fewest leaves among the allowed, the last one if several have as few."""
    candidates = np.flatnonzero(allowed)
    few = n_leaves[candidates]
    return int(candidates[len(few) - 1 - int(np.argmin(few[::-1]))])
