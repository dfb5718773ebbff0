"""Generalization curves: train and test score at every prune level.

Only numbers are here.  How they come about is in `tree.curve`, how they look in `display`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treeprune.path import Holds, levels_in_force

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LevelScores:
    """One score for every prune level, with its spread: what a selection rule looks at.

    Attributes
    ----------
    price, n_leaves : ndarray of float, shape (n_levels,)
    train, test : ndarray of float, shape (n_levels,)
        Mean scores; larger is better.
    train_spread, test_spread : ndarray of float, shape (n_levels,)
        Standard deviations over repeats (0 for one repeat).
    standard_error : ndarray of float, shape (n_levels,), or None
        Of the test score; None where nothing is known of it.
    gap_error : ndarray of float, shape (n_levels,), or None
        Standard error of each level's gap to the best level, if they were compared row by row.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> search = tp.PrunerCV(cv=5).fit(X, y)
    >>> search.scores_.test.round(3)[-3:], search.scores_.standard_error.round(3)[-3:]
    (array([0.933, 0.667, 0.333]), array([0.02 , 0.038, 0.038]))
    """

    price: Floats
    n_leaves: Floats
    train: Floats
    test: Floats
    train_spread: Floats
    test_spread: Floats
    standard_error: Floats | None = None
    gap_error: Floats | None = None


@dataclass(frozen=True, eq=False)
class GeneralizationCurve:
    """Scores of a family of prunings on the rows it was grown on and on others.

    A long table, one entry for each repeat and level; repeats may differ in their levels.

    Attributes
    ----------
    method : str
        Pruning method.
    parameter : str
        What `price` is: alpha, max_depth, m, ...
    scoring : str
        Name of the score; larger is better.
    nested : bool
        Whether the prunings are nested, so that a line may join them.
    computed_from : {"statistics", "predictions"}
        Node statistics, all levels at once; or the predictions of each level in turn.
    holds : {"from", "above", "up_to"}
        How to read prices, see `PruningPath`.
    repeat, level, n_leaves : ndarray of int, shape (n_entries,)
    price, train, test : ndarray of float, shape (n_entries,)
    n_independent : float or None
        How many of the repeats hold different rows out: the folds of one cross-validation, however
        often it was repeated. None: all of them.
    unit : {"leaves", "neurons", "weights"}
        What `n_leaves` counts.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X[::2], y[::2])
    >>> curve = tp.pruning_curve(tree, tp.pruning_path(tree), X[::2], y[::2], X[1::2], y[1::2])
    >>> curve.computed_from, curve.n_leaves
    ('statistics', array([6, 4, 3, 2, 1]))
    >>> curve.train.round(2), curve.test.round(2)
    (array([1.  , 0.99, 0.97, 0.67, 0.33]), array([0.96, 0.96, 0.95, 0.67, 0.33]))
    """

    method: str
    parameter: str
    scoring: str
    nested: bool
    computed_from: str
    holds: Holds
    repeat: NDArray[np.intp]
    level: NDArray[np.intp]
    price: Floats
    n_leaves: NDArray[np.intp]
    train: Floats
    test: Floats
    n_independent: float | None = None
    unit: str = "leaves"

    @property
    def n_repeats(self) -> int:
        """Number of trees, or splits, that the curve is made of."""
        return int(self.repeat.max()) + 1

    def frame(self) -> pd.DataFrame:
        """Return the curve as a data frame: repeat, level, price, n_leaves, train, test."""
        import pandas as pd

        columns = ("repeat", "level", "price", "n_leaves", "train", "test")
        return pd.DataFrame({name: getattr(self, name) for name in columns})

    def __repr__(self) -> str:
        levels = np.bincount(self.repeat)
        return (
            f"GeneralizationCurve({self.method}, {self.scoring}, {self.n_repeats} repeat(s), "
            f"{levels.min()} to {levels.max()} levels, from {self.computed_from})"
        )

    def of_repeat(self, repeat: int) -> dict[str, NDArray[Any]]:
        """Return the columns of one repeat."""
        mine = self.repeat == repeat
        return {name: getattr(self, name)[mine] for name in ("level", "price", "n_leaves", "train", "test")}

    def summary(self) -> LevelScores:
        """Average the repeats, level by level.

        Repeats whose prices differ are step functions of the price: each is read off at the
        prices of all. Prunings that are not nested must have been tried at the same prices.

        Returns
        -------
        LevelScores
            For one repeat its own levels. The standard error is SD / sqrt(n) for the n repeats that
            are independent, None for one repeat.
        """
        if self.n_repeats == 1:
            none = np.zeros(len(self.price))
            return LevelScores(self.price, self.n_leaves.astype(float), self.train, self.test, none, none)
        repeats = [self.of_repeat(r) for r in range(self.n_repeats)]
        prices, at = self._aligned(repeats)
        n_leaves, train, test = (
            np.array([r[name][levels] for r, levels in zip(repeats, at, strict=True)])
            for name in ("n_leaves", "train", "test")
        )
        spread = test.std(axis=0, ddof=1)
        return LevelScores(
            prices,
            n_leaves.mean(axis=0),
            train.mean(axis=0),
            test.mean(axis=0),
            train.std(axis=0, ddof=1),
            spread,
            spread / np.sqrt(self.n_independent or self.n_repeats),
        )

    def _aligned(self, repeats: list[dict[str, NDArray[Any]]]) -> tuple[Floats, list[NDArray[Any]]]:
        """Prices common to all repeats, and for each repeat the level in force at each of them."""
        prices = repeats[0]["price"]
        if all(np.array_equal(r["price"], prices) for r in repeats):
            return prices, [np.arange(len(prices))] * len(repeats)
        if not self.nested:
            raise ValueError(
                "repeats of prunings that are not nested can be averaged at the same prices only; "
                "these were tried at different ones"
            )
        prices = np.unique(np.concatenate([r["price"] for r in repeats]))
        prices = prices[::-1] if self.holds == "up_to" else prices
        return prices, [levels_in_force(r["price"], prices, self.holds) for r in repeats]


def join_curves(curves: Sequence[GeneralizationCurve]) -> GeneralizationCurve:
    """Join the curves of several trees, splits or seeds into one with a repeat for each.

    Parameters
    ----------
    curves : sequence of GeneralizationCurve
        Of one method and one score.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> def curve(odd):
    ...     tree = DecisionTreeClassifier(random_state=0).fit(X[odd::2], y[odd::2])
    ...     path = tp.pruning_path(tree, "cost_complexity")
    ...     return tp.pruning_curve(tree, path, X[odd::2], y[odd::2], X[1 - odd :: 2], y[1 - odd :: 2])
    >>> tp.join_curves([curve(0), curve(1)]).n_repeats
    2
    """
    if not curves:
        raise ValueError("no curves to join: give one at least")
    first = curves[0]
    for other in curves[1:]:
        for name in ("method", "parameter", "scoring", "nested", "holds"):
            if getattr(other, name) != getattr(first, name):
                raise ValueError(
                    f"curves of different {name} cannot be joined: "
                    f"{getattr(first, name)!r} and {getattr(other, name)!r}"
                )
    ways = {c.computed_from for c in curves}
    starts = np.cumsum([0] + [c.n_repeats for c in curves[:-1]])
    columns = {
        name: np.concatenate([getattr(c, name) for c in curves])
        for name in ("level", "price", "n_leaves", "train", "test")
    }
    repeat = np.concatenate([c.repeat + start for c, start in zip(curves, starts, strict=True)])
    return GeneralizationCurve(
        first.method,
        first.parameter,
        first.scoring,
        first.nested,
        "predictions" if "predictions" in ways else "statistics",
        first.holds,
        repeat,
        **columns,
        n_independent=sum(c.n_independent or c.n_repeats for c in curves),
        unit=first.unit,
    )
