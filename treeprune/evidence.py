"""What cross-validation says about every level, for any weights of what it is made of.

Two kinds of evidence: the out-of-fold losses of rows, where the score is a mean over rows, and
the scores of folds, where it is not (an area under a curve, say).  A bootstrap re-weights either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from treeprune.out_of_fold import OutOfFoldLoss

Floats = NDArray[np.float64]
ErrorKind = Literal["case", "fold", "paired"]
Estimate = tuple[Floats, Floats | None, Floats | None]  # score, its standard error, that of the gap to the best


@dataclass(frozen=True, eq=False)
class RowEvidence:
    """Out-of-fold losses of rows.

    Attributes
    ----------
    held_out : OutOfFoldLoss
        Units are rows as held out by one fold: a row comes up once in every repeat.
    rows : OutOfFoldLoss
        Units are rows, repeats averaged.
    weight : ndarray of float, shape (n_rows,)
    perfect : float
        Score of no loss: 1 for accuracy, 0 for negated errors.
    error : {"case", "fold", "paired"}
    group : ndarray of int, shape (n_rows,)
        What is drawn together in a bootstrap, and one observation in a standard error: each row alone,
        or all rows of a group.
    """

    held_out: OutOfFoldLoss
    rows: OutOfFoldLoss
    weight: Floats
    perfect: float
    error: ErrorKind
    group: NDArray[np.intp]

    @property
    def n_units(self) -> int:
        """Number of rows."""
        return len(self.weight)

    def draw(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw as many groups as there are, with replacement: times each row came, and whether it was left out.

        Rows without weight are no rows: a group that has no others is not drawn.
        """
        present, code = np.unique(self.group[self.weight > 0], return_inverse=True)
        drawn = np.bincount(rng.integers(len(present), size=len(present)), minlength=len(present))
        times, left_out = np.zeros(self.n_units), np.zeros(self.n_units)
        times[self.weight > 0], left_out[self.weight > 0] = drawn[code], drawn[code] == 0
        return times, left_out

    def estimate(self, times: Floats) -> Estimate:
        """Score every level with each row counted so many times."""
        weight = self.weight * times
        score = self.perfect - self.rows.mean(weight)
        if self.error == "fold":
            return score, fold_error(self.fold_scores(times), self._repeats), None
        by_case = self._error_of(self.rows, weight)
        if self.error == "case":
            return score, by_case, None
        return score, by_case, self._error_of(self.rows.less_reference(int(score.argmax())), weight)

    def _error_of(self, losses: OutOfFoldLoss, weight: Floats) -> Floats:
        """Standard error of the mean over rows, or over groups of rows that are not independent."""
        if int(self.group.max(initial=-1)) + 1 == len(self.group):
            return losses.standard_error(weight)
        return losses.clustered_standard_error(weight, self.group)

    def score_at(self, level: int, times: Floats) -> float:
        """Score of one level on rows counted so many times."""
        weight = self.weight * times
        return self.perfect - float(weight @ self.rows.at_level(level) / weight.sum())

    def fold_scores(self, times: Floats) -> Floats:
        """Scores of the folds, shape (n_folds, n_levels); NaN for a fold left without weight."""
        unit = np.searchsorted(self.rows.row, self.held_out.row)
        return self.perfect - self.held_out.fold_means((self.weight * times)[unit])

    @property
    def _repeats(self) -> float:
        return len(self.held_out.row) / len(self.rows.row)


@dataclass(frozen=True, eq=False)
class FoldEvidence:
    """Scores of folds, shape (n_folds, n_levels), the repeat of cross-validation that each is of, and how many count.

    Folds of one repeat hold different rows, those of two repeats the same rows again.
    """

    scores: Floats
    repeat: NDArray[np.intp]
    n_independent: float

    @property
    def n_units(self) -> int:
        """Number of folds."""
        return len(self.scores)

    def draw(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw the folds of one repeat with replacement: times each came, and whether it was left out.

        More repeats are no more rows, so they must not narrow the spread. Folds that overlap at random have no
        repeats: as many are drawn of all of them as are independent.
        """
        repeat = rng.integers(int(self.repeat[-1]) + 1)
        mine = np.flatnonzero(self.repeat == repeat)
        n_drawn = min(len(mine), max(2, round(self.n_independent)))
        drawn = np.bincount(rng.integers(len(mine), size=n_drawn), minlength=len(mine))
        times, left_out = np.zeros(self.n_units), np.zeros(self.n_units)
        times[mine], left_out[mine] = drawn, drawn == 0
        return times, left_out

    def estimate(self, times: Floats) -> Estimate:
        """Score every level with each fold counted so many times."""
        score = times @ self.scores / times.sum()
        counted = np.repeat(self.scores, times.astype(int), axis=0)
        return score, fold_error(counted, len(counted) / self.n_independent), None

    def score_at(self, level: int, times: Floats) -> float:
        """Score of one level on folds counted so many times."""
        return float(times @ self.scores[:, level] / times.sum())

    def fold_scores(self, times: Floats) -> Floats:
        """Return the scores of the folds."""
        return self.scores


def independent_folds(held_out: Sequence[NDArray[np.intp]]) -> float:
    """How many folds' worth of different rows the folds hold: all of them, unless rows come up again.

    Examples
    --------
    >>> independent_folds([np.array([0, 1]), np.array([2, 3]), np.array([0, 2]), np.array([1, 3])])
    2.0
    """
    rows = np.concatenate(list(held_out))
    return len(held_out) * len(np.unique(rows)) / len(rows)


def repeats_of(held_out: Sequence[NDArray[np.intp]]) -> NDArray[np.intp]:
    """Number the repeats of cross-validation: a new one begins with a fold that holds a row again.

    Where that would leave a repeat of one fold, the folds overlap at random and are all of one.

    Parameters
    ----------
    held_out : sequence of ndarray of int
        Row numbers of each fold, in order.

    Returns
    -------
    ndarray of int, shape (n_folds,)

    Examples
    --------
    >>> repeats_of([np.array([0, 1]), np.array([2, 3]), np.array([0, 2]), np.array([1, 3])])
    array([0, 0, 1, 1])
    """
    repeat, seen, number = [], set[int](), 0
    for rows in held_out:
        if not seen.isdisjoint(rows.tolist()):
            number, seen = number + 1, set()
        seen.update(rows.tolist())
        repeat.append(number)
    found = np.array(repeat)
    return found if (np.bincount(found) > 1).all() else np.zeros_like(found)


def fold_error(scores: Floats, repeats: float) -> Floats | None:
    """SD over folds / sqrt(folds of one repeat): folds of other repeats hold the same rows again.

    None of a single fold.
    """
    scores = scores[~np.isnan(scores).all(axis=1)]
    if len(scores) < 2:
        return None
    return scores.std(axis=0, ddof=1) / np.sqrt(len(scores) / repeats)
