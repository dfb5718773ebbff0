"""Every row's out-of-fold loss, at every level, as the few points where it changes.

A row's loss changes along a pruning path only where the node that predicts it changes its mind,
so a handful of numbers a row hold what would be a table of rows by levels.  From them come the
mean loss of every level and its standard error, for any weights of the rows: a bootstrap of the
rows is a change of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class OutOfFoldLoss:
    """Losses of units (rows, or rows as held out by one fold) at every level.

    Attributes
    ----------
    row : ndarray of int, shape (n_units,)
        Which row of the data each unit is.
    fold : ndarray of int, shape (n_units,)
        Which fold held it out; -1 once the repeats of a row have been averaged.
    base : ndarray of float, shape (n_units,)
        Loss at level 0.
    unit, level, before, after : ndarray, shape (n_changes,)
        From this level on the unit's loss is ``after``, where it was ``before``.
    n_levels : int
    """

    row: Ints
    fold: Ints
    base: Floats
    unit: Ints
    level: Ints
    before: Floats
    after: Floats
    n_levels: int

    def mean(self, weight: Floats) -> Floats:
        """Weighted mean loss at every level, shape (n_levels,); one weight a unit."""
        return self._sums(weight, self.base, self.after - self.before) / weight.sum()

    def standard_error(self, weight: Floats) -> Floats:
        """Standard error of `mean` by case, as rpart has it: sqrt(sum w e^2 - (sum w e)^2 / W) / W."""
        total = weight.sum()
        first = self._sums(weight, self.base, self.after - self.before)
        second = self._sums(weight, self.base**2, self.after**2 - self.before**2)
        return np.sqrt(np.maximum(second - first**2 / total, 0)) / total

    def clustered_standard_error(self, weight: Floats, group: Ints) -> Floats:
        """Standard error of `mean` where rows of a group are not independent: each group's sum is one observation.

        ``sqrt(sum over groups of (sum w (e - mean))^2) / W``; by case where every group is one row of weight 1.
        """
        sums, of_group = self._summed(weight, group), np.bincount(group, weights=weight).astype(np.float64)
        once, mean, total = np.ones(len(of_group)), self.mean(weight), weight.sum()
        squares = sums._sums(once, sums.base**2, sums.after**2 - sums.before**2)
        crossed = sums._sums(of_group, sums.base, sums.after - sums.before)
        return np.sqrt(np.maximum(squares - 2 * mean * crossed + mean**2 * (of_group @ of_group), 0)) / total

    def less_reference(self, reference: int) -> OutOfFoldLoss:
        """Return the differences of every unit's losses to its loss at a reference level."""
        at_reference = self.at_level(reference)
        gap = at_reference[self.unit]
        return OutOfFoldLoss(
            self.row,
            self.fold,
            self.base - at_reference,
            self.unit,
            self.level,
            self.before - gap,
            self.after - gap,
            self.n_levels,
        )

    def at_level(self, level: int) -> Floats:
        """Each unit's loss at one level, shape (n_units,)."""
        past = self.level <= level
        steps = np.bincount(self.unit[past], weights=(self.after - self.before)[past], minlength=len(self.base))
        return self.base + steps

    def fold_means(self, weight: Floats) -> Floats:
        """Weighted mean loss of each fold's rows at every level, shape (n_folds, n_levels)."""
        n_folds = int(self.fold.max()) + 1
        bins = self.fold[self.unit] * self.n_levels + self.level
        change = weight[self.unit] * (self.after - self.before)
        steps = np.bincount(bins, weights=change, minlength=n_folds * self.n_levels).reshape(n_folds, -1)
        start = np.bincount(self.fold, weights=weight * self.base, minlength=n_folds)
        total = np.bincount(self.fold, weights=weight, minlength=n_folds)
        return (start[:, None] + steps.cumsum(axis=1)) / np.where(total > 0, total, np.nan)[:, None]

    def by_row(self) -> OutOfFoldLoss:
        """Average the units of each row: repeats of cross-validation are no new rows."""
        rows, where, times = np.unique(self.row, return_inverse=True, return_counts=True)
        if np.array_equal(rows, self.row):  # also ascending: weights of rows come in that order
            return self
        base = np.bincount(where, weights=self.base) / times
        order = np.lexsort((self.level, where[self.unit]))
        unit = where[self.unit][order]
        step = (self.after - self.before)[order] / times[unit]
        after = base[unit] + _running_sum_within(unit, step)
        fold = np.full(len(rows), -1, dtype=np.intp)
        return OutOfFoldLoss(rows, fold, base, unit, self.level[order], after - step, after, self.n_levels)

    def _summed(self, weight: Floats, group: Ints) -> OutOfFoldLoss:
        """Weighted sums of the losses of the units of each group."""
        base = np.bincount(group, weights=weight * self.base).astype(np.float64)
        order = np.lexsort((self.level, group[self.unit]))
        unit = group[self.unit][order]
        step = (weight[self.unit] * (self.after - self.before))[order]
        after = base[unit] + _running_sum_within(unit, step)
        number, fold = np.arange(len(base)), np.full(len(base), -1, dtype=np.intp)
        return OutOfFoldLoss(number, fold, base, unit, self.level[order], after - step, after, self.n_levels)

    def _sums(self, weight: Floats, base: Floats, step: Floats) -> Floats:
        steps = np.bincount(self.level, weights=weight[self.unit] * step, minlength=self.n_levels)
        return weight @ base + steps.cumsum()


def join_folds(folds: Sequence[tuple[Ints, Floats, tuple[Ints, Ints, Floats, Floats]]], n_levels: int) -> OutOfFoldLoss:
    """Put the folds' losses together.

    Parameters
    ----------
    folds : sequence of (row, base, (unit, level, before, after))
        Levels are those of the common path; changes at ``n_levels`` or beyond never happen.
    n_levels : int
    """
    starts = np.cumsum([0] + [len(row) for row, _, _ in folds[:-1]])
    unit, level, before, after = (
        np.concatenate(
            [changes[i] + (start if i == 0 else 0) for (_, _, changes), start in zip(folds, starts, strict=True)]
        )
        for i in range(4)
    )
    happens = level < n_levels
    return OutOfFoldLoss(
        np.concatenate([row for row, _, _ in folds]),
        np.repeat(np.arange(len(folds)), [len(row) for row, _, _ in folds]),
        np.concatenate([base for _, base, _ in folds]),
        unit[happens],
        level[happens],
        before[happens],
        after[happens],
        n_levels,
    )


def _running_sum_within(group: Ints, values: Floats) -> Floats:
    """Cumulative sums that begin again with each group; groups stand together."""
    if not len(values):
        return values
    total = np.cumsum(values)
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    before = np.repeat(total[first] - values[first], np.diff(np.append(first, len(group))))
    return total - before


def changes_in_table(loss: NDArray[Any]) -> tuple[Ints, Ints, Floats, Floats]:
    """Find the changes (unit, level, before, after) in a table of losses, shape (n_units, n_levels)."""
    unit, step = np.nonzero(np.diff(loss, axis=1))
    return unit, step + 1, loss[unit, step], loss[unit, step + 1]
