"""The best cut in hindsight: how far could any pruning of this tree have come?

Chosen and scored on the same test rows it is too good: a ceiling.  Chosen on one half of them and
scored on the other it is no better than a method with that many extra rows.  What the best cut
is truly worth lies between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.holdout import holdout_split
from treeprune.tree.methods.reduced_error import reduced_error_cut


@dataclass(frozen=True)
class Hindsight:
    """Scores of the best cut: accuracies, or R² for a regression.

    Attributes
    ----------
    ceiling : float
        Fitted to the test rows: no cut of this tree scores higher on them.
    crossed : float
        Chosen on one half of the test rows, scored on the other, both ways, averaged over the rows.
    ceiling_leaves : int
        Leaves of the ceiling's cut.
    crossed_leaves : float
        Mean leaves of the two cuts that are chosen on a half.
    """

    ceiling: float
    crossed: float
    ceiling_leaves: int
    crossed_leaves: float


def best_cut_in_hindsight(tree: FittedTree, X: Any, y: Any, seed: int) -> Hindsight:
    """Find the cut that is best on these rows, and what it scores with its choice paid for.

    Parameters
    ----------
    tree : FittedTree
    X, y : array-like
        Test rows.
    seed : int
        Halves the rows, stratified by class where that is possible.
    """
    leaf, target = tree.apply(X), tree.encode_known(y)
    known = _known(tree, target)
    whole, *halves = (
        tree.statistics_at(leaf[rows[known[rows]]], target[rows[known[rows]]], None)
        for rows in (np.arange(len(leaf)), *holdout_split(0.5, tree.estimator, X, y, None, seed))
    )
    missed = int((~known).sum())  # under every cut alike
    best, cuts = _best_cut(tree, whole), [_best_cut(tree, half) for half in halves]
    crossed = sum(_loss(tree, cut, other) for cut, other in zip(cuts, halves[::-1], strict=True))
    scale = _loss_of_nothing(tree, whole) + missed
    leaves = float(np.mean([cut.sum() for cut in cuts]))
    ceiling = _score(_loss(tree, best, whole) + missed, scale)
    return Hindsight(ceiling, _score(crossed + missed, scale), int(best.sum()), leaves)


def best_cut_of_all(tree: FittedTree, X: Any, y: Any) -> tuple[float, int]:
    """Find the best cut on so many rows that choosing it on them costs nothing.

    Returns
    -------
    score : float
        Accuracy, or R².
    n_leaves : int
        Of the smallest such cut.
    """
    leaf, target = tree.apply(X), tree.encode_known(y)
    known = _known(tree, target)
    statistics, missed = tree.statistics_at(leaf[known], target[known], None), int((~known).sum())
    best = _best_cut(tree, statistics)
    scale = _loss_of_nothing(tree, statistics) + missed
    return _score(_loss(tree, best, statistics) + missed, scale), int(best.sum())


def _known(tree: FittedTree, target: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows of classes that the tree was grown with; it is wrong on all others, however it is cut."""
    return np.asarray((target >= 0).all(axis=1)) if tree.is_classifier else np.ones(len(target), dtype=bool)


def _best_cut(tree: FittedTree, statistics: NodeStatistics) -> NDArray[np.bool_]:
    return reduced_error_cut(tree.structure, tree.error(statistics))


def _loss(tree: FittedTree, cut: NDArray[np.bool_], statistics: NodeStatistics) -> float:
    """Misclassified rows, or sum of squares, of these rows under a cut."""
    return float(tree.error(statistics)[cut].sum())


def _loss_of_nothing(tree: FittedTree, statistics: NodeStatistics) -> float:
    """What a score of 0 loses: every row, or the squares about the rows' own mean."""
    if tree.is_classifier:
        return float(tree.rows(statistics)[0])
    n, first, second = statistics.sums[0, 0]
    return float(second - first**2 / n)


def _score(loss: float, scale: float) -> float:
    return 1.0 - loss / scale if scale > 0 else float(loss == 0)  # as scikit-learn scores a constant target
