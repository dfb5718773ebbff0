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

from treeprune.path import PruningCuts
from treeprune.tree.curve import additive_scores
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.holdout import holdout_split
from treeprune.tree.methods.reduced_error import reduced_error_cut


@dataclass(frozen=True)
class Hindsight:
    """Scores of the best cut.

    Attributes
    ----------
    ceiling : float
        Fitted to the test rows: no cut of this tree scores higher on them.
    crossed : float
        Chosen on one half of the test rows, scored on the other, both ways, averaged.
    ceiling_leaves : int
        Leaves of the ceiling's cut.
    """

    ceiling: float
    crossed: float
    ceiling_leaves: int


def best_cut_in_hindsight(tree: FittedTree, X: Any, y: Any, scoring: str, seed: int) -> Hindsight:
    """Find the cut that is best on these rows, and what it scores with its choice paid for.

    Parameters
    ----------
    tree : FittedTree
    X, y : array-like
        Test rows.
    scoring : {"accuracy", "r2"}
    seed : int
        Halves the rows, stratified by class where that is possible.
    """
    leaf, target = tree.apply(X), tree.encode(y)
    whole = tree.statistics_at(leaf, target, None)
    best = reduced_error_cut(tree.structure, tree.error(whole))
    halves = [
        tree.statistics_at(leaf[h], target[h], None) for h in holdout_split(0.5, tree.estimator, X, y, None, seed)
    ]
    crossed = [
        _score(tree, reduced_error_cut(tree.structure, tree.error(chosen_on)), scored_on, scoring)
        for chosen_on, scored_on in (halves, halves[::-1])
    ]
    return Hindsight(_score(tree, best, whole, scoring), float(np.mean(crossed)), int(best.sum()))


def _score(tree: FittedTree, cut: NDArray[np.bool_], statistics: NodeStatistics, scoring: str) -> float:
    alone = PruningCuts("hindsight", "none", np.zeros(1), cut[None])
    return float(additive_scores(tree, alone, statistics, scoring)[0])
